"""The tables of published reports: reports, schedules with their runs, and the users who shall hear of a report."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    JSON,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    Select,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    and_,
    delete,
    func,
    or_,
    select,
)

from complaints.features.reports.publishing.periods import PeriodKind
from complaints.storage.database.transactions import Transaction
from complaints.storage.database.types import UtcDateTime, new_metadata, one_of
from complaints.storage.database.upsert import insert_if_absent, insert_or_update

metadata = new_metadata()
published_report = Table(
    "published_report",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("period", String(7), nullable=False),
    Column("coverage", String(220), nullable=False),
    Column("version", Integer, nullable=False),
    Column("teams", JSON),  # none: all teams
    Column("published_at", UtcDateTime, nullable=False),
    Column("published_by", String(210), nullable=False),
    Column("reason", Text),
    Column("snapshot", JSON, nullable=False),
    Column("changes", JSON, nullable=False),
    CheckConstraint("version >= 1", name="version"),
    CheckConstraint("(version = 1) = (reason IS NULL)", name="reason"),
    UniqueConstraint("period", "coverage", "version", name="uq_published_report__period"),
    Index("ix_published_report__published_at", "published_at", "id"),
)
report_schedule = Table(
    "report_schedule",
    metadata,
    Column("code", String(100), primary_key=True),
    Column("kind", one_of(PeriodKind), nullable=False),
    Column("coverage", String(220), nullable=False),
    Column("language", String(8), nullable=False),
    Column("recipients", JSON, nullable=False),
    Column("hours_after", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("begins_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    CheckConstraint("hours_after >= 0", name="hours_after"),
)
report_run = Table(
    "report_run",
    metadata,
    Column("schedule", String(100), ForeignKey("report_schedule.code"), primary_key=True),
    Column("period", String(7), primary_key=True),
    Column("report_id", Uuid, ForeignKey("published_report.id"), nullable=False),
    Column("ran_at", UtcDateTime, nullable=False),
)
report_recipient = Table(
    "report_recipient",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("report_id", Uuid, ForeignKey("published_report.id"), nullable=False),
    Column("login", String(200), nullable=False),
    Column("language", String(8), nullable=False),
    Column("added_at", UtcDateTime, nullable=False),
    UniqueConstraint("report_id", "login", name="uq_report_recipient__report_id"),
    Index("ix_report_recipient__added_at", "added_at", "id"),
)
p, s, r, t = published_report.c, report_schedule.c, report_run.c, report_recipient.c


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSummary:
    """A published report without its numbers. `changes` is JSON. `newest` is the newest version of the report."""

    id: UUID
    period: str
    coverage: str
    version: int
    teams: Sequence[str] | None
    published_at: datetime
    published_by: str
    reason: str | None
    changes: Sequence[Any]
    newest: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedReport(ReportSummary):
    """A report as it was published. `snapshot` is JSON."""

    snapshot: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSchedule:
    """When a report is published, and who hears of it: each period that falls due from `begins_at` on."""

    code: str
    kind: PeriodKind
    coverage: str
    language: str
    recipients: tuple[str, ...]
    hours_after: int
    active: bool
    begins_at: datetime


@dataclass(frozen=True, slots=True)
class RecipientNews:
    """A user who shall hear that a report was published."""

    id: UUID
    login: str
    language: str
    report_id: UUID
    period: str
    coverage: str
    version: int


_SUMMARY = [column for column in published_report.columns if column.name != "snapshot"]


def _versions(*columns: Any) -> Select[Any]:
    other = published_report.alias()
    newest = (
        select(func.max(other.c.version))
        .where(other.c.period == p.period, other.c.coverage == p.coverage)
        .correlate(published_report)
        .scalar_subquery()
    )
    return select(*_SUMMARY, *columns, newest.label("newest"))


def _report_of(row: Row[Any]) -> PublishedReport:
    return PublishedReport(**row._mapping)


def insert_report(tx: Transaction, new: PublishedReport) -> bool:
    """Write a report. False: there is such a version already."""
    values = {column.name: getattr(new, column.name) for column in published_report.columns}
    return insert_if_absent(tx, published_report, values)


def find_report(tx: Transaction, report_id: UUID) -> PublishedReport | None:
    """One report, or None."""
    row = tx.connection.execute(_versions(p.snapshot).where(p.id == report_id)).first()
    return _report_of(row) if row else None


def find_newest(tx: Transaction, period: str, coverage: str) -> PublishedReport | None:
    """The newest version of a report, or None."""
    statement = _versions(p.snapshot).where(p.period == period, p.coverage == coverage)
    row = tx.connection.execute(statement.order_by(p.version.desc()).limit(1)).first()
    return _report_of(row) if row else None


def list_reports(
    tx: Transaction,
    *,
    period: str | None,
    before: tuple[datetime, UUID] | None,
    limit: int,
) -> list[ReportSummary]:
    """Reports, newest first."""
    statement = _versions().order_by(p.published_at.desc(), p.id.desc()).limit(limit)
    if period is not None:
        statement = statement.where(p.period == period)
    if before is not None:
        at, last = before
        statement = statement.where(or_(p.published_at < at, and_(p.published_at == at, p.id < last)))
    return [ReportSummary(**row._mapping) for row in tx.connection.execute(statement)]


# Schedules ------------------------------------------------------------------------------------------------------------


def list_schedules(tx: Transaction) -> list[ReportSchedule]:
    """All schedules, by code."""
    return [_schedule_of(row) for row in tx.connection.execute(select(report_schedule).order_by(s.code))]


def find_schedule(tx: Transaction, code: str) -> ReportSchedule | None:
    """One schedule, or None."""
    row = tx.connection.execute(select(report_schedule).where(s.code == code)).first()
    return _schedule_of(row) if row else None


def _schedule_of(row: Row[Any]) -> ReportSchedule:
    values = {name: row._mapping[name] for name in ReportSchedule.__dataclass_fields__}
    return ReportSchedule(**values | {"recipients": tuple(row.recipients)})


def write_schedule(tx: Transaction, new: ReportSchedule) -> None:
    """Write a schedule, in place of the one with the same code."""
    values = {name: getattr(new, name) for name in ReportSchedule.__dataclass_fields__}
    insert_or_update(tx, report_schedule, values | {"recipients": list(new.recipients), "updated_at": tx.now})


def delete_schedule(tx: Transaction, code: str) -> bool:
    """Delete a schedule with the record of its runs; False if there is none. The reports stay."""
    tx.connection.execute(delete(report_run).where(r.schedule == code))
    return tx.connection.execute(delete(report_schedule).where(s.code == code)).rowcount == 1


def find_runs(tx: Transaction, code: str) -> dict[str, UUID]:
    """The reports that a schedule has published, by period."""
    statement = select(r.period, r.report_id).where(r.schedule == code)
    return {row.period: row.report_id for row in tx.connection.execute(statement)}


def insert_run(tx: Transaction, code: str, period: str, report_id: UUID) -> bool:
    """Note that a schedule has published the report of a period. False: that is noted already."""
    values = {"schedule": code, "period": period, "report_id": report_id, "ran_at": tx.now}
    return insert_if_absent(tx, report_run, values)


# Recipients -----------------------------------------------------------------------------------------------------------


def add_recipient(tx: Transaction, new_id: UUID, report_id: UUID, login: str, language: str) -> None:
    """Note that a user shall hear of a report, once."""
    values = {"id": new_id, "report_id": report_id, "login": login, "language": language, "added_at": tx.now}
    insert_if_absent(tx, report_recipient, values)


def find_recipients(tx: Transaction, period: str, coverage: str) -> dict[str, str]:
    """The users who shall hear of any version of a report, each with the language of the last one."""
    statement = (
        select(t.login, t.language)
        .join(published_report, p.id == t.report_id)
        .where(p.period == period, p.coverage == coverage)
        .order_by(p.version)
    )
    return {row.login: row.language for row in tx.connection.execute(statement)}


def find_news(tx: Transaction, since: datetime) -> list[RecipientNews]:
    """The users who were added since then, oldest first."""
    statement = (
        select(t.id, t.login, t.language, p.id.label("report_id"), p.period, p.coverage, p.version)
        .join(published_report, p.id == t.report_id)
        .where(t.added_at >= since)
        .order_by(t.added_at, t.id)
    )
    return [RecipientNews(*row) for row in tx.connection.execute(statement)]
