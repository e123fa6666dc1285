"""Media of a client's contents and of responses of functions, from the dialect to the typed payload."""

from __future__ import annotations

from mimetypes import guess_type

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.extras import as_extras
from llm_mesh_dialects.gemini import media
from llm_mesh_dialects.gemini.proto_fields import ProtoFields
from llm_mesh_dialects.gemini.vocabulary import DIALECT

Part = content_pb2.Part


def medium_of(fields: ProtoFields) -> Part:
    """The medium that a part is, as bytes or by its address. Its own unmodelled keys stay with it."""
    if fields.peek("fileData") is not None:
        return _file(fields.required("fileData"))
    inline = fields.required("inlineData")
    inline.required_text("mimeType")
    made = media.from_inline(inline)
    made.extras.extend(nested("inlineData", inline))
    return made


def nested(key: str, inner: ProtoFields) -> list[content_pb2.Extra]:
    """What is not modelled of an object inside a part."""
    left = inner.present()
    return as_extras(DIALECT, {key: left}) if left else []


def _file(file: ProtoFields) -> Part:
    uri, mime_type = file.required_text("fileUri"), file.text("mimeType") or ""
    medium = content_pb2.Media(mime_type=mime_type, filename=file.text("displayName") or "")
    if name := media.name_at(uri):
        medium.file_id = name
    else:
        medium.uri = uri
    kind = (mime_type or guess_type(uri.partition("?")[0])[0] or "").partition("/")[0]
    made = Part(image=medium) if kind == "image" else Part(audio=medium) if kind == "audio" else Part(file=medium)
    made.extras.extend(nested("fileData", file))
    return made
