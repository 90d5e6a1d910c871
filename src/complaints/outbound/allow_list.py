"""The hosts and networks that the operator trusts, and the addresses that nobody may reach without that trust."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_GLOBAL_V6 = IPv6Network("2000::/3")
_REFUSED: tuple[Network, ...] = tuple(
    ip_network(text)
    for text in (
        # The special-purpose registries of IANA: private, loopback, link-local, shared, reserved, multicast.
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12",
        "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24",
        "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # the metadata service of Azure has a public address
        "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",  # Teredo, documentation, 6to4
    )
)  # fmt: skip


def is_public(address: Address) -> bool:
    """True for an address of the public internet.

    Every address of version 6 outside 2000::/3 is refused: also those that carry an address of version 4, such as
    ::ffff:0:0/96 and 64:ff9b::/96.
    """
    if isinstance(address, IPv6Address) and address not in _GLOBAL_V6:
        return False
    return not _is_in(address, _REFUSED)


def _is_in(address: Address, networks: Iterable[Network]) -> bool:
    return any(address in network for network in networks if network.version == address.version)


@dataclass(frozen=True, slots=True)
class AllowList:
    """The hosts (names in small letters) and networks that may be reached although they are not public."""

    hosts: frozenset[str] = frozenset()
    networks: tuple[Network, ...] = ()

    def has_host(self, host: str) -> bool:
        """True if the host is listed: by its name, or by its address if it is written as an address."""
        if host in self.hosts:
            return True
        try:
            return _is_in(ip_address(host), self.networks)
        except ValueError:
            return False

    def permits(self, host: str, address: Address) -> bool:
        """True if `address` may be dialled for `host`: it is public, or the host or the address is listed."""
        return is_public(address) or host in self.hosts or _is_in(address, self.networks)


@lru_cache(maxsize=16)
def parse_allow_list(text: str) -> AllowList:
    """The allow-list in `text`: hosts, addresses and networks with commas between them. Raises ValueError."""
    hosts, networks = set(), []
    for item in filter(None, (part.strip().lower() for part in text.split(","))):
        try:
            networks.append(ip_network(item))
        except ValueError as error:
            if "/" in item or not _HOST.fullmatch(item) or item.rpartition(".")[2].isdigit():
                raise ValueError(f"'{item}' is neither a host nor an address nor a network") from error
            hosts.add(item)
    return AllowList(frozenset(hosts), tuple(networks))
