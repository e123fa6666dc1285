"""Speech from text. The answer is the sound itself, without a word about what it used."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2, sound_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_MIME_TYPES: Final = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}
_DEFAULT: Final = "mp3"


def input_to_body(
    request: sound_pb2.SpeakInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[dict[str, Any], list[generate_pb2.Translation]]:
    """The typed payload to a provider's body."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    body: dict[str, Any] = {"model": model, "input": request.text, "voice": request.voice}
    if request.instructions:
        body["instructions"] = request.instructions
    if request.format:
        body["response_format"] = request.format
    if request.HasField("speed"):
        body["speed"] = request.speed
    if request.end_user:
        report.dropped("end_user", "the provider takes no user with a text to speak")
    put_back(body, request.extras, DIALECT, report, place="speech.")
    return body, report.translations


def body_into_output(body: bytes, content_type: str, request: sound_pb2.SpeakInput, output: sound_pb2.SpeakOutput) -> None:
    """A provider's answer to the typed payload."""
    kind = content_type.partition(";")[0].strip()
    if not body:
        raise DialectError("", "expected sound")
    if kind.startswith(("application/json", "text/")):
        raise DialectError("", f"expected sound, and not {kind}")
    output.sound = body
    output.mime_type = kind if kind.startswith("audio/") else _MIME_TYPES[request.format or _DEFAULT]
