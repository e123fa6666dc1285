"""What a part of a form says of itself: the field's name, and of a file its name and media type."""

from __future__ import annotations

import mimetypes
import re
from typing import NamedTuple

from python_multipart.multipart import parse_options_header

from llm_mesh_edge.domain.failures import Failure
from llm_mesh_edge.http.exchange import UnreadBodyError

_NAME = re.compile(r"[^\[\]\x00-\x1f\x7f\"\\]{1,128}(?:\[[^\[\]\x00-\x1f\x7f\"\\]{0,128}\]){0,4}")
_FILENAME = re.compile(r"[^/\\\"\x00-\x1f\x7f]{1,255}")
_MEDIA_TYPE = re.compile(r"[a-z0-9][a-z0-9.+-]{0,63}/[a-z0-9][a-z0-9.+-]{0,63}")
_UNSAID = "application/octet-stream"
_PLAIN_CODINGS = frozenset({"", "binary", "8bit", "7bit"})


class FormError(UnreadBodyError):
    """The body is no form, or a part of it is not as it must be."""

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(Failure(400, "invalid_form", f"{field}: {message}" if field else message, field, closes=True))


class PartHead(NamedTuple):
    """What the headers of a part say."""

    name: str
    filename: str
    """Empty: it is a text."""
    media_type: str


def part_head(headers: dict[bytes, bytes]) -> PartHead:
    """The head of a part, from its headers in lower case."""
    kind, options = parse_options_header(headers.get(b"content-disposition", b""))
    name = _text(options.get(b"name", b""))
    if kind != b"form-data" or not _NAME.fullmatch(name):
        raise FormError(
            "a part of the form has no `content-disposition: form-data` with a name of 1 to 128 characters, and keys in brackets"
        )
    if headers.get(b"content-transfer-encoding", b"").lower().decode("latin-1") not in _PLAIN_CODINGS:
        raise FormError("must be sent as it is, without content-transfer-encoding", name)
    media_type = parse_options_header(headers.get(b"content-type", b""))[0].decode("latin-1")
    if media_type.startswith("multipart/"):
        raise FormError("must be a text or one file, and no form within the form", name)
    if b"filename" not in options:
        return PartHead(name, "", media_type)
    filename = _text(options[b"filename"])
    if not _FILENAME.fullmatch(filename):
        raise FormError("must have a file name of 1 to 255 characters, without slashes, quotes and control characters", name)
    return PartHead(name, filename, _media_type(name, filename, media_type))


def _media_type(field: str, filename: str, media_type: str) -> str:
    """What the client says it is; where that is nothing in particular, what the file's name says."""
    if media_type in {"", _UNSAID}:
        return mimetypes.guess_type(filename, strict=False)[0] or _UNSAID
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise FormError("must have a media type such as audio/wav", field)
    return media_type


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return ""
