"""Contents of messages and of results of tools, from a client's body to the typed payload."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.openai import media
from llm_mesh_dialects.openai.vocabulary import audio_type
from llm_mesh_dialects.responses.vocabulary import DIALECT

Part = content_pb2.Part


def content(owner: Fields, key: str) -> list[Part]:
    """The parts of a content: a text, or a list of parts."""
    value = owner.raw(key)
    if isinstance(value, str):
        return [Part(text=content_pb2.Text(text=value))]
    if not isinstance(value, list):
        raise owner.wrong(key, "required: expected a string or a list of parts")
    return [_part(each) for each in owner.each(key)]


def _part(fields: Fields) -> Part:
    kind = fields.required_text("type")
    read = _KINDS.get(kind)
    if read is None:
        return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(fields.whole_object(), fields.at("type"))))
    part = read(fields)
    part.extras.extend(as_extras(DIALECT, fields.rest()))
    return part


def _text(fields: Fields) -> Part:
    text = fields.text("text")
    if text is None:
        raise fields.wrong("text", "required: expected a string")
    return Part(text=content_pb2.Text(text=text))


def _spoken(fields: Fields) -> Part:
    """A text that the model wrote: its sources go along, its log-probabilities say nothing to a model."""
    part = _text(fields)
    fields.raw("logprobs")
    part.text.annotations.extend(
        content_pb2.Extra(dialect=DIALECT, key=each.required_text("type"), json=dumped(each.whole_object(), each.at("type")))
        for each in fields.each("annotations")
    )
    return part


def _refusal(fields: Fields) -> Part:
    text = fields.text("refusal")
    if text is None:
        raise fields.wrong("refusal", "required: expected a string")
    return Part(refusal=content_pb2.Refusal(text=text))


def _image(fields: Fields) -> Part:
    number, url = fields.text("file_id"), fields.text("image_url")
    if number:
        image = content_pb2.Media(file_id=number)
    elif url:
        image = media.from_url(url, fields.at("image_url"))
    else:
        raise fields.wrong("image_url", "required: expected a URL, a data URL or a file_id")
    image.detail = fields.text("detail") or ""
    return Part(image=image)


def _file(fields: Fields) -> Part:
    number, data, url = fields.text("file_id"), fields.text("file_data"), fields.text("file_url")
    if number:
        file = content_pb2.Media(file_id=number)
    elif data:
        file = media.from_url(data, fields.at("file_data"))
    elif url:
        file = media.from_url(url, fields.at("file_url"))
    else:
        raise fields.wrong("file_data", "required: expected a data URL, a file_url or a file_id")
    file.filename = fields.text("filename") or ""
    return Part(file=file)


def _audio(fields: Fields) -> Part:
    sound = fields.required("input_audio")
    data = media.decoded(sound.required_text("data"), sound.at("data"))
    return Part(audio=content_pb2.Media(data=data, mime_type=audio_type(sound.required_text("format"))))


_KINDS: Final[Mapping[str, Callable[[Fields], Part]]] = {
    "input_text": _text,
    "text": _text,
    "output_text": _spoken,
    "refusal": _refusal,
    "input_image": _image,
    "input_file": _file,
    "input_audio": _audio,
}
