"""The texts of one answer, streamed or whole, for transforms that read and change text.

A transform adds each piece of the answer, takes the text of the runs that changed, hands back what may go out, and lets that go. Text,
refusals, reasoning, names of tools and their arguments come as runs of their own channel; the rest of the answer keeps its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

from google.protobuf.message import Message

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_gateway.domain.ports import Piece, Release
from llm_mesh_gateway.domain.transforms.order import AnswerOrder, TextRun, Unreadable
from llm_mesh_gateway.domain.transforms.outputs import texts_of

_FIELDS: Mapping[str, Sequence[tuple[str, str]]] = {
    "text": (("text", "text"),),
    "refusal": (("refusal", "text"),),
    "reasoning": (("reasoning", "text"),),
    "tool_call": (("tool_name", "name"), ("tool_call", "arguments_json")),
}
"""What of each kind of part is text, as which channel. Other kinds of parts do not go out."""
_UNREADABLE = {"audio": "sound", "image": "a picture", "file": "a file"}


class AnswerTexts:
    """One answer on its way to `release`."""

    def __init__(self, release: Release, unreadable: Unreadable) -> None:
        self._release = release
        self._unreadable = unreadable
        self._order = AnswerOrder(unreadable)
        self._releasing = asyncio.Lock()
        self._whole: Piece | None = None
        self._fields: list[tuple[TextRun, Message, str]] = []
        self._report: adapter_pb2.AttemptReport | None = None

    def add(self, piece: Piece) -> None:
        """The next piece of the answer; after one with a report no other follows."""
        self._report = piece.report
        if piece.answer is not None:
            self._whole = piece
            if isinstance(piece.answer, generate_pb2.GenerateOutput):
                self._add_whole(piece.answer)
            else:
                for owner, field in texts_of(piece.answer, self._unreadable):
                    self._add_field("text", owner, field)
        for event in piece.events:
            self._order.add(event)
        if piece.report is not None:
            self._order.close()

    @property
    def changed(self) -> dict[TextRun, None]:
        """Runs with text that was not taken yet, by `TextRun.piece`. Whoever takes it removes them."""
        return self._order.changed

    def take_changed(self) -> list[TextRun]:
        """The same, removed."""
        runs = list(self._order.changed)
        self._order.changed.clear()
        return runs

    def find(self, channel: str, index: int) -> TextRun | None:
        """A run by its channel and index there."""
        return self._order.find(channel, index)

    @property
    def complete(self) -> bool:
        """Whether all text is through."""
        return self._order.complete

    async def let_go(self, *, last: bool = True) -> None:
        """Release what may go out by now, in its order. Without `last` the end of the answer waits for another call."""
        async with self._releasing:
            over = last and self._report is not None and self._order.complete
            if self._whole is not None:
                if over:
                    await self._release_whole(self._whole)
                return
            events = self._order.ready()
            if events or over:
                await self._release(Piece(events=events, report=self._report if over else None))

    def _add_whole(self, answer: generate_pb2.GenerateOutput) -> None:
        answer.ClearField("extras")
        answer.usage.ClearField("extras")
        for choice in answer.choices:
            for field in ("logprobs", "refusal_logprobs", "extras"):
                choice.ClearField(field)
            self._strip(choice.message)
            for part in choice.message.parts:
                kind = part.WhichOneof("kind") or ""
                for channel, field in _FIELDS[kind]:
                    self._add_field(channel, getattr(part, kind), field)

    def _add_field(self, channel: str, owner: Message, field: str) -> None:
        run = self._order.run(channel, _never)
        run.add(getattr(owner, field))
        run.closed = True
        self._order.changed[run] = None
        self._fields.append((run, owner, field))

    async def _release_whole(self, piece: Piece) -> None:
        for run, owner, field in self._fields:
            setattr(owner, field, "".join(run.released))
        await self._release(piece)

    def _strip(self, message: content_pb2.Message) -> None:
        """Take out what could hide text where nothing reads it."""
        kinds = [part.WhichOneof("kind") or "" for part in message.parts]
        unreadable = next((_UNREADABLE[kind] for kind in kinds if kind in _UNREADABLE), None)
        if unreadable is not None:
            raise self._unreadable(unreadable)
        readable = [part for part, kind in zip(message.parts, kinds, strict=True) if kind in _FIELDS]
        del message.parts[:]
        message.ClearField("extras")
        for part in readable:
            part.ClearField("extras")
            if part.WhichOneof("kind") == "text":
                part.text.ClearField("annotations")
            message.parts.append(part)


def _never(text: str) -> generate_pb2.StreamEvent:
    raise AssertionError(text)
