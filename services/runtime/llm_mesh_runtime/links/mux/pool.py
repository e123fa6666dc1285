"""All connections from one service to one peer: an address each, calls in turn, and those who wait for the first one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.links.local.deadlines import CallDeadlines
from llm_mesh_runtime.links.mux.member import FIRST_PAUSE, LONGEST_PAUSE, AddressState, Member
from llm_mesh_runtime.links.mux.wire import refuse, unavailable
from llm_mesh_runtime.tasks import TaskSet

if TYPE_CHECKING:
    from llm_mesh_runtime.links.mux.called import ClientCall
    from llm_mesh_runtime.links.mux.dial import LinkDialler
    from llm_mesh_runtime.links.mux.names import Name

REFRESH = 30.0
"""Seconds after which a name is resolved again."""


class Ready(Protocol):
    """What can carry a call now."""

    @property
    def open(self) -> bool:
        """Whether it takes one more."""

    def place(self, call: ClientCall) -> None:
        """Take it."""


class LinkPool:
    """Connected lazily. `changed` hears of each state that an address takes."""

    def __init__(self, dialler: LinkDialler, name: Name, changed: Callable[[AddressState, AddressState], None]) -> None:
        self.peer = dialler.peer
        self.tasks = TaskSet()
        self.members: dict[str, Member] = {}
        self._dialler = dialler
        self._name = name
        self._changed = changed
        self._ready: list[Ready] = []
        self._turn = 0
        self.waiting: dict[ClientCall, None] = {}
        """Calls that wait for a connection, in order."""
        self._deadlines = CallDeadlines()
        self._unresolved = False
        self._begun = False
        self._closed = False

    def place(self, call: ClientCall) -> None:
        """Send a call by the next connection, or let it wait for one."""
        if not call.guarded(self._deadlines):
            return
        ready = self._ready
        carrier = ready[0] if len(ready) == 1 and ready[0].open else self._next()
        if carrier is not None:
            carrier.place(call)
        elif self._closed or (self._failing() and not call.patient):
            refuse(call, unavailable(self.peer))
        else:
            call.carrier = self
            self.waiting[call] = None
            self._begin()

    def give_up(self, call: ClientCall) -> None:
        """A call that waits has ended."""
        self.waiting.pop(call, None)

    async def close(self) -> None:
        """End everything."""
        self._closed = True
        self._refuse_waiting(also_patient=True)
        await self.tasks.close()
        await asyncio.gather(*(member.close() for member in self.members.values()))

    # ---- what members say

    def joined(self, carrier: Ready) -> None:
        """A carrier stands: it takes calls, first those that wait."""
        self._ready.append(carrier)
        self.freed()

    def left(self, carrier: Ready) -> None:
        """A carrier takes no more calls."""
        if carrier in self._ready:
            self._ready.remove(carrier)

    def freed(self) -> None:
        """There may be room for calls that wait."""
        while self.waiting and (carrier := self._next()) is not None:
            call = next(iter(self.waiting))
            del self.waiting[call]
            carrier.place(call)

    def again(self, call: ClientCall) -> None:
        """A call that its callee did not begin: another connection may take it."""
        carrier = self._next()
        if carrier is not None:
            carrier.place(call)
        else:
            refuse(call, unavailable(self.peer))

    def moved(self, old: AddressState, new: AddressState) -> None:
        """An address has changed its state."""
        self._changed(old, new)
        if new is AddressState.FAILED and self._failing():
            self._refuse_waiting()

    # ---- inside

    def _next(self) -> Ready | None:
        ready = self._ready
        for _ in ready:
            self._turn = (self._turn + 1) % len(ready)
            carrier = ready[self._turn]
            if carrier.open:
                return carrier
        return None

    def _failing(self) -> bool:
        if self._ready:
            return False
        if not self.members:
            return self._unresolved
        return all(member.state is AddressState.FAILED for member in self.members.values())

    def _refuse_waiting(self, *, also_patient: bool = False) -> None:
        for call in tuple(self.waiting):
            if also_patient or not call.patient:
                del self.waiting[call]
                call.carrier = None
                refuse(call, unavailable(self.peer))

    def _begin(self) -> None:
        if not self._begun:
            self._begun = True
            self.tasks.spawn(self._follow(), name=f"addresses of {self.peer}")

    async def _follow(self) -> None:
        backoff = Backoff(FIRST_PAUSE, LONGEST_PAUSE)
        while True:
            try:
                addresses = await self._name.addresses()
            except OSError:
                self._unresolved = True
                if self._failing():
                    self._refuse_waiting()
                await backoff.wait()
                continue
            self._unresolved = False
            backoff.reset()
            self._update(addresses)
            if self._name.fixed:
                return
            await asyncio.sleep(REFRESH)

    def _update(self, addresses: tuple[str, ...]) -> None:
        for address in addresses:
            if address not in self.members:
                member = self.members[address] = Member(address, self._dialler, self)
                member.start()
        for address in self.members.keys() - set(addresses):
            self.members.pop(address).leave()
