"""Fair shares of a bound, such as the places of a bulkhead: nobody fills it alone, and what nobody else needs may be borrowed.

A party is a principal of a domain. Of what the others leave free a domain may hold all but a reserve, and of what a domain may hold a
principal may hold all but a smaller one. A domain alone thus has most of the bound, two that want everything have about as much each
once the first has given some back, and there is room for the next one while calls last for minutes: nothing that runs is ended.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterator
from typing import Generic, NamedTuple, TypeVar

RESERVE = 0.25
"""The part of what others leave free that a domain leaves to the next one; a principal leaves half of it to others of its domain."""
SMALL = 4
"""Of fewer places than these nothing is reserved: one place in three would be a high price for a bound that is seldom shared."""

T = TypeVar("T")


class Party(NamedTuple):
    """Who holds places. The mesh's own services, which work for everybody, hold them without a party: without a share, and first."""

    domain: str
    principal: str = ""


class _Domain:
    __slots__ = ("held", "members")

    def __init__(self) -> None:
        self.held = 0
        self.members: dict[str, int] = {}


class Shares:
    """A number of places, and who holds how many. Parties that hold none are not remembered."""

    __slots__ = ("_domains", "_reserve", "_scarce", "places", "taken")

    def __init__(self, places: int, reserve: float = RESERVE) -> None:
        self.places = places
        self.taken = 0
        self._reserve = reserve
        self._scarce = places // 2 if reserve <= RESERVE and places >= 4 * SMALL else 0
        """While fewer are taken nobody can hold more than its share."""
        self._domains: dict[str, _Domain] = {}

    @property
    def domains(self) -> int:
        """How many domains hold places."""
        return len(self._domains)

    def may_take(self, party: Party | None, amount: int = 1) -> bool:
        """Whether the party may hold so many more."""
        if self.taken + amount <= self._scarce:
            return True
        if self.taken + amount > self.places:
            return False
        domain = None if party is None else self._domains.get(party.domain)
        if party is None or domain is None:
            return True
        most = self.most(self.places - (self.taken - domain.held), self._reserve)
        if domain.held + amount > most:
            return False
        held = domain.members.get(party.principal, 0)
        return held == 0 or held + amount <= self.most(most - (domain.held - held), self._reserve / 2)

    def take(self, party: Party | None, amount: int = 1) -> bool:
        """Take so many places where the party may."""
        taken = self.taken + amount
        if taken > self._scarce and not self.may_take(party, amount):  # first without a call: every call of the mesh takes a place
            return False
        self.taken = taken
        if party is not None:
            domain = self._domains.get(party.domain)
            if domain is None:
                domain = self._domains[party.domain] = _Domain()
            domain.held += amount
            domain.members[party.principal] = domain.members.get(party.principal, 0) + amount
        return True

    def give(self, party: Party | None, amount: int = 1) -> None:
        """Give so many places back."""
        self.taken -= amount
        if party is None:
            return
        domain = self._domains[party.domain]
        domain.held -= amount
        if not domain.held:
            del self._domains[party.domain]
            return
        held = domain.members[party.principal] - amount
        if held:
            domain.members[party.principal] = held
        else:
            del domain.members[party.principal]

    def held(self, party: Party | None) -> tuple[int, int]:
        """How many places the party's domain holds, and how many of them the party."""
        domain = None if party is None else self._domains.get(party.domain)
        return (0, 0) if domain is None or party is None else (domain.held, domain.members.get(party.principal, 0))

    @staticmethod
    def most(places: int, reserve: float) -> int:
        """How many of so many places one may hold."""
        return places - math.ceil(places * reserve) if places >= SMALL else places


class FairQueue(Generic[T]):
    """Who waits for a place of a bound: first who works for everybody, then the domain and the principal that hold least."""

    __slots__ = ("_waiting", "length")

    def __init__(self) -> None:
        self._waiting: dict[str | None, dict[str, deque[T]]] = {}
        self.length = 0
        """How many wait. Read at the end of every call, so it is no call itself."""

    def __len__(self) -> int:
        return self.length

    def add(self, party: Party | None, item: T) -> None:
        """Queue an item behind those of the same party."""
        domain, principal = _names(party)
        self._waiting.setdefault(domain, {}).setdefault(principal, deque()).append(item)
        self.length += 1

    def remove(self, party: Party | None, item: T) -> None:
        """Wait no more."""
        domain, principal = _names(party)
        queue = self._waiting.get(domain, {}).get(principal)
        if queue is not None and item in queue:
            queue.remove(item)
            self._forget(domain, principal, queue)

    def next(self, shares: Shares) -> tuple[Party | None, T] | None:
        """Who is to have the place that is free, taken off the queue; None where nobody who waits may hold one more."""
        least: tuple[int, int] | None = None
        chosen: Party | None = None
        for party in self._parties():
            if shares.may_take(party):
                if party is None:
                    least, chosen = (0, 0), None
                    break
                held = shares.held(party)
                if least is None or held < least:
                    least, chosen = held, party
        if least is None:
            return None
        domain, principal = _names(chosen)
        queue = self._waiting[domain][principal]
        item = queue.popleft()
        self._forget(domain, principal, queue)
        return chosen, item

    def _parties(self) -> Iterator[Party | None]:
        if None in self._waiting:
            yield None
        for domain, members in self._waiting.items():
            if domain is not None:
                for principal in members:
                    yield Party(domain, principal)

    def _forget(self, domain: str | None, principal: str, queue: deque[T]) -> None:
        """An item has left. A queue that goes on moves behind the others that hold as much."""
        self.length -= 1
        members = self._waiting[domain]
        del members[principal]
        if queue:
            members[principal] = queue
        if members:
            self._waiting[domain] = self._waiting.pop(domain)
        else:
            del self._waiting[domain]


def _names(party: Party | None) -> tuple[str | None, str]:
    return (None, "") if party is None else (party.domain, party.principal)
