"""What every answer has, whole or in lines: the message, why it ended, when it was made."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_text
from llm_mesh_dialects.ollama.calls import made_id
from llm_mesh_dialects.ollama.usage import COUNTS

ANSWER: Final = frozenset({"model", "created_at", "message", "done", "done_reason", "logprobs"}) | COUNTS
_MESSAGE: Final = frozenset({"role", "content", "thinking", "tool_calls", "images"})
_BYTE: Final = 255


class OllamaCall(NamedTuple):
    """One call of a tool."""

    id: str
    name: str
    arguments: str


class OllamaMessage(NamedTuple):
    """What one message says."""

    text: str
    thinking: str
    calls: list[OllamaCall]
    rest: dict[str, Any]
    """Keys that are not modelled."""


def message_of(answer: Fields, before: int = 0) -> OllamaMessage:
    """The message of an answer, or of one line of it. `before`: how many calls the lines before had."""
    message = answer.inner("message")
    if message is None:
        return OllamaMessage("", "", [], {})
    calls = list(_calls(message, loose_text(answer.raw("created_at")), before))
    for key in _MESSAGE:
        message.raw(key)
    return OllamaMessage(message.text("content") or "", message.text("thinking") or "", calls, _present(message.rest()))


def created(answer: Fields) -> int:
    """Seconds since 1970, by the server's clock; 0 where it does not say."""
    try:
        return int(datetime.fromisoformat(loose_text(answer.raw("created_at"))).timestamp())
    except (ValueError, OverflowError, OSError):
        return 0


def logprobs(answer: Fields) -> list[generate_pb2.TokenLogprob]:
    """Log-probabilities of the text."""
    return [_logprob(each) for each in answer.each("logprobs")]


def unmodelled(answer: Fields) -> dict[str, Any]:
    """Keys that the typed payload does not model, such as durations."""
    for key in ANSWER:
        answer.raw(key)
    return _present(answer.rest())


def _present(values: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


def _calls(message: Fields, moment: str, before: int) -> Iterator[OllamaCall]:
    for number, each in enumerate(message.each("tool_calls"), before):
        function = each.required("function")
        name = function.required_text("name")
        value = function.raw("arguments")
        if isinstance(value, str):
            arguments = value  # of servers that take after another dialect
        elif value is None or isinstance(value, dict):
            arguments = dumped(value or {}).decode()
        else:
            raise DialectError(function.at("arguments"), "expected an object")
        yield OllamaCall(each.text("id") or made_id(moment, number, name, arguments), name, arguments)


def _logprob(fields: Fields) -> generate_pb2.TokenLogprob:
    values = fields.items("bytes")
    whole = all(type(value) is int and 0 <= value <= _BYTE for value in values)
    return generate_pb2.TokenLogprob(
        token=fields.text("token") or "",
        logprob=fields.number("logprob") or 0.0,
        utf8=bytes(values) if whole else b"",
        top=[_logprob(each) for each in fields.each("top_logprobs")],
    )
