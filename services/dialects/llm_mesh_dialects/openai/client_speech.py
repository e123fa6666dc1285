"""Speech as clients of the dialect ask for it. `speech` has the provider's side."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import orjson

from llm_mesh.inference.v1 import generate_pb2, sound_pb2
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.vocabulary import DIALECT

_STREAM_FORMAT: Final = "stream_format"
_EVENTS: Final = "sse"
_FORMS: Final = (None, "audio", _EVENTS)
_PIECE: Final = 48 * 1024
"""Bytes of sound in an event: whole groups of base64."""


def body_to_input(body: dict[str, Any]) -> sound_pb2.SpeakInput:
    """A client's body to the typed payload."""
    fields = Fields(body)
    fields.text(_STREAM_FORMAT)  # how the sound is written, which no provider need know
    speed = fields.number("speed")
    request = sound_pb2.SpeakInput(
        model=fields.required_text("model"),
        text=fields.required_text("input"),
        voice=fields.required_text("voice"),
        instructions=fields.text("instructions") or "",
        format=fields.text("response_format") or "",
        source_dialect=DIALECT,
        extras=as_extras(DIALECT, fields.rest()),
    )
    if speed is not None:
        request.speed = speed
    return request


def wants_events(body: dict[str, Any]) -> bool:
    """Whether the client asks for server-sent events, and not for the plain sound."""
    fields = Fields(body)
    form = fields.text(_STREAM_FORMAT)
    if form not in _FORMS:
        raise fields.wrong(_STREAM_FORMAT, "expected audio or sse")
    return form == _EVENTS


def events_of(output: sound_pb2.SpeakOutput) -> Iterator[bytes]:
    """The sound as server-sent events."""
    for start in range(0, len(output.sound), _PIECE):
        piece = output.sound[start : start + _PIECE]
        yield _event({"type": "speech.audio.delta", "audio": media.encoded(piece)})
    yield _event({"type": "speech.audio.done", "usage": _usage(output.usage)})


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _usage(used: generate_pb2.Usage) -> dict[str, int]:
    put, out = used.input_tokens, used.output_tokens
    return {"input_tokens": put, "output_tokens": out, "total_tokens": put + out}
