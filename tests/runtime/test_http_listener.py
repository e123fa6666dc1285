"""A connection as the HTTP listener keeps it: what is awaited of a client, what goes out at once, and who is told that it left."""

from __future__ import annotations

import asyncio
import gc
import weakref
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from llm_mesh_runtime.http import extensions
from llm_mesh_runtime.http import protocol as http_protocol
from tests.runtime.listening import connected, told_by

App = Callable[[Any, Any, Any], Awaitable[None]]
GET = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n"
LAST = b"GET /%b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"


def answering(*headers: tuple[bytes, bytes], body: bytes = b"") -> App:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        said = body or scope["path"].encode()
        await send({"type": "http.response.start", "status": 200, "headers": headers or [(b"content-length", b"%d" % len(said))]})
        await send({"type": "http.response.body", "body": said})

    return app


async def nothing(scope: Any, receive: Any, send: Any) -> None:
    raise AssertionError


async def head(reader: asyncio.StreamReader) -> bytes:
    return await reader.readuntil(b"\r\n\r\n")


async def test_a_head_that_does_not_come_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_PATIENCE", 0.05)
    async with connected(nothing) as (reader, _):
        assert await reader.read() == b""


async def test_a_head_that_does_not_end_ends_the_connection_after_answers_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_PATIENCE", 0.05)
    async with connected(answering()) as (reader, writer):
        writer.write(GET % b"one")
        await head(reader)
        assert await reader.readexactly(4) == b"/one"
        writer.write(b"GET /two HTTP/1.1\r\nhost:")
        assert await reader.read() == b""


async def test_between_requests_a_client_may_take_longer_than_over_a_head(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_PATIENCE", 0.02)
    looks: list[float] = []
    look = http_protocol.Protocol._check_deadline

    def looking(protocol: http_protocol.Protocol) -> None:
        look(protocol)
        looks.append(protocol._due)
        if len(looks) == 5:
            looked.set()

    monkeypatch.setattr(http_protocol.Protocol, "_check_deadline", looking)
    looked = asyncio.Event()
    async with connected(answering()) as (reader, writer):
        writer.write(GET % b"one")
        await head(reader)
        await reader.readexactly(4)
        await looked.wait()
        writer.write(LAST % b"two")
        assert (await reader.read()).endswith(b"/two")


async def test_a_head_is_not_waited_for_longer_because_the_request_before_it_took_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "HEAD_PATIENCE", 0.05)
    look, looked = http_protocol.Protocol._check_deadline, asyncio.Event()

    def looking(protocol: http_protocol.Protocol) -> None:
        look(protocol)
        looked.set()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await looked.wait()
        await answering()(scope, receive, send)

    monkeypatch.setattr(http_protocol.Protocol, "_check_deadline", looking)
    async with connected(app) as (reader, writer):
        writer.write(GET % b"one")
        await head(reader)
        await reader.readexactly(4)
        writer.write(b"GET /two HTTP/1.1\r\nhost:")
        assert await reader.read() == b""


async def test_pipelined_requests_are_worked_on_one_after_the_other() -> None:
    events: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        events.append(f"begins {scope['path']}")
        for _ in range(20):
            await asyncio.sleep(0)  # leaves the others their turns
        events.append(f"ends {scope['path']}")
        await answering()(scope, receive, send)

    async with connected(app) as (reader, writer):
        writer.write(GET % b"one" + GET % b"two" + LAST % b"three")
        said = await reader.read()
    assert events == [f"{what} /{name}" for name in ("one", "two", "three") for what in ("begins", "ends")]
    assert said.index(b"/one") < said.index(b"/two") < said.index(b"/three")


@pytest.mark.parametrize("waits", ["/one", "/two"])
async def test_who_answers_a_pipelined_request_is_told_that_its_client_left(waits: str) -> None:
    begun, left = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["path"] != waits:
            return await answering()(scope, receive, send)
        scope["extensions"][extensions.GONE](left.set)
        begun.set()
        await left.wait()
        return None

    async with connected(app) as (_, writer):
        writer.write(GET % b"one" + GET % b"two" + GET % b"three")
        await begun.wait()
        writer.transport.abort()
        await left.wait()


