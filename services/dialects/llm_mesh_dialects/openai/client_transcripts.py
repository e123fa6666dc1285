"""Transcripts as clients of the dialect read them: JSON in three forms, plain text, subtitles, and server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import orjson

from llm_mesh.inference.v1 import generate_pb2, sound_pb2
from llm_mesh_dialects.extras import put_back
from llm_mesh_dialects.openai.client_transcriptions import JSON, AnswerForm
from llm_mesh_dialects.openai.vocabulary import DIALECT


def output_to_text(output: sound_pb2.TranscribeOutput, form: AnswerForm) -> str:
    """The plain text, or subtitles."""
    if form.name == "srt":
        cues = [f"{number}\n{_cue(each, ',')}\n{each.text.strip()}\n" for number, each in enumerate(output.segments, 1)]
        return "\n".join(cues)
    if form.name == "vtt":
        return "\n".join(["WEBVTT\n", *(f"{_cue(each, '.')}\n{each.text.strip()}\n" for each in output.segments)])
    return f"{output.text}\n"


def output_to_body(output: sound_pb2.TranscribeOutput, form: AnswerForm) -> dict[str, Any]:
    """One of the forms in JSON."""
    body: dict[str, Any] = {"text": output.text}
    if form.name != JSON:
        body |= {"task": "translate" if form.translated else "transcribe", "duration": output.duration_milliseconds / 1000}
        if output.languages:
            body["language"] = output.languages[0]
        if output.segments:
            body["segments"] = [_segment(each, number, form) for number, each in enumerate(output.segments)]
        if output.words:
            body["words"] = [{"word": each.text, **_times(each)} for each in output.words]
    if output.HasField("usage"):
        body["usage"] = _usage(output.usage)
    put_back(body, output.extras, DIALECT)
    return body


def events_of(output: sound_pb2.TranscribeOutput, form: AnswerForm) -> Iterator[bytes]:
    """The text as server-sent events: segments where they were asked for, and the text as one piece."""
    if form.name == "diarized_json":
        for number, each in enumerate(output.segments):
            yield _event(_segment(each, number, form))
    yield _event({"type": "transcript.text.delta", "delta": output.text})
    done: dict[str, Any] = {"type": "transcript.text.done", "text": output.text}
    if output.HasField("usage"):
        done["usage"] = _usage(output.usage)
    yield _event(done)


def _event(value: dict[str, Any]) -> bytes:
    return b"data: " + orjson.dumps(value) + b"\n\n"


def _segment(segment: sound_pb2.TranscribedSegment, number: int, form: AnswerForm) -> dict[str, Any]:
    written: dict[str, Any] = {"id": number, **_times(segment), "text": segment.text}
    if form.name == "diarized_json":
        written |= {"type": "transcript.text.segment", "id": f"seg_{number}", "speaker": segment.speaker}
    put_back(written, segment.extras, DIALECT)
    return written


def _times(of: sound_pb2.TranscribedSegment | sound_pb2.TranscribedWord) -> dict[str, float]:
    return {"start": of.start_milliseconds / 1000, "end": of.end_milliseconds / 1000}


def _cue(segment: sound_pb2.TranscribedSegment, point: str) -> str:
    return f"{_clock(segment.start_milliseconds, point)} --> {_clock(segment.end_milliseconds, point)}"


def _clock(milliseconds: int, point: str) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours:02}:{minutes:02}:{seconds:02}{point}{rest:03}"


def _usage(used: generate_pb2.Usage) -> dict[str, Any]:
    """Seconds where the provider counts those, else tokens."""
    if used.audio_input_milliseconds and not used.input_tokens:
        return {"type": "duration", "seconds": used.audio_input_milliseconds / 1000}
    put, out, sound = used.input_tokens, used.output_tokens, used.audio_input_tokens
    details = {"text_tokens": max(0, put - sound), "audio_tokens": sound}
    return {"type": "tokens", "input_tokens": put, "output_tokens": out, "total_tokens": put + out, "input_token_details": details}
