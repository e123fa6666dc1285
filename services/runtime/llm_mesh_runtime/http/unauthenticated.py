"""Bounds what strangers hold: connections without a request whose credential is known to be valid, and the bytes that they sent.

Both are bounded per address and in all. Beyond a bound the oldest stranger goes, of the address that is over it: who has a credential
shows it within milliseconds, so whoever has been a stranger for longest is the least loss. Connections of known callers are not here.
"""

from __future__ import annotations

import ipaddress
from typing import NamedTuple, Protocol


class StrangerLimits(NamedTuple):
    """How much strangers may hold."""

    connections: int = 4096
    connections_per_address: int = 1024
    size: int = 32 * 1024 * 1024
    size_per_address: int = 8 * 1024 * 1024


class Stranger(Protocol):
    """A connection of somebody unknown."""

    def crowd_out(self) -> None:
        """Give up what it holds, and close."""


class _Held:
    """What one address holds, or all of them. The oldest connection comes first, and so does the oldest that holds bytes."""

    __slots__ = ("connections", "holding", "size")

    def __init__(self) -> None:
        self.connections: dict[Stranger, None] = {}
        self.holding: dict[Stranger, int] = {}
        self.size = 0

    def hold(self, stranger: Stranger, size: int) -> None:
        self.size += size - self.holding.get(stranger, 0)
        if size:
            self.holding[stranger] = size
        else:
            self.holding.pop(stranger, None)


class Strangers:
    """All of a process. A connection is entered, and leaves once its caller is known or it is lost."""

    def __init__(self, limits: StrangerLimits | None = None) -> None:
        self._limits = limits or StrangerLimits()
        self._all = _Held()
        self._addresses: dict[str, _Held] = {}
        self._address_of: dict[Stranger, str] = {}
        self.crowded_out = 0

    @property
    def connections(self) -> int:
        """How many connections are here."""
        return len(self._all.connections)

    @property
    def size(self) -> int:
        """How many bytes they hold."""
        return self._all.size

    def enter(self, stranger: Stranger, address: str) -> None:
        """A connection has been made. Somebody older may have to go for it."""
        network = network_of(address)
        held = self._addresses.setdefault(network, _Held())
        self._address_of[stranger] = network
        held.connections[stranger] = self._all.connections[stranger] = None
        if len(held.connections) > self._limits.connections_per_address:
            self._crowd_out(next(iter(held.connections)))
        if len(self._all.connections) > self._limits.connections:
            self._crowd_out(next(iter(self._all.connections)))

    def hold(self, stranger: Stranger, size: int) -> None:
        """A connection holds so many bytes now. Those that have held some for longest may have to go, this one last."""
        network = self._address_of.get(stranger)
        if network is None:
            return
        held = self._addresses[network]
        held.hold(stranger, size)
        self._all.hold(stranger, size)
        while held.size > self._limits.size_per_address:
            self._crowd_out(next(iter(held.holding)))
        while self._all.size > self._limits.size:
            self._crowd_out(next(iter(self._all.holding)))

    def leave(self, stranger: Stranger) -> None:
        """The caller is known, or the connection is lost."""
        network = self._address_of.pop(stranger, None)
        if network is None:
            return
        held = self._addresses[network]
        for each in (held, self._all):
            each.hold(stranger, 0)
            del each.connections[stranger]
        if not held.connections:
            del self._addresses[network]

    def _crowd_out(self, stranger: Stranger) -> None:
        self.leave(stranger)
        self.crowded_out += 1
        stranger.crowd_out()


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the network of a host, which has 2^64 addresses of its own."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((parsed, 64), strict=False))
