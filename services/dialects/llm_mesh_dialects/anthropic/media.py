"""Images and documents as the dialect carries them: a `source` of base64, plain text, an address or a file's id."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.fields import Fields

_TEXT = "text/plain"


def from_source(source: Fields) -> content_pb2.Media | None:
    """What a source holds or names; None for a kind of source that is not modelled."""
    kind = source.required_text("type")
    if kind == "base64":
        return content_pb2.Media(data=_decoded(source, "data"), mime_type=source.required_text("media_type"))
    if kind == "text":
        return content_pb2.Media(data=source.required_text("data").encode(), mime_type=source.text("media_type") or _TEXT)
    if kind == "url":
        return content_pb2.Media(uri=source.required_text("url"))
    if kind == "file":
        return content_pb2.Media(file_id=source.required_text("file_id"))
    return None


def image_source(media: content_pb2.Media) -> dict[str, Any]:
    """The source of an image."""
    kind = media.WhichOneof("source")
    if kind == "data":
        return {"type": "base64", "media_type": media.mime_type or "image/png", "data": b64encode(media.data).decode("ascii")}
    return {"type": "file", "file_id": media.file_id} if kind == "file_id" else {"type": "url", "url": media.uri}


def document_source(media: content_pb2.Media) -> dict[str, Any] | None:
    """The source of a document; None where the dialect has none for its type."""
    if media.WhichOneof("source") != "data" or media.mime_type == "application/pdf":
        return image_source(media)
    if not media.mime_type.startswith("text/"):
        return None
    try:
        return {"type": "text", "media_type": _TEXT, "data": media.data.decode()}
    except UnicodeDecodeError:
        return None


def _decoded(source: Fields, key: str) -> bytes:
    try:
        return b64decode(source.required_text(key), validate=True)
    except (Base64Error, ValueError):
        raise source.wrong(key, "expected base64") from None
