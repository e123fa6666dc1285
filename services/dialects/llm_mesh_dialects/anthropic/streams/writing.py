"""From typed events to a client's, as whole frames of server-sent events.

The dialect puts what follows one another into blocks that open and close; here a block opens when something of another kind
comes, and closes before the next. The reason of the end and the usage share one event, so the end waits for both.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic import errors
from llm_mesh_dialects.anthropic.streams.reading import BLOCK, MESSAGE
from llm_mesh_dialects.anthropic.streams.waiting import Arguments, Waiting
from llm_mesh_dialects.anthropic.usage import write_usage
from llm_mesh_dialects.anthropic.vocabulary import DIALECT, finish_word
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.event_names import is_event_name
from llm_mesh_dialects.extras import parsed, put_back

# A piece of text, which nearly every event is, is its JSON string between two fixed pieces.
_TEXT_HEAD: Final = b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,"delta":{"type":"text_delta","text":'
_TEXT_TAIL: Final = b"}}\n\n"
_LIFECYCLE: Final = frozenset({"message_start", "message_stop", "error"})
"""Events that are this writer's to send."""
_BLOCKS: Final = frozenset({"text", "refusal", "reasoning", "tool_call_started", "tool_call", "opaque"})
_MOST_WAITING: Final = 1024 * 1024
"""Bytes of events that wait for the end of a call."""
_EMPTY_TEXT: Final = {"type": "text", "text": ""}
_EMPTY_THINKING: Final = {"type": "thinking", "thinking": "", "signature": ""}


