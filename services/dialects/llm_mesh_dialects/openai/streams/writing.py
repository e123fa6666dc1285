"""From typed events to a client's chunks, as whole frames of server-sent events.

The head that all chunks of a stream share is written once; a chunk of text is its JSON string between two fixed pieces.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import orjson

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import merged, parsed, put_back
from llm_mesh_dialects.openai import errors, media
from llm_mesh_dialects.openai.logprobs import write_logprobs
from llm_mesh_dialects.openai.proofs import of_next_call, put_proof
from llm_mesh_dialects.openai.usage import write_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT, finish_word

_DATA = b"data: "
_END = b"\n\n"
_DONE = b"data: [DONE]\n\n"
_QUOTE = b'"'
_FIRST = (0, "content")
_AROUND_TEXT = 6
_BITS_OF_A_BYTE = 7
"""Of a length on the wire."""
_CHUNK = "chat.completion.chunk"


class ChunkWriter:
    """Writes one stream. `id` and `model` replace what the provider said."""

    def __init__(self, *, include_usage: bool, id: str = "", model: str = "") -> None:  # noqa: A002 (the dialect's name)
        self._include_usage = include_usage
        self._id = id
        self._model = model
        self._usage: generate_pb2.Usage | None = None
        self._begun: set[int] = set()
        self._proofs: dict[int, str] = {}
        """Of choices, the proof that goes with the next tool call."""
        self._writers: Mapping[str, Callable[[Any], bytes]] = {
            "started": self._begin,
            "reasoning": self._reasoning,
            "refusal": self._refusal,
            "tool_call_started": self._tool_call_started,
            "tool_call": self._tool_call,
            "audio": self._audio,
            "choice_finished": self._choice_finished,
            "usage": self._keep_usage,
            "opaque": self._opaque,
        }
        self._begin(generate_pb2.Started())

    def write(self, event: generate_pb2.StreamEvent) -> bytes:
        """The frames of an event; empty where it writes nothing."""
        kind = event.WhichOneof("kind")
        if kind == "text":
            return self._text(event.text, "content")
        write = self._writers.get(kind) if kind is not None else None
        return write(getattr(event, str(kind))) if write is not None else b""

    def write_all(self, events: Sequence[generate_pb2.StreamEvent], size: int) -> bytes:
        """The frames of events, one after the other. `size` is what the repeated field of them takes on the wire.

        It tells, by one look at all instead of one at each, whether their texts are those of the first choice with nothing beside them.
        The frames of such texts differ in the text alone, and those that follow one another are written at once.
        """
        events = events[:]  # a list: the end of a loop over a repeated field would be an exception with a text
        texts = [event.text.text for event in events]
        plain = size == _least_size(events, texts)
        begin = self._begins.get(_FIRST, b"") if plain else b""
        if begin and "" not in texts:
            return self._texts(begin, texts)
        frames: list[bytes] = []
        run: list[str] = []
        for event, text in zip(events, texts, strict=True):
            if text and begin:
                run.append(text)
                continue
            if run:
                frames.append(self._texts(begin, run))
                run = []
            frames.append(self.write(event))
            begin = self._begins.get(_FIRST, b"") if plain else b""  # what was written may have changed it
        if run:
            frames.append(self._texts(begin, run))
        return b"".join(frames)

    def _texts(self, begin: bytes, texts: list[str]) -> bytes:
        dumped = orjson.dumps(texts)[2:-2]
        if b"\\" in dumped:
            return b"".join([begin + orjson.dumps(text) + self._plain for text in texts])
        # Without an escape each quote begins or ends a text, and these three bytes stand between two of them only.
        return begin + _QUOTE + dumped.replace(b'","', _QUOTE + self._plain + begin + _QUOTE) + _QUOTE + self._plain

    def close(self, usage_extras: Mapping[str, Any] | None = None) -> bytes:
        """The end: the usage where it was asked for, and that nothing follows."""
        if not self._include_usage:
            return _DONE
        usage = write_usage(self._usage) | dict(usage_extras or {}) if self._usage is not None else None
        return self._head + b',"choices":[],"usage":' + orjson.dumps(usage) + b"}" + _END + _DONE

    def failure(
        self,
        message: str,
        *,
        type: str,  # noqa: A002
        code: str | None = None,
        param: str | None = None,
        extras: Mapping[str, Any] | None = None,
    ) -> bytes:
        """An error after the answer has begun. Nothing follows."""
        return _DATA + orjson.dumps(errors.body(message, type=type, code=code, param=param, extras=extras)) + _END

    def _begin(self, started: generate_pb2.Started) -> bytes:
        head: dict[str, Any] = {
            "id": self._id or started.id,
            "object": _CHUNK,
            "created": started.created,
            "model": self._model or started.model,
        }
        put_back(head, started.extras, DIALECT)
        self._fields = head
        self._head = _DATA + orjson.dumps(head)[:-1]
        self._tail = (b',"usage":null}' if self._include_usage else b"}") + _END
        self._begins: dict[tuple[int, str], bytes] = {}
        self._plain = b'},"logprobs":null,"finish_reason":null}]' + self._tail
        if started.HasField("usage"):
            self._usage = started.usage
        return b""

    def _text(self, delta: generate_pb2.TextDelta, key: str) -> bytes:
        choice, text = delta.choice, delta.text
        # A text, perhaps the number of its choice, and nothing else: no log-probabilities, no extras.
        if text and choice in self._begun and len(delta.ListFields()) == (2 if choice else 1):
            begin = self._begins.get((choice, key)) or self._begin_of(choice, key)
            return begin + orjson.dumps(text) + self._plain
        written: dict[str, Any] = {key: text}
        put_back(written, delta.extras, DIALECT)
        shown = write_logprobs(delta.logprobs, ()) if key == "content" else write_logprobs((), delta.logprobs)
        return self._delta(choice, written, shown)

    def _begin_of(self, choice: int, key: str) -> bytes:
        begin = self._begins[choice, key] = self._head + b',"choices":[{"index":%d,"delta":{"%s":' % (choice, key.encode())
        return begin

    def _refusal(self, delta: generate_pb2.TextDelta) -> bytes:
        return self._text(delta, "refusal")

    def _reasoning(self, delta: generate_pb2.ReasoningDelta) -> bytes:
        if delta.signature and of_next_call(delta.signature):
            self._proofs[delta.choice] = delta.signature
        return self._delta(delta.choice, {"reasoning_content": delta.text}) if delta.text else b""

    def _tool_call_started(self, call: generate_pb2.ToolCallStarted) -> bytes:
        function = {"name": call.name, "arguments": ""}
        written: dict[str, Any] = {"index": call.index, "id": call.id, "type": "function", "function": function}
        put_back(written, call.extras, DIALECT)
        if self._proofs and (proof := self._proofs.pop(call.choice, "")):
            put_proof(written, proof)
        return self._delta(call.choice, {"tool_calls": [written]})

    def _tool_call(self, call: generate_pb2.ToolCallDelta) -> bytes:
        return self._delta(call.choice, {"tool_calls": [{"index": call.index, "function": {"arguments": call.arguments_json}}]})

    def _audio(self, delta: generate_pb2.AudioDelta) -> bytes:
        sound: dict[str, Any] = {}
        if delta.data:
            sound["data"] = media.encoded(delta.data)
        if delta.transcript:
            sound["transcript"] = delta.transcript
        return self._delta(delta.choice, {"audio": sound})

    def _choice_finished(self, finished: generate_pb2.ChoiceFinished) -> bytes:
        written: dict[str, Any] = {
            "index": finished.choice,
            "delta": self._opened(finished.choice, {}),
            "logprobs": None,
            "finish_reason": finish_word(finished.finish_reason, finished.native_finish_reason),
        }
        put_back(written, finished.extras, DIALECT)
        return self._frame(written)

    def _opaque(self, part: content_pb2.OpaquePart) -> bytes:
        """A fragment of a chunk of the same dialect; those of others have no place here."""
        if part.dialect != DIALECT or part.type != _CHUNK:
            return b""
        return _DATA + orjson.dumps(merged({"choices": [], **parsed(part.json)}, self._fields)) + _END

    def _keep_usage(self, usage: generate_pb2.Usage) -> bytes:
        self._usage = usage
        return b""

    def _delta(self, choice: int, delta: dict[str, Any], logprobs: dict[str, Any] | None = None) -> bytes:
        return self._frame({"index": choice, "delta": self._opened(choice, delta), "logprobs": logprobs, "finish_reason": None})

    def _opened(self, choice: int, delta: dict[str, Any]) -> dict[str, Any]:
        """The first delta of a choice says who speaks."""
        if choice in self._begun:
            return delta
        self._begun.add(choice)
        return {"role": "assistant", **delta}

    def _frame(self, choice: dict[str, Any]) -> bytes:
        return self._head + b',"choices":[' + orjson.dumps(choice) + b"]" + self._tail


def _least_size(events: Sequence[generate_pb2.StreamEvent], texts: Sequence[str]) -> int:
    """What events take on the wire where their texts have nothing beside them; less than they take where any has.

    A short text has three tags and three lengths around it, each a byte. A longer one has longer lengths: it counts as one that is not
    plain, which costs time and nothing else.
    """
    joined, others = "".join(texts), texts.count("")
    size = (len(joined) if joined.isascii() else len(joined.encode())) + _AROUND_TEXT * (len(texts) - others)
    if others:
        for event, text in zip(events, texts, strict=True):
            if not text:
                own = event.ByteSize()
                size += 1 + max(1, -(-own.bit_length() // _BITS_OF_A_BYTE)) + own
    return size
