"""Messages of unary calls that are not whole yet. gRPC holds what has arrived of them, so there are only so many, shared between callers.

gRPC reads the message of a unary call before it calls the handler, and tells nobody how large it is or how much of it has come. So each
holds a place as large as the largest message, from the head of its call until its work begins. A call that finds no place is served by a
handler of the streaming kind, which is the same on the wire: of its message gRPC takes in 64 KiB, until the handler reads it in its turn.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any, cast

import grpc

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import RuntimeFault, deadline_exceeded
from llm_mesh_runtime.limiter import Limiter
from llm_mesh_runtime.shares import Party

ARRIVAL = 60.0
"""Seconds that a message may take from the moment when it is read."""
_QUEUE = 1024
_SMALL = 64 * 1024
"""What gRPC takes in of any message: one that is not larger need not hold its place while it waits for its work."""


class Arrivals:
    """The messages that are under way at one listener."""

    def __init__(self, places: int) -> None:
        self.places = Limiter(places, _QUEUE)

    def place_of(self, party: Party) -> MessagePlace | None:
        """A place for a message that gRPC is about to read; None where the party may have no more."""
        return MessagePlace(self.places, party) if self.places.enter_now(party) else None


class MessagePlace:
    """One place. It is given back by `end`, or with the place itself where a call ends before its handler is called."""

    __slots__ = ("_party", "_places")

    def __init__(self, places: Limiter, party: Party) -> None:
        self._places: Limiter | None = places
        self._party = party

    def end(self) -> None:
        """Give it back, once."""
        places, self._places = self._places, None
        if places is not None:
            places.leave(self._party)

    def arrived(self, raw: bytes) -> bytes | Unread:
        """What the handler gets of a message that is whole: a large one keeps its place until its work begins."""
        if len(raw) > _SMALL:
            return _Arrived(raw, self)
        self.end()
        return raw

    __del__ = end


class Unread:
    """The message of a unary call that is read once the caller is known.

    By `read`: the iterator of requests that gRPC offers besides keeps the message, of up to 32 MiB, after the call has ended.
    """

    __slots__ = ("_context",)

    def __init__(self, context: Any) -> None:  # noqa: ANN401 (gRPC's)
        self._context = context

    async def read(self, slots: Limiter, deadline: float, party: Party | None) -> bytes:
        """The message, once its call has a slot of the service too: who is slow to send holds none."""
        try:
            raw = await self.message(deadline, party)
            await slots.enter(deadline, party)
        finally:
            self.waits_no_more()
        return raw

    async def message(self, deadline: float, party: Party | None) -> bytes:
        """Read it."""
        del deadline, party
        raw = await self._context.read()
        if raw is grpc.aio.EOF:
            raise RuntimeFault(errors_pb2.ERROR_REASON_MALFORMED_MESSAGE, "the call ended before its message")
        return cast("bytes", raw)

    def waits_no_more(self) -> None:
        """Its work begins, or its call ends."""


class Awaited(Unread):
    """A message that is read once there is a place for it."""

    __slots__ = ("_arrivals", "_place")

    def __init__(self, context: Any, arrivals: Arrivals) -> None:  # noqa: ANN401 (gRPC's)
        super().__init__(context)
        self._arrivals = arrivals
        self._place: MessagePlace | None = None

    async def message(self, deadline: float, party: Party | None) -> bytes:
        """Read it in its turn; the mesh's own services have no share, and wait for nobody. OVERLOADED, DEADLINE_EXCEEDED."""
        if party is None:
            return await super().message(deadline, party)
        places = self._arrivals.places
        await places.enter(min(deadline, time.monotonic() + ARRIVAL), party)
        self._place = MessagePlace(places, party)
        try:
            async with asyncio.timeout(ARRIVAL):
                return await super().message(deadline, party)
        except TimeoutError:
            raise deadline_exceeded(f"the message did not arrive within {ARRIVAL:g} s") from None

    def waits_no_more(self) -> None:
        """Give the place back."""
        if self._place is not None:
            self._place.end()


class _Arrived(Unread):
    """A large message that gRPC has read."""

    __slots__ = ("_place", "_raw")

    def __init__(self, raw: bytes, place: MessagePlace) -> None:
        super().__init__(None)
        self._raw = raw
        self._place = place

    async def message(self, deadline: float, party: Party | None) -> bytes:
        """It is here."""
        del deadline, party
        raw, self._raw = self._raw, b""
        return raw

    def waits_no_more(self) -> None:
        """Give the place back."""
        self._place.end()
