"""OpenAI's moderations, images and sound at the edge, by the official SDK and by bodies that are not as they must be."""

from __future__ import annotations

import base64
import json
from typing import Any

import aiohttp
import pytest

from llm_mesh_runtime.errors import invalid
from tests.edge.conftest import Served
from tests.edge.test_edge_forms import END, TYPE, file, text

MODERATIONS, IMAGES, SPEECH = "/v1/moderations", "/v1/images/generations", "/v1/audio/speech"
EDITS, TRANSCRIPTIONS, TRANSLATIONS = "/v1/images/edits", "/v1/audio/transcriptions", "/v1/audio/translations"
PICTURE = ("a.png", b"drawn", "image/png")
SOUND = ("a.wav", b"RIFF", "audio/wav")


async def test_a_moderation_is_asked_and_answered(served: Served) -> None:
    answer = await served.sdk.moderations.create(input=["one", "two"])
    assert [each.flagged for each in answer.results] == [True, True]
    assert answer.results[0].category_scores.hate == 0.5
    assert answer.id.startswith("modr-")
    (asked,) = served.gateway.asked
    assert asked.input.model == "omni-moderation-latest"
    assert [item.parts[0].text.text for item in asked.input.items] == ["one", "two"]


async def test_images_are_asked_and_answered(served: Served) -> None:
    answer = await served.sdk.images.generate(
        model="m", prompt="a house", n=2, size="1024x1024", quality="low", output_format="webp", user="u", extra_body={"moderation": "low"}
    )
    assert [base64.b64decode(each.b64_json or "") for each in answer.data or ()] == [b"drawn"] * 2
    assert answer.usage is not None
    assert answer.usage.total_tokens == 7
    asked = served.gateway.asked[0].input
    assert (asked.count, asked.size, asked.quality, asked.mime_type, asked.end_user) == (2, "1024x1024", "low", "image/webp", "u")
    assert [(each.key, each.json) for each in asked.extras] == [("moderation", b'"low"')]


async def test_images_are_edited_with_a_mask_and_with_what_the_mesh_is_told(served: Served) -> None:
    told = {"llm_mesh": {"tags": {"team": "claims"}}}
    await served.sdk.images.edit(model="m", image=[PICTURE, PICTURE], mask=PICTURE, prompt="blue", n=1, extra_body=told)
    (asked,) = served.gateway.asked
    assert [(each.data, each.mime_type, each.filename) for each in asked.input.images] == [(b"drawn", "image/png", "a.png")] * 2
    assert asked.input.mask.data == b"drawn"
    assert asked.input.count == 1
    assert asked.options.tags == {"team": "claims"}


async def test_a_text_is_spoken_as_sound_and_as_events(served: Served) -> None:
    spoken = await served.sdk.audio.speech.create(model="m", input="hello", voice="alloy", speed=2, instructions="slowly")
    assert spoken.content == b"spoken" * 20_000
    assert spoken.response.headers["content-type"] == "audio/wav"
    async with served.sdk.audio.speech.with_streaming_response.create(model="m", input="x", voice="alloy", stream_format="sse") as events:
        lines = [line async for line in events.iter_lines() if line]
    pieces = [json.loads(line.removeprefix("data: ")) for line in lines]
    sound = b"".join(base64.b64decode(each["audio"]) for each in pieces[:-1])
    assert sound == b"spoken" * 20_000
    assert pieces[-1] == {"type": "speech.audio.done", "usage": {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}}
    asked = served.gateway.asked[0].input
    assert (asked.text, asked.voice, asked.speed, asked.instructions) == ("hello", "alloy", 2, "slowly")


async def test_a_sound_is_written_down(served: Served) -> None:
    sdk: Any = served.sdk.audio.transcriptions
    plain = await sdk.create(model="m", file=SOUND, language="en", keywords=["house"], prompt="p", temperature=0.5)
    assert plain.text == "hello"
    assert plain.usage.input_token_details.audio_tokens == 6
    asked = served.gateway.asked[0].input
    assert (asked.sound.data, asked.sound.mime_type, asked.sound.filename) == (b"RIFF", "audio/wav", "a.wav")
    assert (list(asked.languages), list(asked.keywords), asked.prompt, asked.temperature) == (["en"], ["house"], "p", 0.5)
    assert not asked.segments
    assert await sdk.create(model="m", file=SOUND, response_format="srt") == "1\n00:00:00,000 --> 01:02:03,004\nhello\n"
    assert await sdk.create(model="m", file=SOUND, response_format="vtt") == "WEBVTT\n\n00:00:00.000 --> 01:02:03.004\nhello\n"
    assert await sdk.create(model="m", file=SOUND, response_format="text") == "hello\n"
    verbose = await sdk.create(model="m", file=SOUND, response_format="verbose_json")
    assert (verbose.duration, verbose.segments[0].end) == (1.5, 3723.004)
    told = await sdk.create(model="m", file=SOUND, response_format="diarized_json")
    assert told.segments[0].speaker == "A"
    assert [each.input.speakers for each in served.gateway.asked][-2:] == [False, True]
    events = [each.type async for each in await sdk.create(model="m", file=SOUND, response_format="diarized_json", stream=True)]
    assert events == ["transcript.text.segment", "transcript.text.delta", "transcript.text.done"]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
async def test_a_sound_is_translated(served: Served) -> None:
    answer = await served.sdk.audio.translations.create(model="m", file=SOUND)
    assert answer.text == "hello"
    assert [each.input.to_english for each in served.gateway.asked] == [True]


