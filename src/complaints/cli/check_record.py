"""The record of a check: a file that says which ranges of complaints were checked. With it a check can be resumed."""

import json
import logging
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import complaints
from complaints.use_cases.upkeep.checks import CheckedRange, Proof
from complaints.use_cases.upkeep.violation import Violation

log = logging.getLogger(__name__)


@dataclass(slots=True)
class CheckRecord:
    """The ranges that were checked, in order. The file has a line for the check, and then a line for each range.

    `began_at` is the instant at which the check began (RFC 3339). `is_kept` is true if the file has all ranges. A new
    record has no file before its first range, and none if the file cannot be written.
    """

    path: Path
    began_at: str
    ranges: list[CheckedRange] = field(default_factory=list)
    is_kept: bool = False

    @property
    def last_id(self) -> UUID | None:
        """The id up to which complaints were checked; None if none was."""
        return self.ranges[-1].up_to if self.ranges else None

    @property
    def proof(self) -> Proof:
        """How many rows were checked."""
        return sum((one.proof for one in self.ranges), Proof())

    def add(self, checked: CheckedRange) -> None:
        """Add a range, and write it. An open range is left out: new complaints may still come into it."""
        if checked.up_to is None:
            return
        self.ranges.append(checked)
        try:
            if self.is_kept:
                self._write("a", [_spell(checked)])
            else:
                self._begin()
        except OSError as error:
            log.warning("the check cannot be resumed: its record cannot be written", exc_info=error)
            self.is_kept = False
        else:
            self.is_kept = True

    def _begin(self) -> None:
        """Write a new file. Another check may still write to the file of before, so that file is not changed."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        head = {"program": complaints.__version__, "began_at": self.began_at}
        self._write("x", [head, *map(_spell, self.ranges)])

    def remove(self) -> None:
        """Remove the file, because the check is complete."""
        self.path.unlink(missing_ok=True)

    def _write(self, mode: str, lines: list[dict[str, Any]]) -> None:
        with self.path.open(mode, encoding="utf-8") as file:
            file.write("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines))


def record_path(directory: Path, database: str) -> Path:
    """The path of the record for the database with this name."""
    return directory / f"check-{sha256(database.encode()).hexdigest()[:12]}.jsonl"


def read_record(path: Path) -> CheckRecord | None:
    """The record of a check that was interrupted. None if there is no file, or if another program wrote it."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.is_file() else []
    if not lines:
        return None
    head, *ranges = map(json.loads, lines)  # the text after the last line end is a line that was cut off
    if head["program"] != complaints.__version__:
        return None
    return CheckRecord(path, head["began_at"], [*map(_read, ranges)])


def _spell(checked: CheckedRange) -> dict[str, Any]:
    violations = [(one.invariant, one.number, one.message) for one in checked.violations]
    return {"up_to": str(checked.up_to), "proof": asdict(checked.proof), "violations": violations}


def _read(line: dict[str, Any]) -> CheckedRange:
    violations = [Violation(*texts) for texts in line["violations"]]
    return CheckedRange(UUID(line["up_to"]), violations, Proof(**line["proof"]))
