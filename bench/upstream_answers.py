"""The fake upstream's answers in OpenAI's dialect, built once: whole, streamed, tool calls, errors."""

from __future__ import annotations

from functools import cache

import orjson

TEXT = "The quick brown fox jumps over the lazy dog. " * 8
USAGE = {"prompt_tokens": 180, "completion_tokens": 80, "total_tokens": 260}
TOOL = "weather"
WORD = b"token "
"""Each chunk of a stream but the first has it once."""
_HEAD = {"id": "chatcmpl-b", "created": 1, "model": "bench"}
_WHOLE = _HEAD | {"object": "chat.completion"}
_PART = _HEAD | {"object": "chat.completion.chunk"}
_CALL = {"id": "call_1", "type": "function", "function": {"name": TOOL, "arguments": '{"city":"Zürich"}'}}


def streamed_text(chunks: int) -> str:
    """What all chunks of a stream say together."""
    return "".join(_word(number) for number in range(chunks - 1))


@cache
def whole(words: int = 0, *, tool: bool = False) -> bytes:
    """An answer in one piece."""
    message: dict[str, object] = {"role": "assistant", "content": None, "tool_calls": [_CALL]}
    if not tool:
        message = {"role": "assistant", "content": TEXT + "word " * words}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if tool else "stop"}
    return framed(200, orjson.dumps(_WHOLE | {"choices": [choice], "usage": USAGE}))


@cache
def failure(status: int) -> bytes:
    """An error, as the provider says it."""
    return framed(
        status, orjson.dumps({"error": {"message": "asked for by the benchmark", "type": "server_error", "code": None, "param": None}})
    )


def framed(status: int, body: bytes) -> bytes:
    """With its head."""
    return b"HTTP/1.1 %d Bench\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body)) + body


@cache
def stream_parts(chunks: int) -> tuple[bytes, ...]:
    """A stream's head, then one framed piece per chunk; the last one has usage, the end mark and the end of the body."""
    deltas: list[dict[str, str]] = [{"role": "assistant", "content": ""}, *({"content": _word(number)} for number in range(chunks - 1))]
    events = [_event({"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}) for delta in deltas]
    last = _event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}) + _event({"choices": [], "usage": USAGE})
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    return (head, *map(_chunk, events), _chunk(last + b"data: [DONE]\n\n") + b"0\r\n\r\n")


@cache
def stream(chunks: int) -> bytes:
    """All of it, for one write."""
    return b"".join(stream_parts(chunks))


def _word(number: int) -> str:
    return f"{WORD.decode()}{number} "


def _event(more: dict[str, object]) -> bytes:
    return b"data: " + orjson.dumps(_PART | more) + b"\n\n"


def _chunk(body: bytes) -> bytes:
    return b"%x\r\n" % len(body) + body + b"\r\n"