SAID: dict[str, tuple[str, dict[str, Any], str]] = {
    "no-input": (MODERATIONS, {}, "input"),
    "no-list": (MODERATIONS, {"input": []}, "input"),
    "mixed": (MODERATIONS, {"input": ["x", 5]}, "input[0]"),
    "part": (MODERATIONS, {"input": [{"type": "image_url", "image_url": {}}]}, "input[0].image_url.url"),
    "no-prompt": (IMAGES, {}, "prompt"),
    "streamed": (IMAGES, {"prompt": "x", "stream": True}, "stream"),
    "many": (IMAGES, {"prompt": "x", "n": 11}, "n"),
    "compressed": (IMAGES, {"prompt": "x", "output_compression": 101}, "output_compression"),
    "no-voice": (SPEECH, {"input": "x"}, "voice"),
    "no-text": (SPEECH, {"voice": "alloy"}, "input"),
    "odd-stream": (SPEECH, {"input": "x", "voice": "alloy", "stream_format": "midi"}, "stream_format"),
    "odd-option": (SPEECH, {"input": "x", "voice": "alloy", "llm_mesh": {"odd": 1}}, "llm_mesh.odd"),
}


@pytest.mark.parametrize("name", SAID)
async def test_a_wrong_body_is_refused_by_its_field(served: Served, name: str) -> None:
    path, body, param = SAID[name]
    status, answer, _ = await served.post(path, json={"model": "m", **body})
    assert (status, answer["error"]["param"]) == (400, param)
    assert not served.gateway.asked


FORMS: dict[str, tuple[str, bytes, str]] = {
    "no-file": (TRANSCRIPTIONS, text("model"), "file"),
    "empty-file": (TRANSCRIPTIONS, text("model") + file("file", b""), "file"),
    "odd-form": (TRANSCRIPTIONS, text("model") + file("file") + text("response_format", "ass"), "response_format"),
    "speakers-translated": (TRANSLATIONS, text("model") + file("file") + text("response_format", "diarized_json"), "response_format"),
    "streamed-subtitles": (
        TRANSCRIPTIONS,
        text("model") + file("file") + text("response_format", "srt") + text("stream", "true"),
        "stream",
    ),
    "odd-number": (TRANSCRIPTIONS, text("model") + file("file") + text("temperature", "hot"), "temperature"),
    "odd-truth": (TRANSCRIPTIONS, text("model") + file("file") + text("stream", "yes"), "stream"),
    "times": (TRANSCRIPTIONS, text("model") + file("file") + text("timestamp_granularities[]", "word"), "timestamp_granularities"),
    "no-image": (EDITS, text("model") + text("prompt"), "image"),
    "no-prompt": (EDITS, text("model") + file("image"), "prompt"),
    "empty-image": (EDITS, text("model") + text("prompt") + file("image[]") + file("image[]", b""), "image[1]"),
    "many": (EDITS, text("model") + text("prompt") + file("image") + text("n", "11"), "n"),
    "option": (EDITS, text("model") + text("prompt") + file("image") + text("llm_mesh[odd]"), "llm_mesh.odd"),
}


@pytest.mark.parametrize("name", FORMS)
async def test_a_wrong_form_is_refused_by_its_field(served: Served, name: str) -> None:
    path, body, param = FORMS[name]
    status, answer, _ = await served.post(path, data=body + END, headers={**served.headers, "content-type": TYPE})
    assert (status, answer["error"]["param"]) == (400, param), answer
    assert not served.gateway.asked


GATEWAYS: tuple[tuple[str, str, str], ...] = (
    (MODERATIONS, "input.items[1].parts[0].text.text", "input[1]"),
    (IMAGES, "input.count", "n"),
    (IMAGES, "input.mime_type", "output_format"),
    (IMAGES, "input.end_user", "user"),
    (SPEECH, "input.text", "input"),
    (SPEECH, "input.format", "response_format"),
    (EDITS, "input.images[1].mime_type", "image[1]"),
    (EDITS, "input.images", "image"),
    (EDITS, "input.mask.data", "mask"),
    (TRANSCRIPTIONS, "input.sound.data", "file"),
    (TRANSCRIPTIONS, "input.languages[0]", "languages[0]"),
    (TRANSCRIPTIONS, "input.keywords[0]", "keywords[0]"),
)
JSON: dict[str, dict[str, Any]] = {
    MODERATIONS: {"input": ["x", "y"]},
    IMAGES: {"prompt": "x"},
    SPEECH: {"input": "x", "voice": "alloy"},
}


@pytest.mark.parametrize(("path", "field", "param"), GATEWAYS)
async def test_what_the_gateway_refuses_is_named_as_the_client_wrote_it(served: Served, path: str, field: str, param: str) -> None:
    served.gateway.fails = invalid(field, "another value")
    if path in JSON:
        sent: dict[str, Any] = {"json": {"model": "m", **JSON[path]}}
    else:
        form = aiohttp.FormData({"model": "m", "prompt": "x", "keywords[]": "k", "languages[]": "en"})
        for name in ("file",) if path == TRANSCRIPTIONS else ("image[]", "image[]", "mask"):
            form.add_field(name, b"x", filename="a.png", content_type="image/png")
        sent = {"data": form}
    status, answer, _ = await served.post(path, **sent)
    assert (status, answer["error"]["param"]) == (400, param), answer
    assert field not in answer["error"]["message"]
