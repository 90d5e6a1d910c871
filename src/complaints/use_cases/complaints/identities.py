"""The identity of a person, by which complaints of one complainant are found."""

from complaints.domain.complaint.facts import Person
from complaints.domain.complaint.identity import Identity, identify
from complaints.domain.policy.policy import Policy
from complaints.use_cases.commands.complaints import PersonIn


def identity_of(person: PersonIn | Person | None, policy: Policy) -> Identity:
    """The identity of a person, in comparable form; empty for None."""
    if person is None:
        return Identity()
    return identify(
        account_no=person.account_no, phone=person.phone, email=person.email, region=policy.phone_region
    )
