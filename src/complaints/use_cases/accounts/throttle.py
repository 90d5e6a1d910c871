"""Throttles guesses of passwords, in all processes together, and locks nobody out (rule 8.2). Contacts on pages too.

Failures count for the login at its address, for the login, and for the address. Each count makes the next try wait, a
minute at most. A browser or an address that has signed in as this login before waits for its own failures only: guesses
from elsewhere do not hold it up. A contact that was added on the page of a complainant counts in the same way, for the
complaint and for the address.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from ipaddress import IPv6Address, ip_address, ip_network
from typing import ClassVar
from uuid import UUID

from complaints.domain.errors import ComplaintError
from complaints.domain.rules.passwords import add_failure
from complaints.storage.rows import failed_sign_in
from complaints.storage.rows.session import find_session, is_known_address
from complaints.use_cases.configuration.keys import digest_of
from complaints.use_cases.service import Transaction

_FREE_OF_ONE, _FREE_OF_MANY = 5, 50
_CONTACTS_OF_ONE, _CONTACTS_OF_MANY = 5, 1000  # all customers of a carrier may share one address


class TooManyFailures(ComplaintError):
    """Nothing was tried: the caller has to wait for `seconds`."""

    kind = "unavailable"
    code: ClassVar[str] = "too-many-requests"

    def __init__(self, seconds: int) -> None:
        super().__init__(f"Too many wrong passwords: wait {seconds} seconds and try again.")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Counter:
    """The key of a count, and the number of failures that have no consequence."""

    key: str
    free: int


def counters_of_visitor(tx: Transaction, login: str, *, address: str, token: str) -> Sequence[Counter]:
    """The counts for a sign-in. `token` is the token of the session that the browser has or had; "": none."""
    session = find_session(tx, digest_of(token)) if token else None
    if session is not None and session.login == login:
        return [counter_of_caller(login, str(session.id))]
    own = _counter("login and address", login, address, free=_FREE_OF_ONE)
    if is_known_address(tx, login, address):
        return [own]
    others = ("login", login), ("address", _network_of(address))
    return [own, *(_counter(*names, free=_FREE_OF_MANY) for names in others)]


def counter_of_caller(login: str, name: str) -> Counter:
    """The count for a session or a key of a user who changes the password, by its id or name."""
    return _counter("caller", login, name, free=_FREE_OF_ONE)


def counters_of_contact(complaint_id: UUID, *, address: str) -> Sequence[Counter]:
    """The counts for a contact on the page of a complainant: of the complaint, and of the address."""
    return [
        _counter("contact", str(complaint_id), free=_CONTACTS_OF_ONE),
        _counter("contact from", _network_of(address), free=_CONTACTS_OF_MANY),
    ]


def admit(tx: Transaction, counters: Sequence[Counter], now: datetime) -> None:
    """Raises TooManyFailures if one of the counts makes this try wait. `now` is the wall clock."""
    known = failed_sign_in.find_failures(tx, [one.key for one in counters])
    waits = [known[one.key].wait_until(free=one.free) - now for one in counters if one.key in known]
    longest = max((wait.total_seconds() for wait in waits), default=0.0)
    if longest > 0:
        raise TooManyFailures(math.ceil(longest))


def count_try(tx: Transaction, counters: Sequence[Counter], now: datetime) -> None:
    """Count a failure, or a contact on a page."""
    known = failed_sign_in.find_failures(tx, [one.key for one in counters], lock=True)
    for one in sorted(counters, key=lambda counter: counter.key):
        failed_sign_in.write_failures(tx, one.key, add_failure(known.get(one.key), now))


def record_success(tx: Transaction, counters: Sequence[Counter]) -> None:
    """Forget the failures of this visitor. Those of the login and of the address from elsewhere stay."""
    failed_sign_in.forget_failures(tx, [counters[0].key])


def _counter(kind: str, *names: str, free: int) -> Counter:
    return Counter(digest_of("\n".join((kind, *names))), free)


def _network_of(address: str) -> str:
    """The address; of IPv6 the network of 64 bits, because one customer has all of it."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((parsed, 64), strict=False)) if isinstance(parsed, IPv6Address) else address
