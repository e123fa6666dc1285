"""Clients that wait are accepted together, whichever event loop serves them."""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
import uvloop

from llm_mesh_runtime.http import acceptor as module
from llm_mesh_runtime.http.acceptor import Accepted, Acceptor
from llm_mesh_runtime.http.listener import bound

Run = Callable[[Coroutine[Any, Any, None]], None]
loops = pytest.mark.parametrize("run", [asyncio.run, uvloop.run])


class Served(Accepted):
    """Notes whom it serves."""

    made: list[Served]
    transport: asyncio.BaseTransport
    told = lost = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.made.append(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True

    def shutdown(self) -> None:
        self.told = True
        self.transport.close()


@pytest.fixture
def sock() -> Iterator[socket.socket]:
    with bound("127.0.0.1:0") as listening:
        yield listening


@pytest.fixture
def made() -> list[Served]:
    Served.made = []
    return Served.made


async def until(true: Callable[[], bool], turns: int = 100_000) -> None:
    for _ in range(turns):
        if true():
            return
        await asyncio.sleep(0)
    raise AssertionError


@asynccontextmanager
async def accepting(sock: socket.socket, clients: int) -> AsyncIterator[Acceptor]:
    """With so many who wait already."""
    with ExitStack() as stack:
        for _ in range(clients):
            stack.enter_context(socket.create_connection(sock.getsockname()))
        acceptor = Acceptor(sock, Served)
        try:
            yield acceptor
        finally:
            acceptor.close()
            await acceptor.wait_closed()
            for served in Served.made:
                served.transport.close()
            await until(lambda: all(served.lost for served in Served.made))


@loops
def test_all_who_wait_are_accepted_in_a_few_turns(run: Run, sock: socket.socket, made: list[Served]) -> None:
    async def main() -> None:
        async with accepting(sock, 100):
            await until(lambda: len(made) == 100, turns=10)

    run(main())


@loops
def test_those_who_are_connected_have_their_turn_between(
    run: Run, sock: socket.socket, made: list[Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "AT_ONCE", 2)

    async def main() -> None:
        async with accepting(sock, 20):
            await until(lambda: bool(made))
            assert len(made) <= 4
            await until(lambda: len(made) == 20)

    run(main())


@loops
def test_without_open_files_left_it_waits_and_goes_on(
    run: Run, sock: socket.socket, made: list[Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    accept, failing = socket.socket.accept, [OSError(errno.EMFILE, "Too many open files")] * 3

    def accepted(self: socket.socket) -> tuple[socket.socket, Any]:
        if failing:
            raise failing.pop()
        return accept(self)

    async def main() -> None:
        async with accepting(sock, 2):
            await until(lambda: len(made) == 2)

    monkeypatch.setattr(socket.socket, "accept", accepted)
    run(main())
    assert not failing


@loops
def test_without_open_files_left_it_does_not_try_again_at_once(
    run: Run, sock: socket.socket, made: list[Served], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PAUSE", 60.0)
    tries = []

    def refused(self: socket.socket) -> None:
        tries.append(self)
        raise OSError(errno.EMFILE, "Too many open files")

    async def main() -> None:
        async with accepting(sock, 2):
            await until(lambda: bool(tries))
            for _ in range(100):
                await asyncio.sleep(0)
            assert len(tries) == 1

    monkeypatch.setattr(socket.socket, "accept", refused)
    run(main())
    assert made == []


@loops
def test_who_is_being_connected_while_it_closes_is_told(run: Run, sock: socket.socket, made: list[Served]) -> None:
    async def main() -> None:
        async with accepting(sock, 5) as acceptor:
            await until(lambda: bool(acceptor._connecting))
            acceptor.close()
            await acceptor.wait_closed()
            assert [served.told for served in made] == [True] * 5

    run(main())
