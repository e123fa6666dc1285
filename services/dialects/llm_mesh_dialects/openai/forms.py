"""Bodies of several fields, some of which are files, as providers of the dialect take them: `multipart/form-data`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from mimetypes import guess_extension
from typing import Any, Final, NamedTuple

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError

_BOUNDARY: Final = "llm-mesh-c1b6f0a2d94e4b7f8e35a0d7c2196b58"
_UNSAFE: Final = frozenset('"\r\n\\')


class MultipartForm(NamedTuple):
    """A body of several fields."""

    content_type: str
    body: bytes


class FormFile(NamedTuple):
    """A medium to be sent as a file, and the field of the form that has it."""

    name: str
    """Of the form's field."""
    media: content_pb2.Media
    field: str
    """Where it stands in the typed payload."""


def written_form(fields: Mapping[str, Any], files: Sequence[FormFile]) -> MultipartForm:
    """The form. Lists are fields of the same name, objects fields with their keys in brackets."""
    texts = [pair for name, value in fields.items() for pair in _texts(name, value)]
    boundary = _BOUNDARY
    while any(boundary.encode() in file.media.data for file in files) or any(boundary in text for _, text in texts):
        boundary += "x"
    pieces = [f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode() for name, text in texts]
    for file in files:
        pieces += _head(boundary, file), file.media.data, b"\r\n"
    return MultipartForm(f"multipart/form-data; boundary={boundary}", b"".join([*pieces, f"--{boundary}--\r\n".encode()]))


def _texts(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, list):
        listed = name if name.endswith("[]") else f"{name}[]"
        for each in value:
            yield from _texts(listed, each)
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from _texts(f"{name}[{key}]", inner)
    else:
        yield _safe(name, name), str(value).lower() if isinstance(value, bool) else str(value)


def _head(boundary: str, file: FormFile) -> bytes:
    media = file.media
    filename = _safe(media.filename or f"{file.name.removesuffix('[]')}{guess_extension(media.mime_type) or ''}", f"{file.field}.filename")
    kind = _safe(media.mime_type, f"{file.field}.mime_type")
    disposition = f'Content-Disposition: form-data; name="{file.name}"; filename="{filename}"'
    return f"--{boundary}\r\n{disposition}\r\nContent-Type: {kind}\r\n\r\n".encode()


def _safe(text: str, field: str) -> str:
    if _UNSAFE & set(text):
        raise DialectError(field, "expected a name without quotes and line ends")
    return text
