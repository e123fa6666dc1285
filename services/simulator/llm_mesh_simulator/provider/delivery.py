"""Sends a reply as its behaviour wants, and says what became of it."""

import asyncio
from dataclasses import dataclass
from typing import Final

from llm_mesh_simulator.domain.behaviour import Behaviour, Fault, Quirk
from llm_mesh_simulator.provider.connection import AsgiRequest, ClientGoneError
from llm_mesh_simulator.provider.plan import Action, Step, body_length, plan
from llm_mesh_simulator.provider.quirks import slices
from llm_mesh_simulator.provider.reply import Reply, Stream

_AT_ONCE: Final = 131072
"""Up to this size an answer goes out in one write, without watching the client."""
_FOR_EVER: Final = 86400.0
_BODY: Final = frozenset({Action.WRITE, Action.END})
_CUTS: Final = frozenset({Quirk.SPLIT, Quirk.DRIP})


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What became of an answer."""

    kind: str
    """`completed`, `failed` as the behaviour wanted, or `client_gone`."""
    tokens: int
    seconds: float


async def deliver(connection: AsgiRequest, reply: Reply, behaviour: Behaviour) -> DeliveryOutcome:
    """Sends the reply. Never raises because the client has left."""
    if _plain(behaviour):
        body = reply.body
        data = b"".join((*body.opening, *body.pieces, *body.closing, body.end)) if isinstance(body, Stream) else body
        if len(data) <= _AT_ONCE:
            await connection.start(reply.status, [*reply.headers, _length(len(data))] if body is data else reply.headers)
            await connection.write(data, more=False)
            return DeliveryOutcome("completed", reply.tokens, connection.elapsed())
    return await _Course(connection, reply, behaviour).run()


class _Course:
    """One delivery that takes its time or goes wrong."""

    def __init__(self, connection: AsgiRequest, reply: Reply, behaviour: Behaviour) -> None:
        self._connection = connection
        self._reply = reply
        self._behaviour = behaviour
        self._steps = plan(reply, behaviour)
        self._tokens = 0

    async def run(self) -> DeliveryOutcome:
        kind = "completed" if self._behaviour.fault is Fault.NONE or self._outlasted() else "failed"
        last = self._steps[-1]
        try:
            async with self._connection.watched():
                for step in self._steps[:-1]:
                    await self._take(step)
                await self._connection.until(last.due)
                if last.action is Action.END:
                    # Watched too, since it may wait for a client that does not read what came before.
                    await self._take(last)
        except ClientGoneError as gone:
            return DeliveryOutcome("client_gone", self._tokens, gone.after)
        if last.action is not Action.END:
            # Not watched: a connection that is broken off looks like a client that leaves.
            await self._take(last)
        return DeliveryOutcome(kind, self._tokens, self._connection.elapsed())

    def _outlasted(self) -> bool:
        """Whether the fault is a pause after which all is well."""
        return bool(self._behaviour.stall_ms) and self._behaviour.fault in {Fault.STALL, Fault.OK_STALL, Fault.MID_STALL}

    async def _take(self, step: Step) -> None:
        await self._connection.until(step.due)
        if step.action in _BODY:
            await self._connection.still_there()
        match step.action:
            case Action.START:
                await self._connection.start(self._reply.status, self._headers())
                # Headers alone reach the client only with a first, here empty, part of the body.
                await self._connection.write(b"", more=True)
            case Action.WRITE:
                await self._write(step.data)
            case Action.RAW:
                await self._connection.raw(step.data)
            case Action.STALL:
                await asyncio.sleep(self._behaviour.stall_ms / 1000 or _FOR_EVER)
            case Action.END:
                await self._connection.write(b"", more=False)
            case Action.RESET:
                await self._connection.reset()
            case Action.HANGUP:
                await self._connection.hangup()
        self._tokens = max(self._tokens, step.tokens)

    async def _write(self, data: bytes) -> None:
        if not self._behaviour.wire & _CUTS:
            if data:
                await self._connection.write(data, more=True)
            return
        for piece in slices(data, self._behaviour.wire):
            await self._connection.write(piece, more=True)
            await asyncio.sleep(self._behaviour.drip_ms / 1000)

    def _headers(self) -> list[tuple[bytes, bytes]]:
        if isinstance(self._reply.body, Stream):
            return self._reply.headers
        whole = self._steps[-1].action is Action.END
        length = body_length(self._steps) if whole else len(self._reply.body)
        return [*self._reply.headers, _length(length)]


def _plain(behaviour: Behaviour) -> bool:
    paced = behaviour.ttft_ms or behaviour.rate or behaviour.headers_ms is not None
    return behaviour.fault is Fault.NONE and not paced and not behaviour.wire


def _length(size: int) -> tuple[bytes, bytes]:
    return (b"content-length", b"%d" % size)
