"""Files that a client sent beside the fields of its request."""

from __future__ import annotations

from typing import NamedTuple

from llm_mesh.inference.v1 import content_pb2
from llm_mesh_dialects.errors import DialectError


class UploadedFile(NamedTuple):
    """A file with its name and media type, as the client sent it."""

    name: str
    media_type: str
    data: bytes


def media_of(value: object, field: str) -> content_pb2.Media:
    """A file that must be there, as the typed payload has it."""
    if not isinstance(value, UploadedFile):
        raise DialectError(field, "required: expected a file")
    if not value.data:
        raise DialectError(field, "expected a file that is not empty")
    return content_pb2.Media(data=value.data, mime_type=value.media_type, filename=value.name)
