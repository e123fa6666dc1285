"""Reads one HTTP answer as it comes, and says what is wrong with it: a figure counts only for answers that are right."""

from __future__ import annotations

from typing import Any

import orjson

from bench.load.spec import Expected
from bench.upstream_answers import WORD, streamed_text

_HEAD_END = b"\r\n\r\n"
_LAST = b"0\r\n\r\n"
_DONE = b"[DONE]"
_THOROUGH = 16
"""One stream of so many is read event by event; all others by their number of events, usage and end."""


class Answer:
    """One answer, fed piece by piece."""

    __slots__ = ("_body", "_buffer", "_size", "status")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._body = 0
        self._size = -1
        self.status = 0

    def feed(self, data: bytes) -> bool:
        """One piece; true once the answer is whole."""
        self._buffer += data
        if not self._body and not self._read_head():
            return False
        if self._size >= 0:
            return len(self._buffer) >= self._body + self._size
        return self._buffer.endswith(_LAST)

    @property
    def started(self) -> bool:
        """Whether content has come."""
        return self._body > 0 and len(self._buffer) > self._body

    @property
    def head(self) -> bytes:
        """The head in lower case."""
        return bytes(self._buffer[: self._body]).lower()

    def wrong(self, expected: Expected, number: int) -> str:
        """What is wrong with a whole answer; empty where nothing is."""
        if self.status != 200:
            return f"status {self.status}"
        body = bytes(self._buffer[self._body :])
        if self._size < 0:
            body = unchunked(body)
        return (
            _wrong_stream(body, expected, thorough=number % _THOROUGH == 0) if expected.streamed else _wrong_whole(body, expected, number)
        )

    def _read_head(self) -> bool:
        end = self._buffer.find(_HEAD_END)
        if end < 0:
            return False
        self._body = end + len(_HEAD_END)
        self.status = int(self._buffer[9:12])
        head = self.head
        at = head.find(b"content-length:")
        self._size = -1 if at < 0 else int(head[at + 15 :].split(b"\r\n", 1)[0])
        return True


def unchunked(body: bytes) -> bytes:
    """A body without its framing in chunks."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = body.index(b"\r\n", at)
        size = int(body[at:end].split(b";", 1)[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(body[end + 2 : end + 2 + size])
        at = end + 4 + size


def _wrong_whole(body: bytes, expected: Expected, number: int) -> str:
    try:
        answer: dict[str, Any] = orjson.loads(body)
        choice = answer["choices"][0]
        message = choice["message"]
    except (ValueError, LookupError, TypeError):
        return "a body of another shape"
    if expected.tokens and (answer.get("usage") or {}).get("total_tokens") != expected.tokens:
        return "another usage"
    if expected.tool_loop and number % 2:
        return "" if message.get("tool_calls") and choice.get("finish_reason") == "tool_calls" else "no call of a tool"
    return "" if message.get("content") and choice.get("finish_reason") == "stop" else "no content, or another end"


def _wrong_stream(body: bytes, expected: Expected, *, thorough: bool) -> str:
    if not body.rstrip().endswith(_DONE):
        return "a stream without its end mark"
    if expected.tokens and b'"total_tokens"' not in body[-2000:]:
        return "a stream without usage"
    # The chunks, with the last delta and usage, each in an event of its own or together; and the end mark.
    if expected.regrouped:
        return _wrong_events(body, expected)
    events, words = body.count(b"data:"), body.count(WORD)
    if words != expected.chunks - 1 or not expected.chunks < events <= expected.chunks + 4:
        return "another number of events"
    return _wrong_events(body, expected) if thorough else ""


def _wrong_events(body: bytes, expected: Expected) -> str:
    pieces, usage, end = [], 0, ""
    try:
        for line in body.split(b"\n"):
            text = line.removeprefix(b"data:").strip()
            if not line.startswith(b"data:") or text == _DONE:
                continue
            event: dict[str, Any] = orjson.loads(text)
            usage = (event.get("usage") or {}).get("total_tokens", usage)
            for choice in event["choices"]:
                pieces.append((choice.get("delta") or {}).get("content") or "")
                end = choice.get("finish_reason") or end
    except (ValueError, LookupError, TypeError, AttributeError):
        return "an event of another shape"
    if expected.tokens and usage != expected.tokens:
        return "another usage"
    return "" if "".join(pieces) == streamed_text(expected.chunks) and end == "stop" else "another text, or another end"
