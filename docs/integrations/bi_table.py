"""Write the table of complaints for Power BI or Tableau as a CSV file: one row a complaint, no person, no text.

    COMPLAINTS_URL=… COMPLAINTS_KEY=… python bi_table.py complaints.csv [filter=value …]

Filters are those of `GET /v1/complaints`, such as `received_from=2026-11-01T00:00:00Z`. The file is replaced when it is
complete. The key needs the role `auditor`. An unmapped status ends the script with exit code 2.
"""

import csv
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx2
from complaints_api import Json, open_client
from crm_map import Unmapped

TABLE: Json = tomllib.loads((Path(__file__).parent / "bi.toml").read_text(encoding="utf-8"))
PAGE = 200


def read_complaints(client: httpx2.Client, filters: Mapping[str, str]) -> Iterator[Json]:
    """All complaints that fit the filters, page by page."""
    asked = {**filters, "limit": str(PAGE), "fields": ",".join(TABLE["columns"].values())}
    cursor: str | None = ""
    while cursor is not None:
        page = client.get("/v1/complaints", params={**asked, **({"cursor": cursor} if cursor else {})})
        if page.is_error:
            raise SystemExit(f"The complaints were refused: {page.text}")
        content = page.json()
        yield from content["items"]
        cursor = content["next_cursor"]


def row_of(complaint: Mapping[str, Any]) -> Json:
    """The row of a complaint. Raises Unmapped."""
    status = complaint["status"]
    if status not in TABLE["status"]:
        raise Unmapped(f"bi.toml has no words for the status {status!r}: add [status.{status}].")
    row = {column: complaint[member] for column, member in TABLE["columns"].items()}
    return {name: _as_cell(value) for name, value in {**row, **TABLE["status"][status]}.items()}


def _as_cell(value: Any) -> Any:
    """A value that no spreadsheet takes for a formula. `true` and `false` are words that both programs know."""
    if isinstance(value, bool):
        return str(value).lower()
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r") else value


def main(arguments: list[str]) -> int:
    """Run the script; its exit code."""
    target, filters = Path(arguments[0]), dict(one.split("=", 1) for one in arguments[1:])
    new = target.with_suffix(".new")
    with open_client() as client:
        try:
            with new.open("w", encoding="utf-8-sig", newline="") as file:  # with the mark that Excel needs
                names = [*TABLE["columns"], *TABLE["status"]["received"]]
                writer = csv.DictWriter(file, names)
                writer.writeheader()
                rows = [row_of(complaint) for complaint in read_complaints(client, filters)]
                writer.writerows(rows)
        except Unmapped as refusal:
            new.unlink()
            print(f"Stopped: {refusal}", file=sys.stderr)
            return 2
    new.replace(target)
    print(f"{len(rows)} rows")
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
