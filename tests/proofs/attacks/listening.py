"""A provider that remembers every byte that reached it, and answers what it is told to."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[[dict[str, Any]], dict[str, Any] | list[dict[str, Any]] | bytes]


@dataclass
class Listener:
    """What arrived, and what is answered: an object, the chunks of a stream, or a sound."""

    address: str = ""
    bodies: list[bytes] = field(default_factory=list)
    answer: Answer = field(default=lambda body: completion("ok", streamed=bool(body.get("stream"))))


def completion(text: str, *, streamed: bool = False, **message: Any) -> dict[str, Any] | list[dict[str, Any]]:
    """An answer of the OpenAI dialect."""
    usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
    head: dict[str, Any] = {"id": "c", "created": 1, "model": "m", "usage": usage}
    if not streamed:
        choice = {"index": 0, "message": {"role": "assistant", "content": text, **message}, "finish_reason": "stop"}
        return {**head, "object": "chat.completion", "choices": [choice]}
    pieces = [{"role": "assistant", "content": ""}, *({"content": each} for each in text), message]
    chunks: list[dict[str, Any]] = [
        {**head, "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": piece}]} for piece in pieces
    ]
    chunks[-1]["choices"][0]["finish_reason"] = "stop"
    return chunks


@contextmanager
def listening() -> Iterator[Listener]:
    """Serve on loopback."""
    listener = Listener()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["content-length"]))
            listener.bodies.append(raw)
            answer = listener.answer(json.loads(raw) if raw.startswith(b"{") else {})  # a form is no JSON
            streamed = isinstance(answer, list)
            chunks = answer if streamed else []
            body = b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks) + b"data: [DONE]\n\n"
            sound = isinstance(answer, bytes)
            body = body if streamed else answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("content-type", "audio/wav" if sound else "text/event-stream" if streamed else "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.address = f"127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield listener
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