async def test_who_pipelines_and_leaves_is_noticed_once_the_answer_under_way_has_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `security.md` says: what is pipelined behind a request keeps the listener from reading on, and so from noticing who left."""
    begun, go, left = asyncio.Event(), asyncio.Event(), asyncio.Event()
    paused, events = told_by(monkeypatch, "pause_reading"), []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        name, gone = scope["path"], asyncio.Event()
        scope["extensions"][extensions.GONE](gone.set)
        if name == "/one":
            begun.set()
            await go.wait()
            events.append((name, gone.is_set()))
            await answering()(scope, receive, send)
        else:
            await gone.wait()
            events.append((name, True))
            left.set()

    async with connected(app) as (_, writer):
        writer.write(GET % b"one")
        await begun.wait()
        writer.write(GET % b"two" + GET % b"three")
        await paused.wait()
        writer.transport.abort()
        go.set()
        await left.wait()
    assert events == [("/one", False), ("/two", True)]


async def test_an_answered_request_is_freed_without_the_garbage_collector() -> None:
    answered: list[weakref.ref[Any]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        on_gone = scope["extensions"][extensions.GONE]
        on_gone(lambda: send)  # as presence holds on to the request that it ends
        answered.append(weakref.ref(on_gone.__self__))
        await answering()(scope, receive, send)

    gc.disable()
    try:
        async with connected(app) as (reader, writer):
            for name in (b"one", b"two"):
                writer.write(GET % name)
                await head(reader)
                await reader.readexactly(4)
            assert answered[0]() is None
    finally:
        gc.enable()


async def test_who_asks_late_is_told_at_once_that_the_client_has_left() -> None:
    left, told = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        on_gone = scope["extensions"][extensions.GONE]
        await receive()
        assert (await receive())["type"] == "http.disconnect"
        left.set()
        on_gone(told.set)

    async with connected(app) as (_, writer):
        writer.write(GET % b"")
        await writer.drain()
        writer.close()
        await left.wait()
        await told.wait()


async def test_nobody_is_told_once_the_answer_is_whole() -> None:
    calls: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        scope["extensions"][extensions.GONE](lambda: calls.append("left"))
        await answering()(scope, receive, send)

    async with connected(app) as (reader, writer):
        writer.write(LAST % b"one")
        await reader.read()
    assert calls == []


@pytest.mark.parametrize("header", [(b"x-a\r\nx-b", b"1"), (b"x-a", b"1\r\nx-b: 2"), (b"x a", b"1"), (b"x-a", b"1\x00"), (b"x-a", b"\x7f")])
async def test_a_header_that_could_end_the_head_is_never_sent(header: tuple[bytes, bytes]) -> None:
    async with connected(answering((b"content-length", b"4"), header, body=b"body")) as (reader, writer):
        writer.write(LAST % b"")
        said = await reader.read()
        assert said.startswith(b"HTTP/1.1 500 ")
        assert b"x-b" not in said
        assert b"body" not in said


async def test_values_may_have_tabs_and_bytes_of_other_alphabets() -> None:
    async with connected(answering((b"content-length", b"4"), (b"x-a", "a\tü".encode()), body=b"body")) as (reader, writer):
        writer.write(LAST % b"")
        assert "x-a: a\tü\r\n".encode() in await reader.read()


async def test_names_of_headers_count_in_whatever_case_they_are_given() -> None:
    async with connected(answering((b"Content-Length", b"4"), (b"X-A", b"Whole"), body=b"body")) as (reader, writer):
        writer.write(LAST % b"")
        said = await reader.read()
        assert b"\r\ncontent-length: 4\r\nx-a: Whole\r\n" in said
        assert said.endswith(b"\r\n\r\nbody")  # and is not sent in chunks


@pytest.mark.parametrize("length", [3, 5])
async def test_an_answer_that_is_not_as_long_as_it_says_ends_the_connection(length: int) -> None:
    async with connected(answering((b"content-length", b"%d" % length), body=b"body")) as (reader, writer):
        writer.write(GET % b"" + GET % b"")
        assert (await reader.read()).count(b"HTTP/1.1") <= 1


async def test_an_answer_of_unknown_length_goes_out_as_it_comes() -> None:
    more = asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await more.wait()
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async with connected(app) as (reader, writer):
        writer.write(LAST % b"")
        assert b"transfer-encoding: chunked\r\n" in await head(reader)
        more.set()
        assert await reader.read() == b"3\r\none\r\n0\r\n\r\n"


async def test_a_question_for_the_head_alone_gets_no_body() -> None:
    async with connected(answering(body=b"body")) as (reader, writer):
        writer.write(b"HEAD / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        said = await reader.read()
        assert b"content-length: 4\r\n" in said
        assert said.endswith(b"\r\n\r\n")


async def test_an_old_client_gets_its_answer_and_the_end() -> None:
    async with connected(answering()) as (reader, writer):
        writer.write(b"GET /old%20path?q HTTP/1.0\r\n\r\n")
        said = await reader.read()
        assert b"connection: close\r\n" in said
        assert said.endswith(b"/old path")


@pytest.mark.parametrize(
    ("target", "path", "query"),
    [
        (b"/a/b", "/a/b", b""),
        (b"/a%20b?x=1?y", "/a b", b"x=1?y"),
        (b"//a?", "//a", b""),
        (b"http://other.example:80/a?x", "/a", b"x"),
        (b"/a?x#y", "/a", b"x"),
    ],
)
async def test_path_and_query_are_found_in_every_form_of_a_target(target: bytes, path: str, query: bytes) -> None:
    found: list[tuple[str, bytes]] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        found.append((scope["path"], scope["query_string"]))
        await answering()(scope, receive, send)

    async with connected(app) as (reader, writer):
        writer.write(b"GET %b HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n" % target)
        assert (await reader.read()).startswith(b"HTTP/1.1 200 ")
    assert found == [(path, query)]
