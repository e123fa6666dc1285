"""What the router may know of inputs that are no conversation: bounds and needs, never the words."""

from __future__ import annotations

import math
from collections.abc import Iterable

from llm_mesh.inference.v1 import assess_pb2, generate_image_pb2, moderate_pb2, rerank_pb2, sound_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_figures.texts import tokens_of
from llm_mesh_gateway.domain.lengths import longest_milliseconds
from llm_mesh_gateway.domain.profile import InputReading

_AUTO = "auto"
_MILLISECONDS_PER_TOKEN = 100
_MILLISECONDS_PER_CHARACTER = 1_000
_SLOWEST = 0.25
_DOCUMENTS_PER_SEARCH = 100
_TOKENS_PER_DOCUMENT = 500
"""Cohere counts a longer document as several, query included."""


def profile_rerank(profile: router_pb2.RequestProfile, request: rerank_pb2.RerankInput) -> None:
    """The query is read with each document, and some providers bill it so."""
    query = InputReading()
    query.unit(request.query)
    documents = []
    for document in request.documents[:]:
        reading = InputReading()
        reading.unit(document.text)
        documents.append(reading.bytes)
    rest = InputReading()
    rest.extras(request.extras)
    _tokens(profile, query.bytes * len(documents) + sum(documents) + rest.bytes, ["text"])
    pieces = sum(-(-(query.bytes + size) // _TOKENS_PER_DOCUMENT) for size in documents)
    profile.units.search_units = -(-pieces // _DOCUMENTS_PER_SEARCH)


def profile_moderate(profile: router_pb2.RequestProfile, request: moderate_pb2.ModerateInput) -> None:
    """Texts and images of all items."""
    reading = InputReading()
    for item in request.items[:]:
        reading.parts(item.parts[:])
    reading.extras(request.extras)
    _read(profile, reading)


def profile_assess(profile: router_pb2.RequestProfile, request: assess_pb2.AssessInput) -> None:
    """The state, and each question with all that it names."""
    state, questions = InputReading(), InputReading()
    for message in request.state[:]:
        state.message(message)
    state.extras(request.extras)
    for question in request.questions[:]:
        questions.unit(question.name, *_names(question))
        questions.parts(question.instructions[:])
    state.bytes += questions.bytes
    state.images += questions.images
    state.modalities |= questions.modalities
    state.unbounded_references += questions.unbounded_references
    _read(profile, state)


def profile_generate_image(profile: router_pb2.RequestProfile, request: generate_image_pb2.GenerateImageInput) -> None:
    """The description, the images that are read, and how many of which kind are made."""
    reading = InputReading()
    reading.unit(request.prompt)
    reading.extras(request.extras)
    profile.images = len(request.images) + request.HasField("mask")
    _tokens(profile, reading.bytes, ["image", "text"] if profile.images else ["text"])
    profile.candidate_count = profile.units.images = request.count or 1
    profile.units.image_size = "" if request.size == _AUTO else request.size
    profile.units.image_quality = "" if request.quality == _AUTO else request.quality


def profile_speak(profile: router_pb2.RequestProfile, request: sound_pb2.SpeakInput) -> None:
    """The text; no voice takes longer than a second for a character at its own speed."""
    reading = InputReading()
    reading.unit(request.text)
    reading.unit(request.instructions)
    reading.extras(request.extras)
    _tokens(profile, reading.bytes, ["text"])
    profile.units.characters = len(request.text)
    speed = request.speed if request.HasField("speed") else 1.0
    profile.units.audio_output_milliseconds = math.ceil(len(request.text) * _MILLISECONDS_PER_CHARACTER / max(speed, _SLOWEST))


def profile_transcribe(profile: router_pb2.RequestProfile, request: sound_pb2.TranscribeInput) -> None:
    """The longest that the sound can be. A token of sound is a byte at least."""
    reading = InputReading()
    reading.unit(request.prompt)
    for keyword in request.keywords[:]:
        reading.unit(keyword)
    reading.extras(request.extras)
    longest = longest_milliseconds(request.sound.data)
    profile.units.audio_input_milliseconds = longest
    profile.input_bytes = reading.bytes + len(request.sound.data)
    if request.to_english:
        profile.capabilities.append("translate")
    profile.estimated_input_tokens = tokens_of(reading.bytes) + min(longest // _MILLISECONDS_PER_TOKEN, len(request.sound.data))


def _names(question: assess_pb2.AssessQuestion) -> Iterable[str]:
    yield from (question.predicate.true_description, question.predicate.false_description)
    for option in question.choice.options[:]:
        yield from (option.text or "false", option.description)
    for level in question.score.levels[:]:
        yield from (level.label, level.description)


def _read(profile: router_pb2.RequestProfile, reading: InputReading) -> None:
    _tokens(profile, reading.bytes, sorted(reading.modalities) or ["text"])
    profile.images = reading.images
    profile.audio_references = reading.audio_references
    profile.file_references = reading.file_references
    profile.unbounded_references = reading.unbounded_references


def _tokens(profile: router_pb2.RequestProfile, size: int, modalities: Iterable[str]) -> None:
    profile.input_bytes = size
    profile.estimated_input_tokens = tokens_of(size)
    profile.input_modalities.extend(modalities)
