"""Records an answer while it is released, so that policy can keep it for a repetition of its request.

What is recorded is what the caller gets, after screening. An answer that is larger than policy keeps, or for which the gateway has no room,
is not recorded; the caller never notices.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from google.protobuf.message import Message

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_gateway.domain.record import set_duration
from llm_mesh_runtime.shares import Party, Shares

RECORDED: str = gateway_pb2.RecordedAnswer.DESCRIPTOR.full_name
_SLICE = 4 * 1024
"""Messages of a stream that follow each other are joined up to this many bytes: on the wire their joined bytes are one message."""


class RecordingRoom:
    """How many bytes the recorded answers of this gateway take together, at most. Nobody has all of them: see `shares`."""

    def __init__(self, most: int) -> None:
        self._shares = Shares(most)

    def take(self, size: int, party: Party | None = None) -> bool:
        """Takes room, if there is so much for the party."""
        return not size or self._shares.take(party, size)

    def give(self, size: int, party: Party | None = None) -> None:
        """Gives it back."""
        if size:
            self._shares.give(party, size)


class Recording:
    """One answer. `close` is to be called once, however the request went."""

    __slots__ = ("_complete", "_most", "_open", "_party", "_room", "_size", "_slices", "has_end")

    def __init__(self, most: int, room: RecordingRoom, party: Party | None = None) -> None:
        self._most = most
        self._room = room
        self._party = party
        self._size = 0
        self._slices: list[bytes] = []
        self._open = bytearray()
        self._complete = True
        self.has_end = False
        """Whether the last piece of a stream is in it. Unset while screening may hold something back."""

    def add(self, raw: bytes) -> None:
        """The next message of a stream, serialised."""
        if self._complete and self._fits(len(raw)):
            self._open += raw
            if len(self._open) >= _SLICE:
                self._slices.append(bytes(self._open))
                self._open.clear()

    def add_whole(self, answer: Message, rest: Sequence[bytes] = ()) -> None:
        """An answer that is not streamed, and what of it is serialised already."""
        if self._fits(answer.ByteSize() + sum(map(len, rest))):
            self._slices += [answer.SerializeToString(), *rest]

    def packed(self, model: str, prompt_version: str, began: float) -> policy_pb2.KeptAnswer | None:
        """The answer as policy keeps it. None: it was not recorded."""
        messages = [*self._slices, bytes(self._open)] if self._open else self._slices
        if not self._complete or not messages:
            return None
        recorded = gateway_pb2.RecordedAnswer(messages=messages, model=model, prompt_version=prompt_version)
        set_duration(recorded.total, time.monotonic() - began)
        content = recorded.SerializeToString()
        return policy_pb2.KeptAnswer(type=RECORDED, content=content) if len(content) <= self._most else None

    def close(self) -> None:
        """Gives its room back."""
        self._room.give(self._size, self._party)
        self._size = 0
        self._complete = False
        self._slices.clear()
        self._open.clear()

    def _fits(self, size: int) -> bool:
        if self._size + size <= self._most and self._room.take(size, self._party):
            self._size += size
            return True
        self.close()
        return False