class EventWriter:
    """Writes one stream. `id` and `model` replace what the provider said."""

    def __init__(self, *, id: str = "", model: str = "") -> None:  # noqa: A002 (the dialect's name)
        self._id = id
        self._model = model
        self._begun = False
        self._index = -1
        self._open = ""
        self._call = -1
        self._arguments = Arguments()
        self._waiting = Waiting()
        self._refused = False
        self._next: dict[str, Any] = {}
        self._text_head = b""
        self._usage = generate_pb2.Usage()
        self._finished = generate_pb2.ChoiceFinished(finish_reason=generate_pb2.FINISH_REASON_STOP)
        self._writers: Mapping[str, Callable[[Any], bytes]] = {
            "started": self._start,
            "text": self._text,
            "refusal": self._refusal,
            "reasoning": self._reasoning,
            "tool_call_started": self._tool_call_started,
            "tool_call": self._tool_call,
            "choice_finished": self._choice_finished,
            "usage": self._keep_usage,
            "opaque": self._opaque,
        }

    def write(self, event: generate_pb2.StreamEvent) -> bytes:
        """The frames of an event; empty where it writes nothing."""
        kind = event.WhichOneof("kind")
        if kind == "text" and self._open == "text":
            delta = event.text
            if delta.text and not (delta.choice or delta.extras):
                return self._text_head + orjson.dumps(delta.text) + _TEXT_TAIL
        if self._open == "tool_use" and kind in _BLOCKS and not self._is_of_open_call(event, kind):
            return self._later(event, kind)
        written = self._write(event, kind)
        return written + self._release() if self._waiting else written

    def _write(self, event: generate_pb2.StreamEvent, kind: str | None) -> bytes:
        write = self._writers.get(kind) if kind is not None else None
        return write(getattr(event, str(kind))) if write is not None else b""

    def _is_of_open_call(self, event: generate_pb2.StreamEvent, kind: str) -> bool:
        return kind == "tool_call" and event.tool_call.index == self._call

    def _later(self, event: generate_pb2.StreamEvent, kind: str) -> bytes:
        """Holds back what follows a call whose arguments are not whole yet."""
        self._waiting.add(event, kind)
        return self._release(forced=self._waiting.bytes > _MOST_WAITING)

    def _release(self, *, forced: bool = False) -> bytes:
        """Writes what waits, as far as calls are whole. `forced`, no more comes for any of them."""
        frames: list[bytes] = []
        while self._waiting and (forced or self._open != "tool_use" or self._arguments.whole):
            frames.append(self._shut())
            frames += [self._write(event, event.WhichOneof("kind")) for event in self._waiting.next()]
        return b"".join(frames)

    def close(self, usage_extras: Mapping[str, Any] | None = None) -> bytes:
        """The end: why it ended, the usage, and that nothing follows."""
        reason = self._finished.finish_reason
        if self._refused and reason == generate_pb2.FINISH_REASON_STOP:
            reason = generate_pb2.FINISH_REASON_REFUSAL
        delta: dict[str, Any] = {
            "stop_reason": finish_word(reason, self._finished.native_finish_reason),
            "stop_sequence": None,
        }
        stop: dict[str, Any] = {}
        put_back(stop, self._finished.extras, DIALECT)
        usage = write_usage(self._usage) | dict(usage_extras or {})
        beside = stop.pop(MESSAGE, None)
        end = _frame("message_delta", {"delta": delta | stop, "usage": usage, **(beside if isinstance(beside, dict) else {})})
        return self._began() + self._release(forced=True) + self._shut() + end + _frame("message_stop", {})

    def failure(self, message: str, *, type: str, request_id: str = "", extras: Mapping[str, Any] | None = None) -> bytes:  # noqa: A002
        """An error after the answer has begun. Nothing follows."""
        body = errors.body(message, type=type, request_id=request_id, extras=extras)
        return b"event: error\ndata: " + orjson.dumps(body) + b"\n\n"

    def _start(self, started: generate_pb2.Started) -> bytes:
        if self._begun:
            return b""
        self._begun = True
        if started.HasField("usage"):
            self._usage = started.usage
        message: dict[str, Any] = {
            "id": self._id or started.id,
            "type": "message",
            "role": "assistant",
            "model": self._model or started.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(self._usage),
        }
        put_back(message, started.extras, DIALECT)
        return _frame("message_start", {"message": message})

    def _text(self, delta: generate_pb2.TextDelta) -> bytes:
        if delta.choice:
            return b""
        fields: dict[str, Any] = {}
        if delta.extras:
            put_back(fields, delta.extras, DIALECT)
        begun = self._switched("text", _EMPTY_TEXT) if delta.text or "citations" in fields else b""
        for citation in fields.get("citations") or ():
            begun += self._delta({"type": "citations_delta", "citation": citation})
        return begun + self._delta({"type": "text_delta", "text": delta.text}) if delta.text else begun

    def _refusal(self, delta: generate_pb2.TextDelta) -> bytes:
        self._refused = True
        return self._text(delta)

    def _reasoning(self, delta: generate_pb2.ReasoningDelta) -> bytes:
        if delta.choice:
            return b""
        if delta.redacted:
            block = {"type": "redacted_thinking", "data": delta.redacted.decode(errors="replace")}
            return self._began() + self._begin("redacted_thinking", block) + self._shut()
        frames = self._switched("thinking", _EMPTY_THINKING)
        if delta.text:
            frames += self._delta({"type": "thinking_delta", "thinking": delta.text})
        if delta.signature:  # comes once, last
            frames += self._delta({"type": "signature_delta", "signature": delta.signature}) + self._shut()
        return frames

    def _tool_call_started(self, call: generate_pb2.ToolCallStarted) -> bytes:
        if call.choice:
            return b""
        self._call = call.index
        self._arguments = Arguments()
        return self._began() + self._begin("tool_use", {"type": "tool_use", "id": call.id, "name": call.name, "input": {}})

    def _tool_call(self, call: generate_pb2.ToolCallDelta) -> bytes:
        if call.choice:
            return b""
        if self._open != "tool_use" or call.index != self._call:
            raise DialectError("content", "expected more of the tool_use that began last: blocks do not interleave")
        self._arguments.add(call.arguments_json)
        return self._delta({"type": "input_json_delta", "partial_json": call.arguments_json})

    def _choice_finished(self, finished: generate_pb2.ChoiceFinished) -> bytes:
        if finished.choice:
            return b""
        self._finished = finished
        return self._began() + self._release(forced=True) + self._shut()

    def _keep_usage(self, usage: generate_pb2.Usage) -> bytes:
        self._usage = usage
        return b""

    def _opaque(self, part: content_pb2.OpaquePart) -> bytes:
        """An event of the same dialect, at its place; those of others have none here."""
        if part.dialect != DIALECT:
            return b""
        event = parsed(part.json)
        if not isinstance(event, dict):
            raise DialectError("content", "expected an object for each event that is not modelled")
        if part.type == "content_block_start":
            return self._began() + self._begin("opaque", _block(event))
        if part.type == "content_block_stop":
            return self._shut()
        if part.type == BLOCK:
            self._next = event
            return self._shut()
        if not is_event_name(part.type) or part.type in _LIFECYCLE:
            return b""
        if "index" in event:
            event["index"] = self._index
        return self._began() + _frame(part.type, {key: value for key, value in event.items() if key != "type"})

    def _began(self) -> bytes:
        return b"" if self._begun else self._start(generate_pb2.Started())

    def _switched(self, kind: str, block: Mapping[str, Any]) -> bytes:
        return b"" if self._open == kind else self._began() + self._begin(kind, block)

    def _begin(self, kind: str, block: Mapping[str, Any]) -> bytes:
        closing = self._shut()
        self._index += 1
        self._open = kind
        self._text_head = _TEXT_HEAD % self._index
        if self._next.get("type") == block.get("type"):
            block = {**self._next, **block}
        self._next = {}
        return closing + _frame("content_block_start", {"index": self._index, "content_block": block})

    def _shut(self) -> bytes:
        if not self._open:
            return b""
        self._open = ""
        return _frame("content_block_stop", {"index": self._index})

    def _delta(self, delta: dict[str, Any]) -> bytes:
        return _frame("content_block_delta", {"index": self._index, "delta": delta})


def _block(event: Mapping[str, Any]) -> Mapping[str, Any]:
    block = event.get("content_block")
    if not isinstance(block, dict):
        raise DialectError("content", "expected an object for each block that is not modelled")
    return block


def _frame(name: str, fields: Mapping[str, Any]) -> bytes:
    return b"event: " + name.encode() + b"\ndata: " + orjson.dumps({"type": name, **fields}) + b"\n\n"
