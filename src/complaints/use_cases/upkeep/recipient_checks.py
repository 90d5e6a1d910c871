"""`complaints check` for the named recipients of ladders: each is still there (rule 3.13)."""

from collections.abc import Iterator

from complaints.domain.policy.policy import Policy
from complaints.domain.rules.recipients import is_gone
from complaints.domain.staff import Directory
from complaints.storage.database.transactions import Transaction
from complaints.storage.queries.usage import find_policies_of_open_complaints
from complaints.use_cases.service import Service
from complaints.use_cases.upkeep.violation import Violation


def check_recipients(service: Service) -> Iterator[Violation]:
    """Named recipients who left, of the policies in force now or later, and of those of open complaints."""
    yield from service.read(lambda tx: list(_check(service, tx)))


def _check(service: Service, tx: Transaction) -> Iterator[Violation]:
    configuration = service.cache.current(tx, certain=True)
    in_force = configuration.side_by_side.list_now_or_later(tx.now)
    used = {*((policy.code, policy.version) for policy in in_force), *find_policies_of_open_complaints(tx)}
    for code, version in sorted(used & configuration.policies.keys()):
        for recipient in _find_gone(configuration.policies[code, version], configuration.directory):
            message = f"policy {code} version {version} notifies {recipient}, who is not there any more"
            yield Violation("recipients present", "", message)


def _find_gone(policy: Policy, directory: Directory) -> list[str]:
    steps = (step for rule in policy.rules.values() for step in rule.ladder)
    return sorted({r for step in steps for r in step.notify if is_gone(r, directory)})
