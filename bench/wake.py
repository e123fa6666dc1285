"""What it costs to wake a client: the CPU of a small send to a sleeper on the other core, over that of one to a socket where nobody waits.

python -m bench.wake

The kernel charges the sender for it. Between virtual cores it is a call of the host, so a chunk that is sent by itself may cost more in
the kernel than all that the mesh did with it; one among many finds its reader awake.
"""

from __future__ import annotations

import os
import socket
import statistics
import time

from bench.processes import LOAD_CORE, MESH_CORE, pinned

_TIMES = 300
_PAUSE = 0.001
"""Long enough for the other side to have read, and to sleep again."""


def main() -> None:
    """Prints the median of both, in µs."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        near, unheard = (_pair(server) for _ in range(2))
        sleeper = os.fork()
        if sleeper == 0:
            _read(near)
        pinned(MESH_CORE)()
        near[1].close()
        woken, quiet = _sending_us(near[0]), _sending_us(unheard[0])
        near[0].close()
        os.waitpid(sleeper, 0)
    print(f"{woken:.1f} {quiet:.1f}")


def _pair(server: socket.socket) -> tuple[socket.socket, socket.socket]:
    client = socket.create_connection(server.getsockname())
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return client, server.accept()[0]


def _read(pair: tuple[socket.socket, socket.socket]) -> None:
    pinned(LOAD_CORE)()
    pair[0].close()
    while pair[1].recv(64):
        pass
    os._exit(0)


def _sending_us(client: socket.socket) -> float:
    taken = []
    for _ in range(_TIMES):
        time.sleep(_PAUSE)
        begun = time.thread_time()
        client.send(b"x")
        taken.append(time.thread_time() - begun)
    return statistics.median(taken) * 1e6


if __name__ == "__main__":
    main()
