"""Images and documents as the dialect carries them: a `source` of base64, plain text, an address or a file's id."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error
from typing import Any

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.fields import Fields

_TEXT = "text/plain"
_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_OTHER_NAMES = {"image/jpg": "image/jpeg", "image/pjpeg": "image/jpeg", "image/x-png": "image/png"}
_BEGINNINGS = ((b"\xff\xd8\xff", "image/jpeg"), (b"\x89PNG", "image/png"), (b"GIF8", "image/gif"))


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


def image_source(media: content_pb2.Media, mime_type: str) -> dict[str, Any]:
    """The source of an image, whose bytes are of the given type."""
    return _base64(mime_type, media.data) if media.WhichOneof("source") == "data" else _reference(media)


def image_type(media: content_pb2.Media) -> str:
    """One of the four types that the dialect takes: by its usual name, or by the first bytes. Empty where neither tells."""
    named = media.mime_type.partition(";")[0].strip().lower()
    named = _OTHER_NAMES.get(named, named)
    if named in _IMAGES:
        return named
    if media.data[:4] == b"RIFF" and media.data[8:12] == b"WEBP":
        return "image/webp"
    return next((mime_type for beginning, mime_type in _BEGINNINGS if media.data.startswith(beginning)), "")


def document_source(media: content_pb2.Media) -> dict[str, Any] | None:
    """The source of a document; None where the dialect has none for its type."""
    if media.WhichOneof("source") != "data":
        return _reference(media)
    if media.mime_type == "application/pdf":
        return _base64(media.mime_type, media.data)
    if not media.mime_type.startswith("text/"):
        return None
    try:
        return {"type": "text", "media_type": _TEXT, "data": media.data.decode()}
    except UnicodeDecodeError:
        return None


def _reference(media: content_pb2.Media) -> dict[str, Any]:
    return {"type": "file", "file_id": media.file_id} if media.file_id else {"type": "url", "url": media.uri}


def _base64(mime_type: str, data: bytes) -> dict[str, Any]:
    return {"type": "base64", "media_type": mime_type, "data": b64encode(data).decode("ascii")}


def _decoded(source: Fields, key: str) -> bytes:
    try:
        return b64decode(source.required_text(key), validate=True)
    except (Base64Error, ValueError):
        raise source.wrong(key, "expected base64") from None
