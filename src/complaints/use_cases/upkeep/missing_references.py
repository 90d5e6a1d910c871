"""References of complaints to reference data: without foreign keys, `complaints check` finds those to nothing."""

from collections.abc import Iterator

from complaints.domain.complaint.facts import Complaint
from complaints.storage.configuration import Configuration


def find_missing(complaint: Complaint, configuration: Configuration) -> Iterator[str]:
    """The policies, the team, the category and the users that a complaint names and that do not exist, in words."""
    policies = {(complaint.policy_code, complaint.policy_version)}
    policies |= {(deadline.policy_code, deadline.policy_version) for deadline in complaint.deadlines}
    for code, version in sorted(policies - configuration.policies.keys()):
        yield f"policy {code!r} version {version}"
    if complaint.team not in configuration.directory.teams:
        yield f"team {complaint.team!r}"
    if complaint.category is not None and complaint.category not in configuration.categories:
        yield f"category {complaint.category!r}"
    named = {login for login in (complaint.first_owner, complaint.assignee) if login is not None}
    for login in sorted(named - configuration.directory.users.keys()):
        yield f"user {login!r}"


def find_unknown_kinds(complaint: Complaint, configuration: Configuration) -> Iterator[str]:
    """The kinds of its deadlines that their policies do not have, in words (rule 4.7)."""
    for deadline in complaint.deadlines:
        policy = configuration.policies.get((deadline.policy_code, deadline.policy_version))
        if policy is not None and deadline.kind not in policy.rules:
            yield f"its policy has no deadlines of the kind {deadline.kind!r}"
