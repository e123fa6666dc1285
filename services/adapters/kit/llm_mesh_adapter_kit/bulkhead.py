"""The places of a bulkhead: how many calls to a provider there are at once, in this process or in all processes of a mesh together.

They are shared fairly among the domains that call, and within a domain among its projects: a domain alone has most of them, and there
is room for the next one while streams last for minutes.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from llm_mesh_runtime.shares import RESERVE, Party, Shares

_MOST = 1 << 20
"""Bytes of the file that belong to one lane."""


class Places(Protocol):
    """The places of one lane."""

    @property
    def taken(self) -> int:
        """How many this process has."""
        ...

    def take(self, most: int) -> bool:
        """Take one, unless all are taken."""
        ...

    def give(self) -> None:
        """Give one back."""
        ...


class OwnPlaces:
    """Counted where nobody else calls the provider for this mesh."""

    __slots__ = ("taken",)

    def __init__(self) -> None:
        self.taken = 0

    def take(self, most: int) -> bool:
        """See `Places`."""
        if self.taken >= most:
            return False
        self.taken += 1
        return True

    def give(self) -> None:
        """See `Places`."""
        self.taken -= 1


class SharedFile:
    """A file of an adapter, of which each byte is a place: to lock it is to take it. It is never written.

    The kernel decides between processes, and gives back what a process held that is gone, however it went.
    """

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def lane(self, *key: str) -> SharedPlaces:
        """The places of a lane. Two lanes at one offset would share places, which errs to the safe side; there are 2^40 offsets."""
        digest = hashlib.blake2b("\0".join(key).encode(), digest_size=5).digest()
        return SharedPlaces(self._lock, int.from_bytes(digest) * _MOST)

    def close(self) -> None:
        """Let go of the file, and of all places in it."""
        os.close(self._handle)

    def _lock(self, offset: int, *, held: bool) -> bool:
        try:
            fcntl.lockf(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB if held else fcntl.LOCK_UN, 1, offset)
        except (BlockingIOError, PermissionError):  # POSIX has both for "another process holds it"
            return False
        return True


class Lock(Protocol):
    """Takes or gives back a byte of the file."""

    def __call__(self, offset: int, *, held: bool) -> bool:
        """Whether that worked."""


class SharedPlaces:
    """The places of one lane, among all processes."""

    __slots__ = ("_held", "_lock", "_next", "_offset")

    def __init__(self, lock: Lock, offset: int) -> None:
        self._lock = lock
        self._offset = offset
        self._held: dict[int, None] = {}
        self._next = secrets.randbelow(_MOST)  # processes begin to look at different places

    @property
    def taken(self) -> int:
        """See `Places`."""
        return len(self._held)

    def take(self, most: int) -> bool:
        """See `Places`."""
        most = min(most, _MOST)
        for step in range(most):
            place = (self._next + step) % most
            if place not in self._held and self._lock(self._offset + place, held=True):
                self._held[place] = None
                self._next = place + 1
                return True
        return False

    def give(self) -> None:
        """See `Places`."""
        place, _ = self._held.popitem()
        self._lock(self._offset + place, held=False)
        self._next = place  # most likely it is free still


MakePlaces = Callable[..., Places]
"""The names of something that has places, such as endpoint, credential and model of a lane, to these places."""


def own_places(*key: str) -> Places:
    """Places that only this process takes."""
    del key
    return OwnPlaces()


class FairPlaces:
    """The places of one lane with a share for each party.

    Shares are counted in this process. Where several have the places in common, no domain has more in all of them together than it
    would have here alone: it has places of its own in the file, fewer by the reserve.
    """

    __slots__ = ("_all", "_domains", "_key", "_make", "_reserve", "_shares")

    def __init__(self, make: MakePlaces, key: tuple[str, ...], most: int, reserve: float = RESERVE) -> None:
        self._make = make
        self._key = key
        self._reserve = reserve
        self._shares = Shares(most, reserve)
        self._all = None if make is own_places else make(*key)
        self._domains: dict[str, Places] = {}

    @property
    def taken(self) -> int:
        """How many this process has."""
        return self._shares.taken

    def take(self, party: Party) -> bool:
        """Take one, unless all are taken or the party has its share."""
        shares = self._shares
        if self._all is None:
            return shares.take(party)
        if not shares.may_take(party) or not self._all.take(shares.places):
            return False
        if not self._of(party.domain).take(Shares.most(shares.places, self._reserve)):
            self._forget(party.domain)
            self._all.give()
            return False
        return shares.take(party)

    def give(self, party: Party) -> None:
        """Give one back."""
        self._shares.give(party)
        if self._all is not None:
            self._all.give()
            self._of(party.domain).give()
            self._forget(party.domain)

    def _of(self, domain: str) -> Places:
        places = self._domains.get(domain)
        if places is None:
            places = self._domains[domain] = self._make(*self._key, "domain", domain)
        return places

    def _forget(self, domain: str) -> None:
        if not self._domains[domain].taken:
            del self._domains[domain]
