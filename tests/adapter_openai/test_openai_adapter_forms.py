"""Forms to providers are those that the official SDK sends for the same, field by field."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from openai import OpenAI

from llm_mesh.inference.v1 import content_pb2, generate_image_pb2, sound_pb2
from llm_mesh_dialects.openai import images, transcriptions
from llm_mesh_dialects.openai.forms import MultipartForm
from llm_mesh_edge.http.form_reader import FormReader

SOUND = content_pb2.Media(data=b"RIFF\r\n--llm-mesh", mime_type="audio/wav", filename="a.wav")
PICTURE = content_pb2.Media(data=b"\x89PNG", mime_type="image/png", filename="a.png")
FILE, IMAGE = ("a.wav", SOUND.data, "audio/wav"), ("a.png", PICTURE.data, "image/png")


def fields_of(content_type: str, body: bytes) -> dict[str, Any]:
    form = FormReader(content_type, frozenset({"file", "image", "mask"}))
    form.write(body)
    return form.close()


def sent(ask: Callable[[OpenAI], object]) -> tuple[str, dict[str, Any]]:
    """Where the SDK sends a form, and what is in it."""
    received: list[tuple[str, str, bytes]] = []

    def answer(request: Any) -> Any:
        received.append((request.url.path, request.headers["content-type"], request.read()))
        return httpx2.Response(200, json={"text": "x", "created": 1, "data": []})

    with OpenAI(base_url="http://127.0.0.1/v1", api_key="k", http_client=httpx2.Client(transport=httpx2.MockTransport(answer))) as sdk:
        ask(sdk)
    path, kind, body = received[0]
    return path, fields_of(kind, body)


def transcription() -> tuple[str, MultipartForm, Callable[[OpenAI], object]]:
    made = sound_pb2.TranscribeInput(
        sound=SOUND, words=True, segments=True, languages=["en"], keywords=["house"], prompt="p", temperature=0.5
    )
    form, _ = transcriptions.input_to_form(made, model="m")
    return (
        transcriptions.path_of(made),
        form,
        lambda sdk: sdk.audio.transcriptions.create(
            model="m",
            file=FILE,
            response_format="verbose_json",
            timestamp_granularities=["segment", "word"],
            language="en",
            keywords=["house"],
            prompt="p",
            temperature=0.5,
        ),
    )


def translation() -> tuple[str, MultipartForm, Callable[[OpenAI], object]]:
    made = sound_pb2.TranscribeInput(sound=SOUND, to_english=True, prompt="p", languages=["de"], keywords=["Haus"])
    form, translated = transcriptions.input_to_form(made, model="m")
    assert [each.field for each in translated] == ["languages", "keywords"]
    return (
        transcriptions.path_of(made),
        form,
        lambda sdk: sdk.audio.translations.create(model="m", file=FILE, prompt="p", response_format="json"),
    )


def edit() -> tuple[str, MultipartForm, Callable[[OpenAI], object]]:
    made = generate_image_pb2.GenerateImageInput(prompt="blue", count=2, images=[PICTURE, PICTURE], mask=PICTURE, size="1024x1024")
    form, _ = images.edit_to_form(made, model="m")
    return (
        "/images/edits",
        form,
        lambda sdk: sdk.images.edit(model="m", prompt="blue", n=2, image=[IMAGE, IMAGE], mask=IMAGE, size="1024x1024"),
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("made", [transcription, translation, edit], ids=lambda each: each.__name__)
def test_a_form_is_what_the_official_sdk_sends(made: Callable[[], tuple[str, MultipartForm, Callable[[OpenAI], object]]]) -> None:
    path, form, ask = made()
    assert ("/v1" + path, fields_of(*form)) == sent(ask)


def test_the_boundary_is_not_in_what_the_form_holds() -> None:
    boundary = transcriptions.input_to_form(sound_pb2.TranscribeInput(sound=SOUND), model="m")[0].content_type.partition("boundary=")[2]
    sound = content_pb2.Media(data=f"x\r\n--{boundary}--\r\n".encode(), mime_type="audio/wav", filename="a.wav")
    form, _ = transcriptions.input_to_form(sound_pb2.TranscribeInput(sound=sound), model="m")
    assert fields_of(*form)["file"].data == sound.data


def test_nested_extras_stand_in_brackets() -> None:
    extra = content_pb2.Extra(dialect="openai", key="chunking_strategy", json=b'{"type":"server_vad","create":true}')
    form, _ = transcriptions.input_to_form(sound_pb2.TranscribeInput(sound=SOUND, extras=[extra]), model="m")
    assert fields_of(*form)["chunking_strategy"] == {"type": "server_vad", "create": "true"}
