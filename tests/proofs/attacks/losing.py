"""A bad way to the mesh: it takes requests along, and loses answers."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tests.proofs.stand import PATIENCE


@contextmanager
def losing(address: str, *, answers: int = 1) -> Iterator[str]:
    """A way to the mesh that loses the first answers once they are whole: the client sees its connection break."""
    host, _, port = address.rpartition(":")
    left = [answers]
    listener = socket.create_server(("127.0.0.1", 0))

    def carry(near: socket.socket) -> None:
        with near, socket.create_connection((host, int(port)), timeout=PATIENCE) as far:
            far.sendall(_request(near))
            answer = _until_closed(far)
            if left[0]:
                left[0] -= 1
                return
            near.sendall(answer)

    def serve() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            carry(near)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(PATIENCE)


def _request(near: socket.socket) -> bytes:
    """A request, made one whose answer ends its connection."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        raw += near.recv(65_536)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = [line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")]
    length = next(int(line.partition(b":")[2]) for line in lines if line.lower().startswith(b"content-length:"))
    while len(body) < length:
        body += near.recv(65_536)
    return b"\r\n".join([*lines, b"connection: close"]) + b"\r\n\r\n" + body


def _until_closed(far: socket.socket) -> bytes:
    parts = []
    while part := far.recv(65_536):
        parts.append(part)
    return b"".join(parts)
