"""Transcriptions and translations as clients of the dialect ask for them. `transcriptions` has the provider's side."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import sound_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai.form_values import fields_of_form
from llm_mesh_dialects.openai.vocabulary import DIALECT
from llm_mesh_dialects.uploads import media_of

FILES: Final = frozenset({"file"})
"""The fields of a form that are files."""
JSON: Final = "json"
FORMS: Final = (JSON, "text", "srt", "vtt", "verbose_json", "diarized_json")
"""How an answer can be written."""
_OF_TRANSLATIONS: Final = frozenset({JSON, "text", "srt", "vtt", "verbose_json"})
_WITH_SEGMENTS: Final = frozenset({"srt", "vtt", "verbose_json", "diarized_json"})
_STREAMED: Final = frozenset({JSON, "text", "diarized_json"})
_GRANULARITIES: Final = "timestamp_granularities"
_TIMES: Final = {"segment": "segments", "word": "words"}


class AnswerForm(NamedTuple):
    """How a client wants its answer written."""

    name: str
    streamed: bool
    translated: bool


def form_to_input(form: dict[str, Any], *, to_english: bool) -> tuple[sound_pb2.TranscribeInput, AnswerForm]:
    """A client's form to the typed payload, and how the answer is to be written."""
    fields = fields_of_form(form, numbers=("temperature",), truths=("stream",))
    written = _answer_form(fields, to_english=to_english)
    languages = [*fields.texts("language"), *fields.texts("languages")]
    temperature = fields.number("temperature")
    request = sound_pb2.TranscribeInput(
        model=fields.required_text("model"),
        sound=media_of(fields.raw("file"), "file"),
        prompt=fields.text("prompt") or "",
        languages=languages,
        keywords=fields.texts("keywords"),
        segments=written.name in _WITH_SEGMENTS,
        speakers=written.name == "diarized_json",
        to_english=to_english,
        source_dialect=DIALECT,
    )
    if temperature is not None:
        request.temperature = temperature
    _read_times(fields, request, written)
    request.extras.extend(as_extras(DIALECT, fields.rest()))
    return request, written


def _answer_form(fields: Fields, *, to_english: bool) -> AnswerForm:
    name = fields.text("response_format") or JSON
    allowed = [each for each in FORMS if not to_english or each in _OF_TRANSLATIONS]
    if name not in allowed:
        raise fields.wrong("response_format", f"expected one of {', '.join(allowed)}")
    streamed = bool(fields.truth("stream"))
    if streamed and (to_english or name not in _STREAMED):
        raise fields.wrong("stream", "expected false: only transcriptions in json, text or diarized_json are streamed")
    return AnswerForm(name, streamed, to_english)


def _read_times(fields: Fields, request: sound_pb2.TranscribeInput, written: AnswerForm) -> None:
    granularities = fields.texts(_GRANULARITIES)
    if not granularities:
        return
    if written.name != "verbose_json":
        raise fields.wrong(_GRANULARITIES, "expected none: only verbose_json has times")
    request.segments = False
    for index, each in enumerate(granularities):
        if each not in _TIMES:
            listed = isinstance(fields.raw(_GRANULARITIES), list)
            raise DialectError(f"{_GRANULARITIES}[{index}]" if listed else _GRANULARITIES, "expected segment or word")
        setattr(request, _TIMES[each], True)
