"""Which addresses an endpoint may lead to. Checked for every address of a name, before any of them is connected to."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
# Addresses that carry another one inside, which routers would unpack.
_TUNNELS: Sequence[IPv6Network] = (
    IPv6Network("64:ff9b::/96"),
    IPv6Network("64:ff9b:1::/48"),
    IPv6Network("2002::/16"),
    IPv6Network("2001::/32"),
    IPv6Network("fec0::/10"),  # the former private range, which Python takes for public
)


class AddressRule:
    """Loopback for local endpoints, public addresses for others, and what the operator adds."""

    def __init__(self, *, local: bool, extra: Iterable[str] = ()) -> None:
        self._local = local
        self._extra: tuple[Network, ...] = tuple(ip_network(each, strict=False) for each in extra)

    def allows(self, address: str) -> bool:
        """Whether it may be connected to."""
        try:
            parsed = _plain(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        if any(parsed.version == network.version and parsed in network for network in self._extra):
            return True
        if self._local:
            return parsed.is_loopback
        tunnel = isinstance(parsed, IPv6Address) and any(parsed in network for network in _TUNNELS)
        return parsed.is_global and not parsed.is_multicast and not tunnel


def _plain(address: Address) -> Address:
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address
