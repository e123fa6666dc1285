"""Transcriptions: a form with a file, and texts with or without times."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2, sound_pb2
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance, Gate
from llm_mesh_dialects.extras import as_extras, put_back
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.allowed import TABLE
from llm_mesh_dialects.openai.forms import FormFile, MultipartForm, written_form
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_MOST_SECONDS: Final = 10**9
TRANSCRIPTIONS: Final = "/audio/transcriptions"
TRANSLATIONS: Final = "/audio/translations"


def input_to_form(
    request: sound_pb2.TranscribeInput, *, model: str, allowance: Allowance = NOTHING_MORE
) -> tuple[MultipartForm, list[generate_pb2.Translation]]:
    """The typed payload to a provider's form."""
    report = Report()
    report.gate = Gate(TABLE, allowance, report)
    fields: dict[str, Any] = {"model": model, "response_format": _answer_form(request)}
    if request.to_english:
        _drop_what_translations_lack(request, report)
    else:
        _put_details(fields, request, report)
    if request.prompt:
        fields["prompt"] = request.prompt
    if request.HasField("temperature"):
        fields["temperature"] = request.temperature
    if request.end_user:
        report.dropped("end_user", "the provider takes no user with a sound")
    put_back(fields, request.extras, DIALECT, report, place="transcription.")
    return written_form(fields, [FormFile("file", request.sound, "sound")]), report.translations


def path_of(request: sound_pb2.TranscribeInput) -> str:
    """What of a provider writes the sound down."""
    return TRANSLATIONS if request.to_english else TRANSCRIPTIONS


def _put_details(fields: dict[str, Any], request: sound_pb2.TranscribeInput, report: Report) -> None:
    times = [name for name, is_set in (("segment", request.segments), ("word", request.words)) if is_set]
    if times and not request.speakers:
        fields["timestamp_granularities[]"] = times
    if request.words and request.speakers:
        report.dropped("words", "the provider has no times of words where speakers are told apart")
    if len(request.languages) == 1:
        fields["language"] = request.languages[0]
    elif request.languages:
        fields["languages[]"] = list(request.languages)
    if request.keywords:
        fields["keywords[]"] = list(request.keywords)


def _drop_what_translations_lack(request: sound_pb2.TranscribeInput, report: Report) -> None:
    for name in ("languages", "keywords", "words", "speakers"):
        if getattr(request, name):
            report.dropped(name, "the provider takes it with transcriptions, and not with translations into English")


def _answer_form(request: sound_pb2.TranscribeInput) -> str:
    if request.speakers and not request.to_english:
        return "diarized_json"
    return "verbose_json" if request.segments or request.words else "json"


def body_into_output(body: object, output: sound_pb2.TranscribeOutput) -> None:
    """A provider's answer to the typed payload."""
    fields = Fields(body)
    text = fields.text("text")
    if text is None:
        raise fields.wrong("text", "required: expected a string")
    output.text = text
    output.languages.extend(fields.texts("languages") or fields.texts("language"))
    output.duration_milliseconds = _milliseconds(fields, "duration")
    for each in fields.each("segments"):
        segment = output.segments.add(text=each.text("text") or "", speaker=each.text("speaker") or "")
        segment.start_milliseconds, segment.end_milliseconds = _milliseconds(each, "start"), _milliseconds(each, "end")
        segment.extras.extend(as_extras(DIALECT, each.rest()))
    for each in fields.each("words"):
        word = output.words.add(text=each.text("word") or "")
        word.start_milliseconds, word.end_milliseconds = _milliseconds(each, "start"), _milliseconds(each, "end")
    if isinstance(usage := fields.raw("usage"), dict):
        output.usage.CopyFrom(_usage(usage))
    fields.raw("task")
    output.extras.extend(as_extras(DIALECT, fields.rest()))


def _milliseconds(fields: Fields, key: str) -> int:
    """Seconds as numbers, or in a text."""
    value = fields.raw(key)
    if value is None:
        return 0
    try:
        seconds = float(value)
    except (TypeError, ValueError, OverflowError):
        seconds = -1.0
    if not 0 <= seconds <= _MOST_SECONDS:
        raise fields.wrong(key, "expected seconds")
    return round(seconds * 1000)


def _usage(usage: dict[str, Any]) -> generate_pb2.Usage:
    """Seconds, or tokens of which those of sound stand apart."""
    if usage.get("type") == "duration":
        return generate_pb2.Usage(audio_input_milliseconds=_milliseconds(Fields(usage), "seconds"))
    details = usage.get("input_token_details")
    used = read_usage({key: value for key, value in usage.items() if key not in {"type", "input_token_details"}}, OPENAI)
    if isinstance(details, dict):
        used.audio_input_tokens = Fields(details).whole("audio_tokens", 0) or 0
    return used
