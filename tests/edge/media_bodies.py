"""Requests of OpenAI's clients for moderations, images and sound that have everything their readers look at, and those readers."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from llm_mesh_dialects.openai import client_images, client_moderations, client_speech, client_transcriptions
from llm_mesh_dialects.uploads import UploadedFile
from tests.edge.complaint_kinds import Read

PICTURE, SOUND = UploadedFile("a.png", "image/png", b"x"), UploadedFile("a.wav", "audio/wav", b"x")
NOTHING = UploadedFile("a.png", "image/png", b"")
MODERATIONS: list[dict[str, Any]] = [
    {"model": "m", "input": "x"},
    {"input": ["x", "y"]},
    {"input": [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}]},
]
IMAGE: dict[str, Any] = {
    "model": "m",
    "prompt": "x",
    "n": 1,
    "size": "1024x1024",
    "quality": "low",
    "background": "opaque",
    "style": "vivid",
    "output_format": "png",
    "output_compression": 5,
    "user": "u",
    "stream": False,
}
EDIT: dict[str, Any] = IMAGE | {"image": [PICTURE, PICTURE], "mask": PICTURE, "n": "1", "output_compression": "5", "stream": "false"}
SPEECH: dict[str, Any] = {
    "model": "m",
    "input": "x",
    "voice": "alloy",
    "instructions": "slowly",
    "response_format": "wav",
    "speed": 1,
    "stream_format": "sse",
}
TRANSCRIPTION: dict[str, Any] = {
    "model": "m",
    "file": SOUND,
    "response_format": "verbose_json",
    "language": "en",
    "languages": ["en"],
    "keywords": ["house"],
    "prompt": "x",
    "temperature": "0.5",
    "stream": "false",
    "timestamp_granularities": ["word", "segment"],
}
STREAMED: dict[str, Any] = {"model": "m", "file": SOUND, "response_format": "json", "stream": "true"}


def spoken(body: dict[str, Any]) -> None:
    client_speech.wants_events(body)
    client_speech.body_to_input(body)


READ: Mapping[str, tuple[Read, list[Any]]] = {
    "client-moderation": (client_moderations.body_to_input, MODERATIONS),
    "client-image": (client_images.body_to_input, [IMAGE]),
    "client-edit": (client_images.form_to_input, [EDIT, EDIT | {"image": PICTURE}]),
    "client-speech": (spoken, [SPEECH]),
    "client-transcription": (partial(client_transcriptions.form_to_input, to_english=False), [TRANSCRIPTION, STREAMED]),
    "client-translation": (partial(client_transcriptions.form_to_input, to_english=True), [{"model": "m", "file": SOUND}]),
}
LARGE: Mapping[str, tuple[Read, Any]] = {
    "empty-file": (client_images.form_to_input, EDIT | {"mask": NOTHING}),
    "no-time": (partial(client_transcriptions.form_to_input, to_english=False), STREAMED | {"timestamp_granularities": "word"}),
    "one-odd-time": (
        partial(client_transcriptions.form_to_input, to_english=False),
        TRANSCRIPTION | {"timestamp_granularities": "syllable"},
    ),
}
"""Requests with one fault."""
