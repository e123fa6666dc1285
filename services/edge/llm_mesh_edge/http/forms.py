"""Forms whose file is handed on as it arrives: fields are short texts, and of the file no more is held than one piece.

`form_reader` reads forms whose files have to be there as a whole; what a part says of itself is the same for both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import NamedTuple

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser

from llm_mesh_edge.http.exchange import HttpExchange
from llm_mesh_edge.http.form_parts import FormError, PartHead, part_head
from llm_mesh_edge.http.form_reader import LONGEST_HEADER, MOST_HEADERS, boundary_of

_MOST_PARTS = 32
_FIELD_BYTES = 8 * 1024


class FormField(NamedTuple):
    """A field that is a text."""

    name: str
    value: str


class FormPiece(NamedTuple):
    """The next bytes of the file that began last."""

    content: bytes


FormPart = FormField | PartHead | FormPiece
"""The head of a file stands before its pieces."""


async def form_parts(exchange: HttpExchange, *, limit: int, idle: float) -> AsyncIterator[FormPart]:
    """The parts of the body, in their order. `limit` bounds all bytes, `idle` the seconds without one."""
    reader = _PieceReader(boundary_of(exchange.headers.get(b"content-type")))
    async for piece in exchange.pieces(limit, idle):
        for part in reader.feed(piece):
            yield part
    reader.close()


class _PieceReader:
    """Cuts a body into parts."""

    def __init__(self, boundary: bytes) -> None:
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_name,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._whole,
            },
            max_header_count=MOST_HEADERS,
            max_header_size=LONGEST_HEADER,
        )
        self._parts: list[FormPart] = []
        self._count = 0
        self._header = self._header_text = b""
        self._headers: dict[bytes, bytes] = {}
        self._head = PartHead("", "", "")
        self._value = bytearray()
        self._complete = False

    def feed(self, piece: bytes) -> Iterator[FormPart]:
        """The parts that the piece has."""
        try:
            self._parser.write(piece)
        except FormParserError as error:
            raise FormError(f"the body is no form as its content-type says: {error}") from None
        parts, self._parts = self._parts, []
        yield from parts

    def close(self) -> None:
        """There is no more. FormError where the form does not end."""
        if not self._complete:
            raise FormError("the form has no end: its last boundary is missing")

    def _begin(self) -> None:
        self._count += 1
        if self._count > _MOST_PARTS:
            raise FormError(f"the form has more than {_MOST_PARTS} parts")
        self._headers = {}

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._header_text += data[start:end]

    def _header_end(self) -> None:
        self._headers[self._header.lower()] = self._header_text
        self._header = self._header_text = b""

    def _headers_end(self) -> None:
        self._head = part_head(self._headers)
        self._value = bytearray()
        if self._head.filename:
            self._parts.append(self._head)

    def _data(self, data: bytes, start: int, end: int) -> None:
        if self._head.filename:
            self._parts.append(FormPiece(data[start:end]))
            return
        self._value += data[start:end]
        if len(self._value) > _FIELD_BYTES:
            raise FormError(f"must be at most {_FIELD_BYTES} bytes", self._head.name)

    def _end(self) -> None:
        if not self._head.filename:
            try:
                self._parts.append(FormField(self._head.name, self._value.decode()))
            except UnicodeDecodeError:
                raise FormError("must be UTF-8", self._head.name) from None

    def _whole(self) -> None:
        self._complete = True
