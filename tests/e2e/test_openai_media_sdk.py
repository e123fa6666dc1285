"""An application with an unmodified OpenAI SDK moderates, draws, speaks, transcribes and translates, at the exact charge."""

from __future__ import annotations

import base64
import io
import wave
from decimal import Decimal
from typing import Any

import pytest
from openai import OpenAI

CENT = Decimal("0.01")
CHARACTER = Decimal("0.000015")
SECOND = Decimal("0.0001")


def sound(seconds: int = 2) -> bytes:
    """Silence, as a WAV file."""
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8_000)
        file.writeframes(bytes(16_000 * seconds))
    return written.getvalue()


def test_texts_and_parts_are_moderated(openai: OpenAI) -> None:
    texts = openai.moderations.create(model="sim-moderate", input=["a red house", "violence and hate"])
    assert [each.flagged for each in texts.results] == [False, True]
    assert (texts.results[1].categories.hate, texts.results[1].categories.sexual) == (True, False)
    assert texts.results[1].category_scores.hate > texts.results[0].category_scores.hate
    picture = "data:image/png;base64," + base64.b64encode(b"x").decode()
    content: list[Any] = [{"type": "text", "text": "hate"}, {"type": "image_url", "image_url": {"url": picture}}]
    parts = openai.moderations.create(model="sim-moderate", input=content)
    assert [each.flagged for each in parts.results] == [True]
    assert parts.results[0].category_applied_input_types.hate == ["text", "image"]


def test_images_are_made_and_edited(openai: OpenAI) -> None:
    raw = openai.images.with_raw_response.generate(model="sim-image", prompt="a red house", n=2, size="1024x1024", quality="low")
    made = raw.parse()
    assert made.data is not None
    drawn = [base64.b64decode(each.b64_json or "") for each in made.data]
    assert all(each.startswith(b"\x89PNG") for each in drawn)
    assert drawn[0] != drawn[1]
    assert made.usage is not None
    assert Decimal(raw.headers["x-llm-mesh-cost"]) == 2 * 2 * CENT + made.usage.input_tokens * CENT / 100_000
    one = openai.images.edit(model="sim-image", image=("a.png", drawn[0]), prompt="make it blue")
    pictures = [(f"{number}.png", each) for number, each in enumerate(drawn)]
    several = openai.images.edit(model="sim-image", image=pictures, mask=("mask.png", drawn[1]), prompt="make it blue")
    for edited, read in ((one, 1), (several, 3)):
        assert edited.usage is not None
        assert edited.usage.input_tokens_details.image_tokens == 765 * read
        assert edited.data is not None
        assert base64.b64decode(edited.data[0].b64_json or "") not in drawn


def test_a_text_is_spoken_whole_streamed_and_as_events(openai: OpenAI) -> None:
    text = "The house is red."
    raw = openai.audio.speech.with_raw_response.create(model="sim-speech", input=text, voice="alloy", response_format="wav")
    spoken = raw.content
    assert spoken.startswith(b"RIFF")
    assert raw.headers["content-type"] == "audio/wav"
    assert Decimal(raw.headers["x-llm-mesh-cost"]) >= len(text) * CHARACTER
    with openai.audio.speech.with_streaming_response.create(model="sim-speech", input=text, voice="alloy") as streamed:
        assert b"".join(streamed.iter_bytes(chunk_size=1024)) == spoken
    with openai.audio.speech.with_streaming_response.create(model="sim-speech", input=text, voice="alloy", stream_format="sse") as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        lines = [line for line in events.iter_lines() if line]
    assert '"speech.audio.delta"' in lines[0]
    assert '"speech.audio.done"' in lines[-1]


def test_a_sound_is_written_down_in_each_form(openai: OpenAI) -> None:
    file = ("house.wav", sound(2))
    raw = openai.audio.transcriptions.with_raw_response.create(model="sim-transcribe", file=file)
    written = raw.parse()
    assert len(written.text.split()) == 4
    assert Decimal(raw.headers["x-llm-mesh-cost"]) == 2 * SECOND
    verbose = openai.audio.transcriptions.create(
        model="sim-transcribe", file=file, response_format="verbose_json", timestamp_granularities=["word", "segment"], language="en"
    )
    assert verbose.text == written.text
    assert float(verbose.duration) == 2
    assert verbose.words is not None
    assert [each.word for each in verbose.words] == written.text.split()
    assert openai.audio.transcriptions.create(model="sim-transcribe", file=file, response_format="text").strip() == written.text
    subtitles = openai.audio.transcriptions.create(model="sim-transcribe", file=file, response_format="srt")
    assert subtitles == f"1\n00:00:00,000 --> 00:00:02,000\n{written.text}\n"
    captions = openai.audio.transcriptions.create(model="sim-transcribe", file=file, response_format="vtt")
    assert captions == f"WEBVTT\n\n00:00:00.000 --> 00:00:02.000\n{written.text}\n"
    events = list(openai.audio.transcriptions.create(model="sim-transcribe", file=file, stream=True))
    assert [each.type for each in events] == ["transcript.text.delta", "transcript.text.done"]
    assert getattr(events[-1], "text", None) == written.text


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the SDK deprecates what its provider retires; servers of open models have it
def test_a_sound_is_translated_into_english(openai: OpenAI) -> None:
    file = ("haus.wav", sound(1))
    plain = openai.audio.translations.create(model="sim-transcribe", file=file)
    raw = openai.audio.translations.with_raw_response.create(model="sim-transcribe", file=file, response_format="verbose_json")
    verbose = raw.http_response.json()
    assert verbose["text"] == plain.text
    assert (verbose["task"], verbose["duration"]) == ("translate", 1)
    assert Decimal(raw.headers["x-llm-mesh-cost"]) == SECOND
