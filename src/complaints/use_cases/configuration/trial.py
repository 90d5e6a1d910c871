"""Trying a policy: which version would hold for a start, and the deadline that it gives."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from complaints.domain.errors import Fault, InvalidContent, ask_if_meant
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.policy.policy import Policy
from complaints.domain.policy.side_by_side import ChoosingMembers, find_fit
from complaints.domain.rules.trial import Trial, TriedDeadline, plan_deadlines, plan_trial
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
    configuration, chosen_by = service.configuration(tx), None
    configuration.classify(told.category)
    if code is None:
        policy, chosen_by = configuration.side_by_side.choose(start, _choosing_members(told))
    else:
        policy = _choose_policy(configuration, code, start)
    trial = plan_trial(policy, kind, told=told, sequence=sequence, start=start, pauses=pauses)
    return PolicyTrial(trial, chosen_by)


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
