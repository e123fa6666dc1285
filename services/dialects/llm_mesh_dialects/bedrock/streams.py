"""From a provider's events to typed ones: each frame is one object, named by its kind.

Blocks that are not modelled (the provider's own tools and their results, images) travel as opaque events, whole, as do events of a kind
that nobody knows. `metadata`, with usage and what guardrails found, comes last.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.bedrock.blocks_reading import redacted_of
from llm_mesh_dialects.bedrock.guardrails import findings_of
from llm_mesh_dialects.bedrock.responses import FINDINGS, present
from llm_mesh_dialects.bedrock.usage import read_usage
from llm_mesh_dialects.bedrock.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields

Event = generate_pb2.StreamEvent
_PADDING: Final = "p"
"""A key of random length that every event has, so that the lengths of frames tell nothing."""
_CITED: Final = "citations"


class _OpenBlock:
    """A block that has begun."""

    __slots__ = ("call", "has_input", "opaque")

    def __init__(self, call: int = -1, *, opaque: bool = False) -> None:
        self.call = call
        self.has_input = False
        self.opaque = opaque


class ConverseReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._blocks: dict[int, _OpenBlock] = {}
        self._calls = 0
        self._started = False
        self._word: str | None = None
        self._last: dict[str, Any] = {}
        self._usage: generate_pb2.Usage | None = None
        self._whole = False
        self._readers: Mapping[str, Callable[[Fields, list[Event]], None]] = {
            "messageStart": self._start,
            "contentBlockStart": self._open,
            "contentBlockDelta": self._delta,
            "contentBlockStop": self._close,
            "messageStop": self._end,
            "metadata": self._metadata,
        }

    @property
    def done(self) -> bool:
        """Whether nothing follows."""
        return self._whole

    def feed(self, event: Any, kind: str) -> list[Event]:  # noqa: ANN401 (JSON)
        """The typed events of one event; raises `DialectError` where it is none."""
        events: list[Event] = []
        fields = Fields(event)
        read = self._readers.get(kind)
        if read is None:
            events.append(_opaque(fields, kind))
        else:
            fields.raw(_PADDING)
            read(fields, events)
        return events

    def finish(self) -> list[Event]:
        """The end of the stream: usage, and that the answer is whole. Raises `TruncatedError` where it is not."""
        if self._word is None:
            raise TruncatedError("the stream ended before the answer did")
        usage = [] if self._usage is None else [Event(usage=self._usage)]
        return [*usage, Event(finished=generate_pb2.Finished(extras=as_extras(DIALECT, self._last)))]

    def _start(self, fields: Fields, events: list[Event]) -> None:
        fields.text("role")
        self._begin(events, present(fields.rest()))

    def _begin(self, events: list[Event], extras: Mapping[str, Any] = {}) -> None:
        if not self._started:
            self._started = True
            events.append(Event(started=generate_pb2.Started(extras=as_extras(DIALECT, extras))))

    def _open(self, fields: Fields, events: list[Event]) -> None:
        self._begin(events)
        start = fields.required("start")
        use = start.inner("toolUse")
        if use is None or use.text("type"):
            self._blocks[_index(fields)] = _OpenBlock(opaque=bool(start.whole_object()))
            if start.whole_object():
                events.append(_opaque(fields, "contentBlockStart"))
            return
        self._blocks[_index(fields)] = _OpenBlock(self._calls)
        call = generate_pb2.ToolCallStarted(index=self._calls, id=use.required_text("toolUseId"), name=use.required_text("name"))
        self._calls += 1
        events.append(Event(tool_call_started=call))

    def _delta(self, fields: Fields, events: list[Event]) -> None:
        delta = fields.required("delta")
        text = delta.peek("text")
        block = self._blocks.get(_index(fields))
        if block is None:  # blocks of text need not be opened
            self._begin(events)
            block = self._blocks[_index(fields)] = _OpenBlock()
        if block.opaque:
            events.append(_opaque(fields, "contentBlockDelta"))
        elif isinstance(text, str):
            if text:
                events.append(Event(text=generate_pb2.TextDelta(text=text)))
        elif delta.peek("toolUse") is not None:
            self._input(block, delta.required("toolUse"), events)
        elif delta.peek("reasoningContent") is not None:
            events += _thought(delta.required("reasoningContent"))
        elif isinstance(delta.peek("citation"), dict):
            cited = as_extras(DIALECT, {_CITED: [delta.peek("citation")]})
            events.append(Event(text=generate_pb2.TextDelta(extras=cited)))
        else:
            events.append(_opaque(fields, "contentBlockDelta"))

    def _input(self, block: _OpenBlock, use: Fields, events: list[Event]) -> None:
        if block.call < 0:
            raise use.wrong("input", "expected a block that has begun as a call")
        piece = use.text("input") or ""
        if piece:
            block.has_input = True
            events.append(Event(tool_call=generate_pb2.ToolCallDelta(index=block.call, arguments_json=piece)))

    def _close(self, fields: Fields, events: list[Event]) -> None:
        block = self._blocks.get(_index(fields))
        if block is None:
            return  # a block of text without a text
        if block.opaque:
            events.append(_opaque(fields, "contentBlockStop"))
        elif block.call >= 0 and not block.has_input:
            events.append(Event(tool_call=generate_pb2.ToolCallDelta(index=block.call, arguments_json="{}")))

    def _end(self, fields: Fields, events: list[Event]) -> None:
        self._begin(events)
        if self._word is not None:
            raise DialectError("stopReason", "expected one end of the answer")
        self._word = fields.text("stopReason") or ""
        reason = finish_of(self._word, calls=self._calls > 0)
        extras = as_extras(DIALECT, present(fields.rest()))
        finished = generate_pb2.ChoiceFinished(finish_reason=reason, native_finish_reason=self._word, extras=extras)
        events.append(Event(choice_finished=finished))

    def _metadata(self, fields: Fields, _events: list[Event]) -> None:
        self._usage = read_usage(fields)
        findings = findings_of(fields)
        self._last = present(fields.rest()) | ({FINDINGS: findings} if findings else {})
        self._whole = self._word is not None


def _index(fields: Fields) -> int:
    index = fields.whole("contentBlockIndex", 0, 2**31 - 1)
    if index is None:
        raise fields.wrong("contentBlockIndex", "required: expected a whole number")
    return index


def _thought(content: Fields) -> list[Event]:
    thought = generate_pb2.ReasoningDelta(
        text=content.text("text") or "", signature=content.text("signature") or "", redacted=redacted_of(content)
    )
    return [Event(reasoning=thought)] if thought.ByteSize() else []


def _opaque(fields: Fields, kind: str) -> Event:
    values = {key: value for key, value in fields.whole_object().items() if key != _PADDING}
    return Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(values, "event")))
