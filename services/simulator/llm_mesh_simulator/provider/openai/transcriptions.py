"""Transcriptions: words that follow from the sound, two for each second of it."""

import struct
from typing import Any

from llm_mesh_simulator.domain.answer import Usage
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.words import digest, words
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.method import Document, MethodAnswer
from llm_mesh_simulator.provider.reply import AnswerIdentity

_HEAD = struct.Struct("<4sI4s4sIHHIIH")
_BYTES_PER_SECOND = 4_000
"""Of sounds that are no WAV files."""
_FORMATS = frozenset({"json", "verbose_json", "diarized_json"})
_OF_TRANSLATIONS = frozenset({"json", "verbose_json"})


def read(body: RequestFields) -> MethodAnswer:
    """Reads and checks a request."""
    return _written(body, "transcribe", _FORMATS)


def read_translation(body: RequestFields) -> MethodAnswer:
    """The same for a translation into English, which these words are anyway."""
    return _written(body, "translate", _OF_TRANSLATIONS)


def _written(body: RequestFields, task: str, forms: frozenset[str]) -> MethodAnswer:
    body.text("model")
    sound = body.values.get("file")
    if not isinstance(sound, bytes) or not sound:
        raise body.missing("file")
    form = body.text_or("response_format") or "json"
    if form not in forms:
        raise RefusedError(f"Invalid value: '{form}'.", param="response_format")
    seconds = _seconds(sound)
    spoken = words(max(1, round(2 * seconds)), digest(sound.hex()).hex())
    text = "".join(spoken).strip()

    def document(_identity: AnswerIdentity, usage: Usage | None) -> Document:
        made: dict[str, Any] = {"text": text}
        if form != "json":
            segment = {"id": 0, "start": 0.0, "end": seconds, "text": text}
            made |= {"task": task, "language": "english", "duration": seconds, "segments": [segment]}
            made["words"] = [{"word": word.strip(), "start": place / 2, "end": (place + 1) / 2} for place, word in enumerate(spoken)]
        return made if usage is None else made | {"usage": {"type": "duration", "seconds": seconds}}

    return MethodAnswer(document, 0)


def _seconds(sound: bytes) -> float:
    if len(sound) >= _HEAD.size and sound.startswith(b"RIFF"):
        *_, samples, _, block = _HEAD.unpack_from(sound)
        return (len(sound) - 44) / max(1, int(samples * block))
    return len(sound) / _BYTES_PER_SECOND
