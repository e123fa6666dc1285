"""What one chunk adds to one choice, as typed events."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.loose import Halves
from llm_mesh_dialects.openai.parts_reading import thinking_of
from llm_mesh_dialects.openai.streams.calls import CallReader
from llm_mesh_dialects.openai.vocabulary import DIALECT

_KNOWN = frozenset({"role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls", "function_call", "audio"})

Event = generate_pb2.StreamEvent
Logprobs = list[generate_pb2.TokenLogprob]


class DeltaReader:
    """Reads the deltas of one stream. It remembers which tool calls have begun."""

    def __init__(self) -> None:
        self._calls: dict[int, CallReader] = {}
        self._halves = Halves()
        self.answer = ""
        """The id of the answer, by which ids of calls are made."""

    @property
    def waits(self) -> bool:
        """Whether half of a character waits for the other half."""
        return bool(self._halves)

    def read(self, delta: object, index: int, path: str, content: Logprobs, refusal: Logprobs, events: list[Event]) -> None:
        """Appends the events of a delta."""
        if not isinstance(delta, dict):
            raise DialectError(path, "expected an object")
        text, thought = _pieces(delta.get("content"), f"{path}.content")
        thought += _text(delta.get("reasoning_content") or delta.get("reasoning"), f"{path}.reasoning_content")
        if thought and (thought := self._halves.mended((index, "reasoning"), thought)):
            events.append(Event(reasoning=generate_pb2.ReasoningDelta(choice=index, text=thought)))
        left = None if delta.keys() <= _KNOWN else {k: v for k, v in delta.items() if k not in _KNOWN and v is not None}
        if text:
            text = self._halves.mended((index, "content"), text)
        if text or content:
            extras = as_extras(DIALECT, left) if left else ()
            events.append(Event(text=generate_pb2.TextDelta(choice=index, text=text, logprobs=content, extras=extras)))
            left = None
        declined = delta.get("refusal")
        if declined or refusal:
            refusal_text = _text(declined, f"{path}.refusal")
            events.append(Event(refusal=generate_pb2.TextDelta(choice=index, text=refusal_text, logprobs=refusal)))
        calls = delta.get("tool_calls")
        if calls:
            self._tool_calls(calls, index, f"{path}.tool_calls", events)
        elif delta.get("function_call"):  # as servers had it before there were several calls
            where = f"{path}.function_call"
            self._tool_call({"function": delta["function_call"]}, index, where, where, events)
        audio = delta.get("audio")
        if audio:
            _sound(audio, index, f"{path}.audio", events)
        if left:
            events.append(_fragment(index, left))

    def _tool_calls(self, calls: Any, index: int, path: str, events: list[Event]) -> None:  # noqa: ANN401 (JSON)
        if type(calls) is dict:
            self._tool_call(calls, index, path, f"{path}.function", events)
            return
        if type(calls) is not list:
            raise DialectError(path, "expected a list")
        for place, call in enumerate(calls):
            where = f"{path}[{place}]"
            if type(call) is not dict:
                raise DialectError(where, "expected an object")
            self._tool_call(call, index, where, f"{where}.function", events)

    def _tool_call(self, call: dict[str, Any], index: int, path: str, function: str, events: list[Event]) -> None:
        kind = call.get("type")
        if kind not in (None, "", "function") or (kind is None and "custom" in call):  # of a server: it may be a list
            events.append(_fragment(index, {"tool_calls": [call]}))
            return
        left = self._calls.setdefault(index, CallReader(index)).read(call, (path, function), self.answer, events)
        if left:
            events.append(_fragment(index, {"tool_calls": [left]}))

    def called(self, index: int) -> bool:
        """Whether a choice has tool calls."""
        return bool(self._calls.get(index))

    def end(self, index: int, events: list[Event]) -> None:
        """Appends what waited for more of a choice that has ended."""
        rests = [(key, self._halves.rest((index, key))) for key in ("content", "reasoning")]
        events.extend(_text_event(index, key, rest) for key, rest in rests if rest)
        reader = self._calls.get(index)
        if reader is not None:
            reader.end(events)


def _text_event(index: int, key: str, text: str) -> Event:
    if key == "content":
        return Event(text=generate_pb2.TextDelta(choice=index, text=text))
    return Event(reasoning=generate_pb2.ReasoningDelta(choice=index, text=text))


def _pieces(value: Any, path: str) -> tuple[str, str]:  # noqa: ANN401 (JSON)
    """The text and the thinking of a content: a text, or a list of parts as Mistral has it."""
    if value is None or isinstance(value, str):
        return value or "", ""
    if not isinstance(value, list):
        raise DialectError(path, "expected a string or a list of parts")
    text, thought = [], []
    for part in value:
        if isinstance(part, str):
            text.append(part)
        elif isinstance(part, dict) and part.get("type") == "thinking":
            thought.append(thinking_of(part))
        elif isinstance(part, dict) and isinstance(part.get("text"), str):
            text.append(part["text"])
    return "".join(text), "".join(thought)


def _sound(audio: Any, index: int, path: str, events: list[Event]) -> None:  # noqa: ANN401 (JSON)
    if type(audio) is not dict:
        raise DialectError(path, "expected an object")
    try:
        data = b64decode(_text(audio.get("data"), f"{path}.data"), validate=True)
    except (Base64Error, ValueError):
        raise DialectError(f"{path}.data", "expected base64") from None
    transcript = _text(audio.get("transcript"), f"{path}.transcript")
    if data or transcript:
        events.append(Event(audio=generate_pb2.AudioDelta(choice=index, data=data, transcript=transcript)))
    left = _unmodelled(audio, frozenset({"data", "transcript"}))
    if left:
        events.append(_fragment(index, {"audio": left}))


def _fragment(index: int, delta: dict[str, Any]) -> Event:
    json = dumped({"choices": [{"index": index, "delta": delta}]}, "chunk")
    return Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type="chat.completion.chunk", json=json))


def _unmodelled(values: dict[str, Any], known: frozenset[str]) -> dict[str, Any]:
    return {} if values.keys() <= known else {key: value for key, value in values.items() if key not in known and value is not None}


def _text(value: Any, path: str) -> str:  # noqa: ANN401 (JSON)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DialectError(path, "expected a string")
    return value
