"""From a provider's events to typed ones.

Blocks of a type that is not modelled (the provider's own tools and their results) travel as opaque events, whole, so that a writer of
the same dialect can send them on. So does what the typed events have no place for where a modelled block begins: its unmodelled
keys, and that a text begins anew after another. `ping` ends here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic.usage import read_usage
from llm_mesh_dialects.anthropic.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_text

Event = generate_pb2.StreamEvent
_TextDelta = generate_pb2.TextDelta
_PLAIN: Final = 2

_HEAD: Final = ("type", "role", "content", "stop_reason", "stop_sequence")
BLOCK: Final = "content_block"
"""The opaque event that says: a block begins, with these unmodelled keys."""
MESSAGE: Final = "message"
"""The extra of an end that has what stands beside it in its event: edits of the conversation that were applied."""
_JOINED: Final = frozenset({"text", "thinking"})
"""Blocks whose end only the next beginning shows."""


class _Block:
    """A block that has begun."""

    __slots__ = ("call", "has_delta", "input", "kind")

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.call = 0
        self.input: dict[str, Any] = {}
        self.has_delta = False


class EventReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._blocks: dict[int, _Block] = {}
        self._last = ""
        self._calls = 0
        self._started = False
        self._ended = False
        self._whole = False
        self._usage: generate_pb2.Usage | None = None
        self._readers: Mapping[str, Callable[[Fields, list[Event]], None]] = {
            "message_start": self._start,
            "content_block_start": self._open,
            "content_block_delta": self._delta,
            "content_block_stop": self._close,
            "message_delta": self._end,
            "message_stop": self._stop,
            "ping": self._ping,
        }

    @property
    def usage(self) -> generate_pb2.Usage | None:
        """The latest usage that the provider reported."""
        return self._usage

    @property
    def complete(self) -> bool:
        """Whether the answer has ended, with a reason. Some servers leave out what only says that nothing follows."""
        return self._ended

    @property
    def done(self) -> bool:
        """Whether the provider said that nothing follows."""
        return self._whole

    def feed(self, event: dict[str, Any]) -> list[Event]:
        """The typed events of one event; raises `DialectError` where it is none."""
        text = self._plain(event)
        if text is not None:
            return [Event(text=_TextDelta(text=text))]
        events: list[Event] = []
        fields = Fields(event)
        kind = fields.required_text("type")
        read = self._readers.get(kind)
        if read is None:
            events.append(_opaque(event, kind))
        else:
            read(fields, events)
        return events

    def finish(self, *, said_so: bool = False) -> list[Event]:
        """The end of the stream: usage, and that the answer is whole. Raises `TruncatedError` where it is not.

        Where the provider `said_so`, an answer that had content and no reason of its end has ended as usual.
        """
        events: list[Event] = []
        if (said_so or self._whole) and not self._ended and self._blocks:
            self._ended = True
            reason = generate_pb2.FINISH_REASON_TOOL_CALLS if self._calls else generate_pb2.FINISH_REASON_STOP
            events.append(Event(choice_finished=generate_pb2.ChoiceFinished(finish_reason=reason)))
        if not self.complete:
            raise TruncatedError("the stream ended before the answer did")
        if self._usage is not None:
            events.append(Event(usage=self._usage))
        return [*events, Event(finished=generate_pb2.Finished())]

    def _plain(self, event: dict[str, Any]) -> str | None:
        """The short way of nearly every event: a piece of text, and nothing beside it."""
        delta = event.get("delta") if type(event) is dict else None
        if type(delta) is not dict or len(delta) != _PLAIN or delta.get("type") != "text_delta":
            return None
        index, text = event.get("index"), delta.get("text")
        block = self._blocks.get(index) if type(index) is int else None
        return text if type(text) is str and block is not None and block.kind else None

    def _start(self, fields: Fields, events: list[Event]) -> None:
        message = fields.required("message")
        started = generate_pb2.Started(id=loose_text(message.raw("id")), model=loose_text(message.raw("model")))
        usage = message.inner("usage") if isinstance(message.peek("usage"), dict) else None
        if usage is not None:
            self._usage = read_usage(usage)
            started.usage.CopyFrom(self._usage)
        for modelled in _HEAD:
            message.raw(modelled)
        started.extras.extend(as_extras(DIALECT, _present(message.rest())))
        self._started = True
        events.append(Event(started=started))

    def _open(self, fields: Fields, events: list[Event]) -> None:
        block = fields.required("content_block")
        kind = block.required_text("type")
        opened = self._blocks[_index(fields)] = _Block(kind)
        begun: list[Event] = []
        if kind == "text":
            text = block.text("text")
            begun = [Event(text=generate_pb2.TextDelta(text=text))] if text else []
        elif kind == "thinking":
            begun = _thought(block.text("thinking"), block.text("signature"))
        elif kind == "redacted_thinking":
            begun = [Event(reasoning=generate_pb2.ReasoningDelta(redacted=block.required_text("data").encode()))]
        elif kind == "tool_use":
            begun = [self._tool_use(opened, block)]
        else:
            opened.kind = ""
            events.append(_opaque(fields.whole_object(), "content_block_start"))
        left = _present(block.rest())
        if left.get("citations") == []:  # they are still to come
            del left["citations"]
        if opened.kind and (left or (kind == self._last and kind in _JOINED)):
            events.append(_opaque({"type": kind, **left}, BLOCK))
        events += begun
        self._last = kind

    def _tool_use(self, opened: _Block, block: Fields) -> Event:
        opened.call, self._calls = self._calls, self._calls + 1
        initial_input = block.inner("input")
        opened.input = initial_input.whole_object() if initial_input is not None else {}
        call = generate_pb2.ToolCallStarted(index=opened.call, id=block.required_text("id"), name=block.required_text("name"))
        return Event(tool_call_started=call)

    def _delta(self, fields: Fields, events: list[Event]) -> None:
        block = self._block(fields)
        delta = fields.required("delta")
        kind = delta.required_text("type")
        if not block.kind:
            events.append(_opaque(fields.whole_object(), "content_block_delta"))
        elif kind == "text_delta":
            events.append(Event(text=generate_pb2.TextDelta(text=delta.text("text") or "")))
        elif kind == "input_json_delta":
            piece = delta.text("partial_json") or ""
            block.has_delta = block.has_delta or bool(piece)
            if piece:
                events.append(Event(tool_call=generate_pb2.ToolCallDelta(index=block.call, arguments_json=piece)))
        elif kind == "thinking_delta":
            events += _thought(delta.text("thinking"), None)
        elif kind == "signature_delta":
            events += _thought(None, delta.text("signature"))
        elif kind == "citations_delta":
            citation = delta.required("citation").whole_object()
            events.append(Event(text=generate_pb2.TextDelta(extras=as_extras(DIALECT, {"citations": [citation]}))))
        else:
            events.append(_opaque(fields.whole_object(), "content_block_delta"))

    def _close(self, fields: Fields, events: list[Event]) -> None:
        block = self._block(fields)
        if not block.kind:
            events.append(_opaque(fields.whole_object(), "content_block_stop"))
        elif block.kind == "tool_use" and not block.has_delta:
            whole = dumped(block.input, "input").decode()
            events.append(Event(tool_call=generate_pb2.ToolCallDelta(index=block.call, arguments_json=whole)))

    def _end(self, fields: Fields, events: list[Event]) -> None:
        usage = fields.inner("usage") if isinstance(fields.peek("usage"), dict) else None
        if usage is not None:
            self._usage = read_usage(usage, self._usage)
        delta = fields.required("delta")
        word = delta.text("stop_reason")
        left = _present(delta.rest())
        if beside := _present({key: value for key, value in fields.rest().items() if key != "type"}):
            left[MESSAGE] = beside
        if not word or self._ended:
            if left:
                events.append(_opaque(fields.whole_object(), "message_delta"))
            return
        self._ended = True
        reason = finish_of(word)
        if reason == generate_pb2.FINISH_REASON_STOP and self._calls and word == "end_turn":
            reason = generate_pb2.FINISH_REASON_TOOL_CALLS
        if reason == generate_pb2.FINISH_REASON_OTHER:  # a word that clients of the dialect may know
            left["stop_reason"] = word
        finished = generate_pb2.ChoiceFinished(finish_reason=reason, native_finish_reason=word, extras=as_extras(DIALECT, left))
        events.append(Event(choice_finished=finished))

    def _stop(self, _fields: Fields, _events: list[Event]) -> None:
        self._whole = True

    def _ping(self, _fields: Fields, _events: list[Event]) -> None:
        """Keeps lines open, and says nothing."""

    def _block(self, fields: Fields) -> _Block:
        index = _index(fields)
        block = self._blocks.get(index)
        if block is None:
            raise DialectError("index", f"expected the index of a block that has begun, not {index}")
        return block


def _index(fields: Fields) -> int:
    index = fields.whole("index", 0, 2**31 - 1)
    if index is None:
        raise fields.wrong("index", "required: expected a whole number")
    return index


def _thought(text: str | None, signature: str | None) -> list[Event]:
    return [Event(reasoning=generate_pb2.ReasoningDelta(text=text or "", signature=signature or ""))] if text or signature else []


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _opaque(event: dict[str, Any], kind: str) -> Event:
    return Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(event, "event")))
