"""Trying a policy: which version would hold for a start, and the deadline that it gives."""

from collections.abc import Sequence
from datetime import datetime

from complaints.domain.errors import InvalidContent, ask_if_meant
from complaints.domain.policy.circumstances import Circumstances
from complaints.domain.policy.policy import Policy
from complaints.domain.rules.trial import Trial, plan_trial
from complaints.domain.time.working_time import Pause
from complaints.storage.configuration import Configuration
from complaints.storage.database.transactions import Transaction
from complaints.use_cases.service import Service


def try_policy(
    service: Service,
    tx: Transaction,
    code: str,
    kind: str,
    *,
    told: Circumstances,
    sequence: int,
    start: datetime,
    pauses: Sequence[Pause],
) -> Trial:
    """The deadline of `kind` by the version of policy `code` in force at `start`, or by its first version.

    Raises InvalidContent for an unknown policy or category, and as `plan_trial` does.
    """
    configuration = service.configuration(tx)
    configuration.classify(told.category)
    policy = _choose_policy(configuration, code, start)
    return plan_trial(policy, kind, told=told, sequence=sequence, start=start, pauses=pauses)


def _choose_policy(configuration: Configuration, code: str, start: datetime) -> Policy:
    versions = [policy for policy in configuration.policies_in_order if policy.code == code]
    if not versions:
        meant = ask_if_meant(code, {policy.code for policy in configuration.policies_in_order})
        raise InvalidContent.at(
            "/policy", f"There is no policy {code[:100]!r}" + (f"; {meant}" if meant else ".")
        )
    in_force = [policy for policy in versions if policy.effective_at <= start]
    return in_force[-1] if in_force else versions[0]
