"""Reads the lines of a batch's file, in whatever pieces it comes. No line and no file is held beyond its bound."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from llm_mesh.batches.v1 import batches_pb2

_CUSTOM_ID = 512
_EXPECTED = '{"custom_id": …, "method": "POST", "url": …, "body": {…}}'
_SHOWN = 64
_UNPRINTABLE = re.compile(r"[^ -~]")


class RawLine(NamedTuple):
    """A line of a file. `content` is None where it is longer than a line may be."""

    number: int
    content: bytes | None


class ReadLine(NamedTuple):
    """A line of a batch, understood."""

    number: int
    custom_id: str
    body: bytes


class LineFault(Exception):
    """What is wrong with a line."""

    def __init__(self, number: int, code: str, message: str, field: str = "") -> None:
        super().__init__(message)
        self.error = batches_pb2.LineError(line=number, code=code, message=message, field=field)


class LineSplitter:
    """Cuts pieces into lines. Of a line that is too long nothing is kept but its number."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._begun: list[bytes] = []
        self._size = 0
        self._number = 1

    def feed(self, piece: bytes) -> Iterator[RawLine]:
        """The lines that end in the piece; those without anything but blanks are left out."""
        begin = 0
        while (end := piece.find(b"\n", begin)) >= 0:
            self._add(piece[begin:end])
            yield from self._cut()
            begin = end + 1
        self._add(piece[begin:])

    def close(self) -> Iterator[RawLine]:
        """The last line, where the file does not end with a line's end."""
        yield from self._cut()

    def _add(self, part: bytes) -> None:
        self._size += len(part)
        if self._size <= self._most:
            self._begun.append(part)
        else:
            self._begun.clear()

    def _cut(self) -> Iterator[RawLine]:
        number, too_long, content = self._number, self._size > self._most, b"".join(self._begun)
        self._begun, self._size, self._number = [], 0, number + 1
        if too_long:
            yield RawLine(number, None)
        elif content.strip():
            yield RawLine(number, content)


def read_line(line: RawLine, url: str, most: int) -> ReadLine:
    """A line, understood. Raises `LineFault`."""
    if line.content is None:
        raise LineFault(line.number, "line_too_large", f"a line may have {most} bytes and no more, by LLM_MESH_BATCHES_LINE_BYTES")
    try:
        value = orjson.loads(line.content)
    except orjson.JSONDecodeError as error:
        code = "invalid_json" if _is_text(line.content) else "invalid_utf8"
        raise LineFault(line.number, code, f"the line is not valid JSON in UTF-8: {error.msg} at column {error.colno}") from None
    if not isinstance(value, dict):
        raise LineFault(line.number, "invalid_json", f"expected an object such as {_EXPECTED}")
    custom_id = value.get("custom_id")
    if "custom_id" not in value:
        raise LineFault(line.number, "missing_field", "custom_id: required", "custom_id")
    if not isinstance(custom_id, str) or not 1 <= len(custom_id.encode()) <= _CUSTOM_ID:
        raise LineFault(line.number, "invalid_field", f"custom_id: expected a string of 1 to {_CUSTOM_ID} bytes", "custom_id")
    if value.get("method", "POST") != "POST":
        raise LineFault(line.number, "invalid_field", 'method: expected "POST"', "method")
    if value.get("url") != url:
        message = f"url: expected {url}, as the batch's endpoint; found {shown(value.get('url'))}"
        raise LineFault(line.number, "mismatched_endpoint", message, "url")
    return ReadLine(line.number, custom_id, _body(line.number, value))


def shown(value: object) -> str:
    """A value of a stranger, in few printable characters."""
    text = value if isinstance(value, str) else "nothing" if value is None else type(value).__name__
    return _UNPRINTABLE.sub("?", text[:_SHOWN])


def _body(number: int, value: dict[str, Any]) -> bytes:
    body = value.get("body")
    if not isinstance(body, dict):
        code = "invalid_field" if "body" in value else "missing_field"
        raise LineFault(number, code, "body: expected an object", "body")
    return orjson.dumps(body)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True
