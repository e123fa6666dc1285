"""Speech: a tone for each word, as a WAV file, whatever format is asked for by a name."""

import math
import struct
from dataclasses import dataclass

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.errors import RefusedError
from llm_mesh_simulator.domain.words import digest
from llm_mesh_simulator.provider.fields import RequestFields
from llm_mesh_simulator.provider.openai.headers import headers
from llm_mesh_simulator.provider.reply import AnswerIdentity, Reply

_RATE = 8_000
_PER_WORD = 400
"""Samples of a word: 50 ms."""
_LONGEST = 4_096
_FORMATS = frozenset({"mp3", "opus", "aac", "flac", "wav", "pcm"})


@dataclass(frozen=True, slots=True)
class SpokenText:
    """A text to speak."""

    text: str
    prompt_tokens: int
    stream: bool = False

    def reply(self, behaviour: Behaviour, identity: AnswerIdentity) -> Reply:
        """The sound. These providers say nothing of what it used."""
        del behaviour
        samples = b"".join(map(_word, self.text.split()))
        head = struct.pack(
            "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(samples), b"WAVE", b"fmt ", 16, 1, 1, _RATE, 2 * _RATE, 2, 16, b"data", len(samples)
        )
        return Reply(200, [*headers(identity.request, tokens=self.prompt_tokens), (b"content-type", b"audio/wav")], head + samples)


def read(body: RequestFields) -> SpokenText:
    """Reads and checks a request."""
    body.text("model")
    body.text("voice")
    text = body.text("input")
    if not 1 <= len(text) <= _LONGEST:
        raise RefusedError(f"Expected 1 to {_LONGEST} characters.", param="input")
    if (form := body.text_or("response_format") or "mp3") not in _FORMATS:
        raise RefusedError(f"Invalid value: '{form}'.", param="response_format")
    return SpokenText(text, tokens.count(text))


def _word(word: str) -> bytes:
    pitch = 200 + digest(word)[0]
    return b"".join(struct.pack("<h", int(8_000 * math.sin(2 * math.pi * pitch * place / _RATE))) for place in range(_PER_WORD))
