"""Images, sounds and files as the dialect carries them: data URLs, bare base64, addresses and ids."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as Base64Error

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError

_DATA = "data:"
_BASE64 = ";base64"


def from_url(url: str, field: str) -> content_pb2.Media:
    """What a URL leads to, or holds."""
    if not url.startswith(_DATA):
        if "://" not in url:
            raise DialectError(field, "expected a URL, or a data URL in base64")
        return content_pb2.Media(uri=url)
    head, comma, body = url.partition(",")
    if not comma or not head.endswith(_BASE64):
        raise DialectError(field, "expected a data URL such as data:image/png;base64,…")
    return content_pb2.Media(data=decoded(body, field), mime_type=head[len(_DATA) : -len(_BASE64)] or "application/octet-stream")


def to_url(media: content_pb2.Media) -> str:
    """The URL of a medium; of bytes a data URL."""
    if media.WhichOneof("source") == "data":
        return f"{_DATA}{media.mime_type or 'application/octet-stream'}{_BASE64},{encoded(media.data)}"
    return media.uri


def decoded(text: str, field: str) -> bytes:
    """Bytes from base64."""
    try:
        return b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise DialectError(field, "expected base64") from None


def encoded(data: bytes) -> str:
    """Base64 of bytes."""
    return b64encode(data).decode("ascii")
