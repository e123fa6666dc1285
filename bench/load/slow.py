"""Clients that read one byte a second: `python -m bench.load.slow HOST PORT REQUESTS CLIENTS` until its input ends.

Their sockets take as little as the kernel allows, so that what is not read stays with whom it came from.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from pathlib import Path

from bench.load.spec import read_requests

_STATUS = len(b"HTTP/1.1 200")


def main() -> None:
    """Connects all, says how many were answered, and reads slowly."""
    host, port, path, count = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]), int(sys.argv[4])
    requests = read_requests(path)
    clients, answered = [], 0
    for number in range(count):
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)
        client.settimeout(30)
        client.connect((host, port))
        client.sendall(requests[number % len(requests)])
        clients.append(client)
    for client in clients:
        try:
            answered += client.recv(_STATUS, socket.MSG_WAITALL).endswith(b" 200")
        except OSError:
            continue
    print(answered, flush=True)
    ended, due = 0, time.monotonic()
    while not select.select([sys.stdin], [], [], max(0.0, due - time.monotonic()))[0]:
        due += 1.0
        for client in clients:
            client.setblocking(False)
            try:
                ended += not client.recv(1)
            except OSError:
                continue
    print(ended, flush=True)


if __name__ == "__main__":
    main()
