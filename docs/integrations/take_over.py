"""Bring a complaint to the status that an agent gave its case in the CRM.

    COMPLAINTS_URL=… COMPLAINTS_KEY=… python take_over.py salesforce.toml case.json

The file has the fields of one case, as the CRM sends them. The key needs the role `agent`, or `supervisor` to close. It
is the key of the mirror, so that the mirror knows its own events. An unmapped status ends it with exit code 2.
"""

import hashlib
import json
import sys
from pathlib import Path

import httpx2
from complaints_api import Json, open_client
from crm_map import CrmMap, Unmapped


def take_over(client: httpx2.Client, chart: CrmMap, case: Json) -> list[str]:
    """Send the actions that lead to the status of the case. Returns their names.

    Each step has an `Idempotency-Key` of the case and the step. Sent again after a failure, no step happens twice.
    """
    number = case[chart.key]
    complaint = client.get(f"/v1/complaints/{number}").raise_for_status().json()
    steps = chart.actions_for(complaint, case)
    digest = hashlib.sha256(json.dumps(case, sort_keys=True).encode()).hexdigest()[:32]
    for place, step in enumerate(steps):
        answer = client.post(
            f"/v1/complaints/{number}/transitions",
            json=step,
            headers={"Idempotency-Key": f"{number}-{digest}-{complaint['version']}-{place}"},
        )
        if answer.is_error:
            raise SystemExit(f"{step['action']} of {number} was refused: {answer.text}")
    return [step["action"] for step in steps]


def main(arguments: list[str]) -> int:
    """Run the script; its exit code."""
    chart = CrmMap.read(Path(arguments[0]))
    case = json.loads(Path(arguments[1]).read_text(encoding="utf-8"))
    with open_client() as client:
        try:
            print(f"sent: {', '.join(take_over(client, chart, case)) or 'nothing'}")
        except Unmapped as refusal:
            print(f"Stopped: {refusal}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
