"""Answers as event streams."""

from collections.abc import Sequence

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.answer import SimulatedAnswer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.bedrock import frames
from llm_mesh_simulator.provider.bedrock.errors import STREAM_ERROR
from llm_mesh_simulator.provider.bedrock.message import BLOCKED, Form, call_id, metadata, padded, reasoning, stop
from llm_mesh_simulator.provider.reply import Stream


def events(answer: SimulatedAnswer, behaviour: Behaviour, form: Form) -> Stream:
    """The answer to ConverseStream."""
    choice = answer.choices[0]
    blocks = _BlockFrames(behaviour)
    if form.blocked:
        blocks.add([{"text": token} for token in tokens.split(BLOCKED)])
    else:
        if choice.reasoning:
            deltas: list[dict[str, object]] = [{"reasoningContent": {"text": token}} for token in choice.reasoning]
            blocks.add(deltas, last={"reasoningContent": {"signature": reasoning(choice)[1]}})
        if choice.text:
            blocks.add([{"text": token} for token in choice.text])
        for call in choice.calls:
            start: dict[str, object] = {"toolUse": {"toolUseId": call_id(call), "name": call.name}}
            blocks.add([{"toolUse": {"input": token}} for token in call.arguments], start=start)
    opening = [frames.event("messageStart", padded({"role": "assistant"}, behaviour, first=True))]
    ended = frames.event("messageStop", padded({"stopReason": stop(choice, behaviour, form)}, behaviour))
    end = frames.event("metadata", padded(metadata(answer, form), behaviour))
    return Stream(opening, blocks.pieces, [blocks.closing + ended], end, STREAM_ERROR, binary=True)


class _BlockFrames:
    """Content blocks in order; what opens and closes one travels with the tokens beside it."""

    def __init__(self, behaviour: Behaviour) -> None:
        self.pieces: list[bytes] = []
        self.closing = b""
        self._behaviour = behaviour
        self._index = 0

    def add(
        self, deltas: Sequence[dict[str, object]], *, start: dict[str, object] | None = None, last: dict[str, object] | None = None
    ) -> None:
        """One block. Blocks of text are not opened: their first piece does it."""
        opening = self.closing
        if start is not None:
            opening += self._event("contentBlockStart", {"start": start})
        for delta in deltas:
            self.pieces.append(opening + self._event("contentBlockDelta", {"delta": delta}))
            opening = b""
        self.closing = opening + (self._event("contentBlockDelta", {"delta": last}) if last is not None else b"")
        self.closing += self._event("contentBlockStop", {})
        self._index += 1

    def _event(self, kind: str, fields: dict[str, object]) -> bytes:
        padding = "abcdefghijklmnop"[: 1 + len(self.pieces) % 16]  # real ones hide the lengths of texts so
        return frames.event(kind, padded({**fields, "contentBlockIndex": self._index, "p": padding}, self._behaviour))
