"""Connections to providers: when they serve again, when a request is sent again, and how they end."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator

import pytest

from llm_mesh_adapter_kit.http import (
    READ_AHEAD,
    BrokenError,
    ConnectTimeoutError,
    ForbiddenError,
    HttpClient,
    HttpRequest,
    UnreachableError,
)
from tests.adapter_kit.scripted_provider import Kind, Visit, answering, asking, chunked, provider, sized, whole


async def test_a_connection_serves_again(kind: Kind) -> None:
    async with provider(answering(sized(b"1"), chunked([b"2"]), sized(b"3"))) as (seen, port), kind.pool(port) as client:
        assert [await whole(client, asking(port)) for _ in range(3)] == [b"1", b"2", b"3"]
        assert len(seen.visits) == 1


@pytest.mark.parametrize("header", [b"Connection: close", b"Keep-Alive: timeout=1"])
async def test_a_connection_that_will_be_closed_does_not_serve_again(kind: Kind, header: bytes) -> None:
    async with provider(answering(sized(b"1", header), sized(b"2", header))) as (seen, port), kind.pool(port) as client:
        for _ in range(2):
            assert await whole(client, asking(port)) == b"1"
        assert len(seen.visits) == 2


async def test_a_connection_that_says_something_unasked_does_not_serve_again(kind: Kind) -> None:
    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(sized(b"1"), b"HTTP/1.1 408 Request Timeout\r\n\r\n")
        await visit.request()

    async with provider(handle) as (seen, port), kind.pool(port) as client:
        assert await whole(client, asking(port)) == b"1"
        await asyncio.sleep(0.05)  # the network's doing, not a synchronisation
        assert await whole(client, asking(port)) == b"1"
        assert len(seen.visits) == 2


async def test_a_connection_that_was_closed_while_the_loop_was_busy_does_not_serve_again(kind: Kind) -> None:
    async with provider(answering(sized(b"1"))) as (seen, port), kind.pool(port) as client:
        assert await whole(client, asking(port)) == b"1"
        await seen.visits[0].writer.wait_closed()
        time.sleep(0.05)  # noqa: ASYNC251  the loop is busy, and has not seen that the other side closed
        assert await whole(client, asking(port)) == b"1"


@pytest.mark.parametrize(("method", "received"), [("POST", 1), ("GET", 2)])
async def test_a_request_that_may_have_been_processed_is_not_sent_again(kind: Kind, method: str, received: int) -> None:
    """The kept connection takes the second request and closes without a word: only what changes nothing is sent again."""
    requests: list[bytes] = []

    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(sized(b"ok"))
        if first := await visit.request():
            requests.append(first)

    async with provider(handle) as (seen, port), kind.pool(port) as client:
        assert await whole(client, asking(port)) == b"ok"
        if method == "GET":
            assert await whole(client, asking(port, "GET")) == b"ok"
        else:
            with pytest.raises(BrokenError):
                await whole(client, asking(port))
        assert len(seen.visits) == received
        assert len(requests) == 1


async def test_the_head_of_a_request_is_as_it_should_be(kind: Kind) -> None:
    requests: list[bytes] = []

    async def handle(visit: Visit) -> None:
        requests.append(await visit.request())
        await visit.say(sized(b"ok", b"connection: close"))

    async with provider(handle) as (_, port), kind.pool(port) as client:
        await whole(client, asking(port, path="/v1/x?api-version=1"))
        await whole(client, asking(port, "GET"))
    common = b"host: 127.0.0.1:%d\r\naccept-encoding: identity\r\nuser-agent: llm-mesh\r\na: b\r\n" % port
    assert requests == [
        b"POST /v1/x?api-version=1 HTTP/1.1\r\n" + common + b"content-length: 2\r\n\r\n{}",
        b"GET /v1/x HTTP/1.1\r\n" + common + b"\r\n",
    ]


@pytest.mark.parametrize("headers", [{"a": "b\r\nc: d"}, {"a": "b\nc"}, {"a\r\nb": "c"}, {"a": "b\0"}])
async def test_a_header_of_several_lines_is_refused(kind: Kind, headers: dict[str, str]) -> None:
    async with provider(answering(sized(b"ok"))) as (seen, port), kind.pool(port) as client:
        with pytest.raises(ValueError, match="one line"):
            await client.send(asking(port, headers=headers))
        assert seen.visits == []


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:1/v1", "https://127.0.0.1:{port}/v1", "http://127.0.0.1:{port}/a b", "http://127.0.0.1:{port}/a\r\nb: c"]
)
async def test_a_request_to_another_origin_or_to_no_address_is_refused(kind: Kind, url: str) -> None:
    async with provider(answering(sized(b"ok"))) as (seen, port), kind.pool(port) as client:
        with pytest.raises(ValueError, match="origin"):
            await client.send(asking(port, url=url.format(port=port)))
        assert seen.visits == []


async def test_a_redirect_is_an_answer(kind: Kind) -> None:
    redirect = sized(b"", b"location: http://127.0.0.1:1/", status=b"302 Found")
    async with provider(answering(redirect)) as (seen, port), kind.pool(port) as client:
        answer = await client.send(asking(port))
        assert (answer.status, answer.header("location")) == (302, "http://127.0.0.1:1/")
        answer.close()
        assert len(seen.visits) == 1


async def silent(visit: Visit) -> None:
    """Takes a request, and notes when the client leaves."""
    await visit.request()
    await visit.reader.read()
    visit.left.set()


async def test_the_deadline_of_the_head_ends_the_wait_and_the_connection(kind: Kind) -> None:
    async with provider(silent) as (seen, port), kind.pool(port) as client:
        with pytest.raises(TimeoutError):
            await client.send(asking(port, deadline=time.monotonic() + 0.5))
        async with asyncio.timeout(5):
            await seen.visits[0].left.wait()


async def test_a_deadline_that_moves_on_is_looked_at_again_when_it_comes(kind: Kind) -> None:
    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(b"HTTP/1.1 200 OK\r\n\r\n", b"a")
        await visit.reader.read()
        visit.left.set()

    async with provider(handle) as (seen, port), kind.pool(port) as client:
        answer = await client.send(asking(port, deadline=time.monotonic() + 0.05))
        assert await answer.read() == b"a"
        begun = time.monotonic()
        with pytest.raises(TimeoutError):
            await answer.read(begun + 0.2)
        assert time.monotonic() - begun > 0.15
        async with asyncio.timeout(5):
            await seen.visits[0].left.wait()


@pytest.mark.parametrize("phase", ["head", "body"])
async def test_whoever_is_cancelled_closes_the_connection_at_once(kind: Kind, phase: str) -> None:
    async def handle(visit: Visit) -> None:
        try:
            await visit.request()
            if phase == "body":
                await visit.say(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\na")
            await visit.reader.read()
        finally:
            visit.left.set()

    for turns in range(40):  # of the loop, after which the cancellation comes: before, while and after the connection is made
        async with asyncio.timeout(10), provider(handle) as (seen, port), kind.pool(port) as client:
            task = asyncio.ensure_future(whole_or_closed(client, port))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            for visit in seen.visits:
                await visit.left.wait()


async def test_the_client_can_be_closed_after_a_call_that_was_cancelled_when_the_server_took_the_connection(kind: Kind) -> None:
    async with asyncio.timeout(10), provider(silent) as (seen, port), kind.pool(port) as client:
        task = asyncio.ensure_future(whole_or_closed(client, port))
        while not seen.visits:  # noqa: ASYNC110  the server tells nobody
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task


async def whole_or_closed(client: HttpClient, port: int) -> None:
    answer = await client.send(asking(port))
    try:
        while await answer.read():
            pass
    finally:
        answer.close()


async def test_a_reader_that_pauses_stops_the_provider(kind: Kind) -> None:
    sent = 0
    stuck = asyncio.Event()

    async def handle(visit: Visit) -> None:
        nonlocal sent
        await visit.request()
        visit.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
        visit.writer.transport.set_write_buffer_limits(high=65536)
        await visit.say(b"HTTP/1.1 200 OK\r\n\r\n")
        try:
            while sent < 200_000_000:
                visit.writer.write(b"x" * 4096)
                sent += 4096
                async with asyncio.timeout(0.5):
                    await visit.writer.drain()
        except TimeoutError:
            stuck.set()

    async with provider(handle) as (_, port), kind.pool(port) as client:
        answer = await client.send(asking(port))
        async with asyncio.timeout(10):
            await stuck.wait()
        assert len(await answer.read()) <= READ_AHEAD
        answer.close()
    assert sent < 50_000_000


async def test_closing_the_client_ends_whoever_waits(kind: Kind) -> None:
    async with provider(silent) as (seen, port), kind.pool(port) as client:
        task = asyncio.ensure_future(client.send(asking(port)))
        while not seen.visits:  # noqa: ASYNC110  the server tells nobody
            await asyncio.sleep(0.002)
        await client.close()
        with pytest.raises(BrokenError):
            await task


async def test_nobody_there_is_unreachable(kind: Kind) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        port = unheard.getsockname()[1]
        async with kind.pool(port) as client:
            with pytest.raises(UnreachableError):
                await client.send(asking(port))


@pytest.mark.parametrize(("limit", "deadline", "expected"), [(0.05, 9.0, ConnectTimeoutError), (9.0, 0.05, TimeoutError)])
async def test_a_connection_that_does_not_come_about_is_given_up(
    kind: Kind, limit: float, deadline: float, expected: type[Exception]
) -> None:
    with deaf() as port:
        async with kind.pool(port) as client:
            with pytest.raises(expected):
                await client.send(asking(port, connect_timeout=limit, deadline=time.monotonic() + deadline))


class deaf:  # noqa: N801 (reads as a phrase)
    """A port whose queue is full: the system answers nobody who comes."""

    def __enter__(self) -> int:
        self._listener = socket.socket()
        self._listener.bind(("127.0.0.1", 0))
        self._listener.listen(0)
        port: int = self._listener.getsockname()[1]
        self._queue = [socket.socket() for _ in range(4)]
        for each in self._queue:
            each.setblocking(False)
            each.connect_ex(("127.0.0.1", port))
        return port

    def __exit__(self, *_: object) -> None:
        for each in (*self._queue, self._listener):
            each.close()


@pytest.fixture
async def patched() -> AsyncIterator[pytest.MonkeyPatch]:
    """Changes that end before the loop does."""
    with pytest.MonkeyPatch.context() as patch:
        yield patch


def resolving(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> list[str]:
    """Lets every name lead to these addresses; gives the names that were asked for."""
    asked: list[str] = []

    async def getaddrinfo(host: str, port: int, **_: object) -> list[object]:
        if host.startswith("127."):  # uvloop asks for addresses too
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (host, port))]
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo, raising=False)
    return asked


async def test_a_name_of_which_one_address_is_forbidden_is_not_connected_to(kind: Kind, patched: pytest.MonkeyPatch) -> None:
    async with provider(answering(sized(b"ok"))) as (seen, port):
        resolving(patched, ("127.0.0.1", port), ("192.0.2.1", port))
        client = kind.client(f"http://provider.test:{port}")
        with pytest.raises(ForbiddenError, match=r"provider\.test \(192\.0\.2\.1\)"):
            await client.send(HttpRequest(f"http://provider.test:{port}/", {}))
        await client.close()
        assert seen.visits == []


@pytest.mark.parametrize("first", ["refuses", "is deaf"])
async def test_a_later_address_of_a_name_serves_where_the_first_does_not(kind: Kind, patched: pytest.MonkeyPatch, first: str) -> None:
    with socket.socket() as unheard, deaf() as silent_port:
        unheard.bind(("127.0.0.1", 0))
        dead = unheard.getsockname()[1] if first == "refuses" else silent_port
        async with provider(answering(sized(b"ok", b"connection: close"), sized(b"ok"))) as (_, port):
            asked = resolving(patched, ("127.0.0.1", dead), ("127.0.0.1", port))
            client = kind.client("http://provider.test")
            for _ in range(2):
                assert await whole(client, HttpRequest("http://provider.test/", {})) == b"ok"
            await client.close()
            assert asked == ["provider.test"], "a name is resolved once"


async def test_no_address_of_a_name_answers(kind: Kind, patched: pytest.MonkeyPatch) -> None:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        dead = ("127.0.0.1", unheard.getsockname()[1])
        resolving(patched, dead, ("127.0.0.2", dead[1]))
        client = kind.client("http://provider.test")
        with pytest.raises(UnreachableError, match="Connection refused"):
            await client.send(HttpRequest("http://provider.test/", {}))
        await client.close()
