"""A provider in the OpenAI dialect that is fast enough not to matter: prebuilt answers, nothing parsed but the end of the request.

python -m bench.upstream PORT [DELAY_MS]
"""

from __future__ import annotations

import asyncio
import sys

import orjson
import uvloop

CHUNKS = 100
TEXT = "The quick brown fox jumps over the lazy dog. " * 8
USAGE = {"prompt_tokens": 180, "completion_tokens": 80, "total_tokens": 260}


def _json() -> bytes:
    message = {"role": "assistant", "content": TEXT}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = orjson.dumps(
        {"id": "chatcmpl-b", "object": "chat.completion", "created": 1, "model": "bench", "choices": [choice], "usage": USAGE}
    )
    return b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body


def _events() -> bytes:
    head = {"id": "chatcmpl-b", "object": "chat.completion.chunk", "created": 1, "model": "bench"}
    deltas = [{"role": "assistant", "content": ""}, *({"content": f"token {number} "} for number in range(CHUNKS - 1))]
    chunks = [head | {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]} for delta in deltas]
    chunks.append(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    chunks.append(head | {"choices": [], "usage": USAGE})
    body = b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"
    framed = b"%x\r\n" % len(body) + body + b"\r\n0\r\n\r\n"
    return b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n" + framed


class Upstream(asyncio.Protocol):
    """Answers each request on a connection once it is whole."""

    def __init__(self, delay: float) -> None:
        self._delay = delay
        self._buffer = b""
        self._whole, self._stream = _json(), _events()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        self._transport: asyncio.Transport = transport  # type: ignore[assignment]  # a TCP transport

    def data_received(self, data: bytes) -> None:
        """Answers every request that is whole."""
        self._buffer += data
        while (request := self._cut()) is not None:
            answer = self._stream if b'"stream":true' in request else self._whole
            if self._delay:
                asyncio.get_running_loop().call_later(self._delay, self._transport.write, answer)
            else:
                self._transport.write(answer)

    def _cut(self) -> bytes | None:
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = self._buffer[:end].lower()
        at = head.find(b"content-length:")
        length = int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        size = end + 4 + length
        if len(self._buffer) < size:
            return None
        request, self._buffer = self._buffer[:size], self._buffer[size:]
        return request


async def main() -> None:
    """Serves until killed."""
    delay = float(sys.argv[2]) / 1000 if len(sys.argv) > 2 else 0.0
    server = await asyncio.get_running_loop().create_server(lambda: Upstream(delay), "127.0.0.1", int(sys.argv[1]), backlog=1024)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main())
