"""Trying a policy: which version would hold for a start, and the deadline that it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.domain.complaint.facts import Hold
from complaints.domain.errors import Fault, InvalidContent, ask_if_meant
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import ChoosingMembers, find_fit
from complaints.domain.rules.trial import MOST_PAUSES, Trial, TriedDeadline, plan_deadlines, plan_trial
from complaints.domain.time.working_time import Pause
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.policy_document.document import read_policy
from complaints.use_cases.service import Service


@dataclass(frozen=True, slots=True)
class PolicyTrial:
    """A trial, and the rule by which the members of the complaint chose its policy. None if the caller named one."""

    trial: Trial
    chosen_by: Mapping[str, str] | None


def try_policy(
    service: Service,
    tx: Transaction,
    code: str | None,
    kind: str,
    *,
    told: Circumstances,
    sequence: int,
    start: datetime,
    pauses: Sequence[Pause],
) -> PolicyTrial:
    """The deadline of `kind` by the version of policy `code` in force at `start`, or by its first version.

    Without a code, the policy is that of a complaint received at `start` with these members (rule 4.14). Raises
    InvalidContent for an unknown policy or category, and as `plan_trial` does.
    """
    policy, chosen_by = _choose(service.configuration(tx), code, start, told)
    trial = plan_trial(policy, kind, told=told, sequence=sequence, start=start, pauses=pauses)
    return PolicyTrial(trial, chosen_by)


@dataclass(frozen=True, slots=True)
class LifeTrial:
    """All deadlines of a complaint by one policy. `chosen_by` is as in `PolicyTrial`."""

    policy: Policy
    chosen_by: Mapping[str, str] | None
    deadlines: Sequence[TriedDeadline]


def try_life(
    service: Service,
    tx: Transaction,
    code: str | None,
    received_at: datetime,
    *,
    told: Circumstances,
    holds: Sequence[Hold] = (),
    version: int | None = None,
) -> LifeTrial:
    """The deadlines of a complaint that is received at `received_at`, up to its closure (rule 4.18).

    Without a code the members choose the policy; `version` names one version of a code. Raises InvalidContent as
    `try_policy` does, for too many holds, and for a hold that does not end after its start. Raises NotFound for an
    unknown version.
    """
    if len(holds) > MOST_PAUSES:
        raise InvalidContent.at("/holds", f"At most {MOST_PAUSES} holds can be given.")
    for number, hold in enumerate(holds):
        if hold.until_at <= hold.started_at:
            raise InvalidContent.at(f"/holds/{number}", "A hold ends after it starts.")
    configuration = service.configuration(tx)
    if code is not None and version is not None:
        policy, chosen_by = configuration.policy(code, version), None
    else:
        policy, chosen_by = _choose(configuration, code, received_at, told)
    return LifeTrial(policy, chosen_by, plan_deadlines(policy, received_at, told=told, holds=holds))


def _choose(
    configuration: Configuration, code: str | None, start: datetime, told: Circumstances
) -> tuple[Policy, Mapping[str, str] | None]:
    """The policy `code`, or the one that the members of a complaint choose, with the rule that chose it."""
    configuration.classify(told.category)
    if code is None:
        return configuration.side_by_side.choose(start, _choosing_members(told))
    return _choose_policy(configuration, code, start), None


@dataclass(frozen=True, slots=True)
class DocumentTrial:
    """The deadlines that a document would give a complaint. `fits` is False if its `applies_to` does not fit it."""

    policy: Policy
    warnings: Sequence[Fault]
    fits: bool
    deadlines: Sequence[TriedDeadline]


def try_document(text: str, received_at: datetime, *, told: Circumstances) -> DocumentTrial:
    """Try a policy document that is not applied, on a complaint received at `received_at` (rule 4.18).

    Raises InvalidContent with all faults of the document.
    """
    reading = read_policy(text, now=received_at)
    policy = reading.policy
    planned = plan_deadlines(policy, received_at, told=told)
    fits = find_fit(policy.applies_to, _choosing_members(told)) is not None
    return DocumentTrial(policy, reading.warnings, fits, planned)


def _choosing_members(told: Circumstances) -> ChoosingMembers:
    return ChoosingMembers(told.region, told.source, told.channel, told.category)


def _choose_policy(configuration: Configuration, code: str, start: datetime) -> Policy:
    versions = [policy for policy in configuration.policies_in_order if policy.code == code]
    if not versions:
        meant = ask_if_meant(code, {policy.code for policy in configuration.policies_in_order})
        raise InvalidContent.at(
            "/policy", f"There is no policy {code[:100]!r}" + (f"; {meant}" if meant else ".")
        )
    in_force = [policy for policy in versions if policy.effective_at <= start]
    return in_force[-1] if in_force else versions[0]
