"""Validate, apply and list policies. An applied version never changes, and complaints keep their version."""

from dataclasses import dataclass, replace
from datetime import datetime

from complaints.domain.errors import Fault, NotFound
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import PoliciesSideBySide
from complaints.domain.vocabulary import AuditSubject
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.storage.rows import policy as policy_rows
from complaints.use_cases.access import Caller
from complaints.use_cases.configuration.changing import claim_to_change, finish_change
from complaints.use_cases.policy_document.document import PolicyReading, read_policy, to_document
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class ApplyPolicyResult:
    """The result of applying a document. `created` is false if the latest version says the same.

    `overruled`: the version has come into force, but complaints that are received now cannot get it.
    """

    policy: Policy
    warnings: tuple[Fault, ...]
    created: bool
    overruled: bool


@dataclass(frozen=True, slots=True)
class ListedPolicy:
    """A version of a policy. `in_force` is true if complaints that are received now can get it."""

    policy: Policy
    applied_at: datetime
    applied_by: str
    in_force: bool


def validate_policy(
    text: str, configuration: Configuration | None = None, *, now: datetime | None = None
) -> PolicyReading:
    """Read a policy document in YAML or JSON, for complaints received at its `effective_at` and at `now`.

    With `configuration`, its teams, categories, users and stored calendars must exist, and its policies must allow the
    document beside them (rule 4.15). Raises InvalidContent with all faults, each with its pointer and its line.
    """
    if configuration is None:
        return read_policy(text, now=now)
    teams = [team.code for team in configuration.directory.teams.values() if team.active]
    return read_policy(
        text,
        calendars=configuration.calendars,
        teams=teams,
        categories=configuration.categories,
        users=[user.login for user in configuration.directory.users.values() if user.active],
        beside=configuration.side_by_side,
        now=now,
    )


def apply_policy(service: Service, tx: Transaction, caller: Caller, text: str) -> ApplyPolicyResult:
    """Apply a policy document as the next version of its policy.

    A document that says the same as the latest version adds no version. Stored calendars in it are copied as
    they are now. Raises InvalidContent as `validate_policy` does.
    """
    configuration = claim_to_change(service, tx, caller)
    reading = validate_policy(text, configuration, now=tx.now)
    latest = _latest(configuration, reading.policy.code)
    document = to_document(reading.policy)
    if latest is not None and to_document(latest) == document:
        warnings = (*reading.warnings, *_overruled(tx, configuration, latest))
        overruled = _is_overruled(latest, configuration.side_by_side, tx.now)
        return ApplyPolicyResult(latest, warnings, created=False, overruled=overruled)
    policy = replace(reading.policy, version=latest.version + 1 if latest else 1)
    policy_rows.insert_policy(tx, policy, text=text, document=document, by=caller.actor)
    finish_change(tx, caller, AuditSubject.POLICY, policy.code, policy.version)
    warnings = (*reading.warnings, *_overruled(tx, configuration, policy))
    overruled = _is_overruled(policy, configuration.side_by_side.with_next(policy), tx.now)
    return ApplyPolicyResult(policy, warnings, created=True, overruled=overruled)


def _is_overruled(policy: Policy, beside: PoliciesSideBySide, now: datetime) -> bool:
    return policy.effective_at <= now and not beside.is_in_force(policy, now)


def _latest(configuration: Configuration, code: str) -> Policy | None:
    versions = [policy for policy in configuration.policies.values() if policy.code == code]
    return max(versions, key=lambda policy: policy.version, default=None)


def _overruled(tx: Transaction, configuration: Configuration, policy: Policy) -> tuple[Fault, ...]:
    """A warning if `policy` is in force by its date, but complaints that are received now get another policy."""
    current: Policy | None = configuration.policy_at(tx.now)
    if policy.applies_to:
        current = configuration.side_by_side.version_at(policy.code, tx.now)
    if current is None or policy.effective_at > tx.now:
        return ()
    already = (policy.code, policy.version) in configuration.policies
    if current.effective_at <= policy.effective_at and (current is policy or not already):
        return ()
    return (
        Fault(
            "/effective_at",
            f"complaints received now follow '{current.code}' version {current.version}, which took force or "
            "was applied later; give a later effective_at to take over from it",
        ),
    )


def list_policies(
    tx: Transaction, configuration: Configuration, code: str | None = None
) -> list[ListedPolicy]:
    """All versions of all policies, or of the policy `code`. Raises NotFound for an unknown code."""
    listed = []
    for record in policy_rows.find_policies(tx, code):
        policy = configuration.policy(record.code, record.version)
        in_force = configuration.side_by_side.is_in_force(policy, tx.now)
        listed.append(ListedPolicy(policy, record.applied_at, record.applied_by, in_force=in_force))
    if not listed:
        raise NotFound(f"There is no policy {code!r}.")
    return listed


def load_policy(
    tx: Transaction, configuration: Configuration, code: str, version: int
) -> tuple[ListedPolicy, str]:
    """One version, and the text of its document as it was sent. Raises NotFound."""
    versions = list_policies(tx, configuration, code)
    found = next((one for one in versions if one.policy.version == version), None)
    if found is None:
        raise NotFound(f"There is no version {version} of policy {code!r}.")
    return found, policy_rows.load_text(tx, code, version)
