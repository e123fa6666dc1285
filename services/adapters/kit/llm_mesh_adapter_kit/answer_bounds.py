"""How much an answer may have beside what its attempt was granted. One that goes far beyond is cut off.

The bounds are wide, since no honest provider may come near them, and two: of content, which callers are given and pay for, and of bytes on
the wire, which have names, escapes and log probabilities around the content.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import (
    assess_pb2,
    embed_pb2,
    generate_image_pb2,
    generate_pb2,
    moderate_pb2,
    rerank_pb2,
    sound_pb2,
)
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.errors import AdapterError, beyond_bounds
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_figures.texts import part_size

MOST_ANSWER: Final = 32 * 1024 * 1024
"""Bytes on the wire of a whole answer, whatever was granted: so many are held at once."""
MOST_VECTOR_TEXT: Final = 512 * 1024 * 1024
"""Bytes on the wire of an answer with vectors, of which nearly all is gone by the time they have come."""
PER_TOKEN: Final = 256
"""Bytes of content for each granted output token. The longest tokens of vocabularies have 128."""
SLACK: Final = 64 * 1024
"""Bytes of content that any answer may have: providers round limits up, and refuse in long words."""
ON_WIRE: Final = 64
"""Bytes on the wire for each byte of content: 20 log probabilities of a token, with the bytes of each, have less."""
USUAL_DIMENSIONS: Final = 16_384
"""Numbers of a vector that a model may have, whatever was requested: models that cannot shorten vectors send them whole."""
_NUMBER: Final = 4
_PER_RESULT: Final = 16 * 1024
"""Bytes of the verdict on one item or question: the names, scores and modalities of all categories."""
_PER_DOCUMENT: Final = 256
_PER_IMAGE: Final = 16 * 1024 * 1024
_SOUND_PER_MILLISECOND: Final = 400
"""48 kHz, 32 bits, two channels: 384."""
_SOUND_PER_CHARACTER: Final = 1_000 * _SOUND_PER_MILLISECOND
"""The slowest speech has a second for each."""
_TEXT_PER_MILLISECOND: Final = 4
"""The fastest speech has 30 characters a second; each may be a word of its own, with the moments of its beginning and end."""
_WITH_TEXT: Final = frozenset({"text", "reasoning", "refusal", "tool_call", "audio"})


class AnswerBounds(NamedTuple):
    """Of one answer, in bytes."""

    content: int
    wire: int
    output_tokens: int = 0
    """What an answer beyond them is charged: the model has worked for all that was granted, whatever it said."""

    def check(self, job: Job, size: int) -> None:
        """Refuses content of more bytes than that."""
        if size > self.content:
            raise beyond_bounds(job.endpoint.name, "content", self.content)

    def charge(self, job: Job, error: AdapterError) -> None:
        """Tells what an answer beyond them is charged."""
        if "beyond" in error.metadata:
            read = job.attempt.estimated_input_tokens or job.attempt.max_input_tokens
            error.metadata |= {"input_tokens": str(read), "output_tokens": str(self.output_tokens)}


def of_generation(job: Job, source: generate_pb2.GenerateInput) -> AnswerBounds:
    """Of an answer with the granted tokens. A whole answer is held at once, so that it is also bounded by `MOST_ANSWER`."""
    tokens = job.most_output * max(1, source.candidate_count)
    content = PER_TOKEN * tokens + SLACK
    return AnswerBounds(content, ON_WIRE * content, tokens)


def of_vectors(source: embed_pb2.EmbedInput) -> AnswerBounds:
    """Of an answer with one vector for each item."""
    content = _NUMBER * max(source.dimensions, USUAL_DIMENSIONS) * len(source.items) + SLACK
    return AnswerBounds(content, min(ON_WIRE * content, MOST_VECTOR_TEXT))


def of_method(rpc: str, attempt: plan_pb2.Attempt, source: Any) -> AnswerBounds:  # noqa: ANN401 (messages of the method)
    """Of the answer to a method with one input and one output."""
    content = SLACK + _CONTENT[rpc](attempt, source)
    return AnswerBounds(content, min(ON_WIRE * content, MOST_ANSWER))


def content_size(output: generate_pb2.GenerateOutput) -> int:
    """Bytes of the texts of a whole answer, as a stream of them would have."""
    return sum(part_size(part) for choice in output.choices for part in choice.message.parts if part.WhichOneof("kind") in _WITH_TEXT)


def _of_documents(_: plan_pb2.Attempt, source: rerank_pb2.RerankInput) -> int:
    return _PER_DOCUMENT * len(source.documents) + int(source.ByteSize())  # some providers repeat the documents


def _of_items(_: plan_pb2.Attempt, source: moderate_pb2.ModerateInput) -> int:
    return _PER_RESULT * len(source.items)


def _of_questions(_: plan_pb2.Attempt, source: assess_pb2.AssessInput) -> int:
    return _PER_RESULT * len(source.questions) + sum(question.ByteSize() for question in source.questions)


def _of_images(_: plan_pb2.Attempt, source: generate_image_pb2.GenerateImageInput) -> int:
    return _PER_IMAGE * max(1, source.count)


def _of_speech(attempt: plan_pb2.Attempt, source: sound_pb2.SpeakInput) -> int:
    return _SOUND_PER_MILLISECOND * attempt.units.audio_output_milliseconds or _SOUND_PER_CHARACTER * len(source.text)


def _of_transcript(attempt: plan_pb2.Attempt, source: sound_pb2.TranscribeInput) -> int:
    return _TEXT_PER_MILLISECOND * attempt.units.audio_input_milliseconds or int(source.sound.ByteSize())


_CONTENT: Final[Mapping[str, Callable[[plan_pb2.Attempt, Any], int]]] = MappingProxyType(
    {
        "Rerank": _of_documents,
        "Moderate": _of_items,
        "Assess": _of_questions,
        "GenerateImage": _of_images,
        "Speak": _of_speech,
        "Transcribe": _of_transcript,
    }
)
