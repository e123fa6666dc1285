"""Reads `multipart/form-data` as it arrives: what is there of it at any time is one copy of what its parts hold.

Everything is bounded: how many parts there are, their headers, each text and all texts, and by the bound of bodies the files. The parser is
python-multipart's.
"""

from __future__ import annotations

import io
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from llm_mesh_dialects.uploads import UploadedFile
from llm_mesh_edge.http.form_parts import FormError, PartHead, part_head
from llm_mesh_edge.http.nested_fields import put_field

MOST_PARTS = 128
MOST_TEXT = 1024 * 1024
MOST_HEADERS = 8
LONGEST_HEADER = 4096
PIECE = 64 * 1024
"""Bytes that are parsed at once, so that nobody else waits for long."""
_CONTENT_TYPE = "content-type"


class FormReader:
    """Reads one form. `files` are the fields that may be files, by their names without brackets."""

    def __init__(self, content_type: str, files: AbstractSet[str]) -> None:
        self.fields: dict[str, Any] = {}
        """What has been read: texts, files, and lists and objects of them."""
        self._files = files
        self._parts = self._text = 0
        self._headers: dict[bytes, bytes] = {}
        self._name = self._value = b""
        self._head: PartHead | None = None
        self._content = io.BytesIO()
        self._complete = False
        self._parser = MultipartParser(
            boundary_of(content_type), self._callbacks(), max_header_count=MOST_HEADERS, max_header_size=LONGEST_HEADER
        )

    def write(self, data: bytes) -> None:
        """More of the body."""
        for start in range(0, len(data), PIECE):
            try:
                self._parser.write(data[start : start + PIECE])
            except FormParserError as error:
                raise FormError(f"the body is no form as its content-type says: {error}", self._field) from None

    def close(self) -> dict[str, Any]:
        """The form, once all of the body is there."""
        if not self._complete:
            raise FormError("the form has no end: its last boundary is missing", self._field)
        return self.fields

    @property
    def _field(self) -> str:
        return "" if self._head is None else self._head.name

    def _callbacks(self) -> Any:  # noqa: ANN401 - a dictionary that the parser types
        calls: dict[str, Callable[..., None]] = {
            "on_part_begin": self._part_begins,
            "on_header_field": self._header_name,
            "on_header_value": self._header_value,
            "on_header_end": self._header_ends,
            "on_headers_finished": self._head_ends,
            "on_part_data": self._data,
            "on_part_end": self._part_ends,
            "on_end": self._end,
        }
        return calls

    def _part_begins(self) -> None:
        self._parts += 1
        if self._parts > MOST_PARTS:
            raise FormError(f"the form has more than {MOST_PARTS} parts")
        self._headers = {}
        self._head = None

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_ends(self) -> None:
        name = self._name.lower()
        if name in self._headers:
            raise FormError(f"a part of the form has {name.decode('latin-1')} twice")
        self._headers[name] = self._value
        self._name = self._value = b""

    def _head_ends(self) -> None:
        head = self._head = part_head(self._headers)
        is_file, expected = bool(head.filename), head.name.partition("[")[0] in self._files
        if is_file != expected:
            raise FormError("must be a file" if expected else "must be a text, and no file", head.name)
        self._content = io.BytesIO()

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._head is not None and not self._head.filename:
            self._text += end - start
            if self._text > MOST_TEXT:
                raise FormError(f"the texts of the form must have at most {MOST_TEXT:,} bytes in all", self._field)
        self._content.write(memoryview(data)[start:end])

    def _part_ends(self) -> None:
        head = self._head
        if head is None:
            return
        value: Any = self._content.getvalue()  # shares its bytes with the buffer, which nobody writes any more
        self._content = io.BytesIO()
        if head.filename:
            value = UploadedFile(head.filename, head.media_type, value)
        else:
            try:
                value = value.decode("utf-8")
            except UnicodeDecodeError:
                raise FormError("must be UTF-8", head.name) from None
        put_field(self.fields, head.name, value)
        self._head = None

    def _end(self) -> None:
        self._complete = True


def boundary_of(content_type: str) -> bytes:
    """What stands between the parts of a form. FormError where the body is said to be something else."""
    kind, options = parse_options_header(content_type)
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 70:  # noqa: PLR2004 (RFC 2046)
        raise FormError("must be multipart/form-data with a boundary of 1 to 70 characters", _CONTENT_TYPE)
    return boundary
