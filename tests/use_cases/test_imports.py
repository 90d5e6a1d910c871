"""Imports that run to their end: which rows they keep, and which they only count."""

from sqlalchemy import Table, func, select

from complaints.storage.queries.audit import count_complaints
from complaints.storage.rows import all_tables, import_job
from complaints.use_cases.access import SYSTEM
from complaints.use_cases.imports import ImportRequest, start_import, work_on
from complaints.use_cases.upkeep.checks import check_all
from tests.support import Scenario

FILE = b"channel,subject,external_id\nphone,one,E1\nphone,two,E2\nphone,one again,E1\npigeon,three,E3\n"


def _run(scenario: Scenario, *, dry_run: bool) -> import_job.ImportJob:
    """The import after its end."""
    request = ImportRequest(FILE, "text/csv", None, (("repeated_ids", "accept"),), dry_run)
    service = scenario.service
    job = service.write(lambda tx: start_import(service, tx, SYSTEM, request))
    assert work_on(service, job.id)
    found = service.read(lambda tx: import_job.find_job(tx, job.id))
    assert found is not None
    return found


def _count_rows(scenario: Scenario) -> dict[str, int]:
    """The number of rows in every table, apart from the tables about imports."""

    def count(table: Table) -> int:
        statement = select(func.count()).select_from(table)
        return scenario.service.read(lambda tx: tx.connection.execute(statement).scalar_one())

    tables = all_tables.metadata.sorted_tables
    return {table.name: count(table) for table in tables if not table.name.startswith("import_")}


def test_a_dry_run_keeps_no_event_and_no_row(scenario: Scenario) -> None:
    scenario.post(external_id="E2", source="system")
    before = _count_rows(scenario)

    tried = _run(scenario, dry_run=True)

    assert (tried.status, tried.done) == ("completed", 4)
    assert _count_rows(scenario) == before
    assert list(check_all(scenario.service)) == []

    taken = _run(scenario, dry_run=False)
    assert (taken.accepted, taken.duplicates, taken.failed) == (
        tried.accepted,
        tried.duplicates,
        tried.failed,
    )
    assert scenario.service.read(count_complaints) == 1 + taken.accepted
