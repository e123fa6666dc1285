"""What one chunk adds to one choice, as typed events."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import dumped, kept
from llm_mesh_dialects.openai.vocabulary import DIALECT

_KNOWN = frozenset({"role", "content", "refusal", "reasoning_content", "reasoning", "tool_calls", "audio"})
_CALL = frozenset({"index", "id", "type", "function"})
_FUNCTION = frozenset({"name", "arguments"})
_MOST_CALLS = 1_024

Event = generate_pb2.StreamEvent
Logprobs = list[generate_pb2.TokenLogprob]


class DeltaReader:
    """Reads the deltas of one stream. It remembers which tool calls have begun."""

    def __init__(self) -> None:
        self._calls: dict[tuple[int, int], str] = {}

    def read(self, delta: object, index: int, path: str, content: Logprobs, refusal: Logprobs, events: list[Event]) -> None:
        """Appends the events of a delta."""
        if not isinstance(delta, dict):
            raise DialectError(path, "expected an object")
        thought = delta.get("reasoning_content") or delta.get("reasoning")
        if thought:
            events.append(Event(reasoning=generate_pb2.ReasoningDelta(choice=index, text=_text(thought, f"{path}.reasoning_content"))))
        left = None if delta.keys() <= _KNOWN else {k: v for k, v in delta.items() if k not in _KNOWN and v is not None}
        text = delta.get("content")
        if text or content:
            found = _text(text, f"{path}.content")
            extras = kept(DIALECT, left) if left else ()
            events.append(Event(text=generate_pb2.TextDelta(choice=index, text=found, logprobs=content, extras=extras)))
            left = None
        declined = delta.get("refusal")
        if declined or refusal:
            found = _text(declined, f"{path}.refusal")
            events.append(Event(refusal=generate_pb2.TextDelta(choice=index, text=found, logprobs=refusal)))
        calls = delta.get("tool_calls")
        if calls:
            self._tool_calls(calls, index, f"{path}.tool_calls", events)
        audio = delta.get("audio")
        if audio:
            _sound(audio, index, f"{path}.audio", events)
        if left:
            events.append(_fragment(index, left))

    def _tool_calls(self, calls: Any, index: int, path: str, events: list[Event]) -> None:  # noqa: ANN401 (JSON)
        if type(calls) is not list:
            raise DialectError(path, "expected a list")
        for place, call in enumerate(calls):
            where = f"{path}[{place}]"
            if type(call) is not dict:
                raise DialectError(where, "expected an object")
            self._tool_call(call, index, place, where, events)

    def _tool_call(self, call: dict[str, Any], index: int, place: int, path: str, events: list[Event]) -> None:
        kind = call.get("type")
        if kind not in {None, "", "function"} or (kind is None and "custom" in call):
            events.append(_fragment(index, {"tool_calls": [call]}))
            return
        number = self._number(call, index, place, path)
        function = call.get("function") or {}
        if type(function) is not dict:
            raise DialectError(f"{path}.function", "expected an object")
        if (index, number) not in self._calls:
            identity = _text(call.get("id"), f"{path}.id")
            name = _text(function.get("name"), f"{path}.function.name")
            self._calls[index, number] = identity
            started = generate_pb2.ToolCallStarted(choice=index, index=number, id=identity, name=name)
            events.append(Event(tool_call_started=started))
        arguments = function.get("arguments")
        if isinstance(arguments, dict):
            arguments = dumped(arguments).decode()
        if arguments:
            more = _text(arguments, f"{path}.function.arguments")
            events.append(Event(tool_call=generate_pb2.ToolCallDelta(choice=index, index=number, arguments_json=more)))
        left = _unmodelled(call, _CALL)
        inner = _unmodelled(function, _FUNCTION)
        if left or inner:
            odd = {"index": number, **left, **({"function": inner} if inner else {})}
            events.append(_fragment(index, {"tool_calls": [odd]}))

    def _number(self, call: dict[str, Any], index: int, place: int, path: str) -> int:
        """The call's index. Servers that leave it out send each call whole, and tell calls apart by id."""
        number = call.get("index")
        if number is None:
            identity = call.get("id")
            begun = [key[1] for key, known in self._calls.items() if key[0] == index and known == identity]
            number = begun[0] if identity and begun else (len([key for key in self._calls if key[0] == index]) if identity else place)
        if type(number) is not int or not 0 <= number < _MOST_CALLS:
            raise DialectError(f"{path}.index", "expected a whole number")
        return number


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
