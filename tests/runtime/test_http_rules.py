"""What RFC 9110 and 9112 demand of a server beyond what the parser sees to."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from llm_mesh_runtime.http import protocol as http_protocol
from tests.runtime.listening import client_of, connected, listening
from tests.runtime.test_http_door import answered

GET = b"GET /a HTTP/1.1\r\nhost: x\r\n\r\n"
OLD = b"GET /a HTTP/1.0\r\n%b\r\n"


async def unread(scope: Any, receive: Any, send: Any) -> None:
    """Answers without a look at the body."""
    await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"no"})


async def reading(scope: Any, receive: Any, send: Any) -> None:
    await receive()
    await unread(scope, receive, send)


async def said_to(raw: bytes, app: Any = unread) -> bytes:
    async with connected(app) as (reader, writer):
        writer.write(raw)
        return await reader.read()


@pytest.mark.parametrize("hosts", [b"", b"host: a\r\nhost: a\r\n", b"host: a b\r\n", b"host: a/b\r\n", b"Host: u@a\r\nx: y\r\n"])
async def test_a_request_without_one_valid_host_is_refused(hosts: bytes) -> None:
    assert (await said_to(b"GET /a HTTP/1.1\r\n" + hosts + b"\r\n" + GET)).count(b"HTTP/1.1 400 ") == 1


@pytest.mark.parametrize("host", [b"a.example:80", b"[::1]:8080", b"", b"%41-_~b", b"10.0.0.1"])
async def test_hosts_have_many_forms(host: bytes) -> None:
    async with connected(unread) as (reader, writer):
        writer.write(GET.replace(b": x", b": " + host))
        assert await answered(reader) == (401, b"no")


@pytest.mark.parametrize("version", [b"0.9", b"2.0"])
async def test_other_versions_are_refused(version: bytes) -> None:
    raw = GET.replace(b"1.1", version).replace(b"host", b"connection: keep-alive\r\nhost")
    assert (await said_to(raw + GET)).count(b"HTTP/1.1 ") == 1


async def test_an_old_client_gets_no_chunks() -> None:
    async def streaming(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one ", "more_body": True})
        await send({"type": "http.response.body", "body": b"two"})

    head, _, body = (await said_to(OLD % b"", streaming)).partition(b"\r\n\r\n")
    assert b"transfer-encoding" not in head
    assert b"connection: close" in head
    assert body == b"one two"


async def test_an_old_client_can_tell_an_answer_that_is_not_whole() -> None:
    more = asyncio.Event()

    async def failing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        await more.wait()
        raise ConnectionAbortedError

    async with listening(failing) as listener, client_of(listener) as (reader, writer), asyncio.timeout(10):
        writer.write(OLD % b"")
        await reader.readuntil(b"one")
        more.set()
        with pytest.raises(ConnectionResetError):
            await reader.read()


async def test_an_old_client_is_not_told_to_continue() -> None:
    said = await said_to(OLD.replace(b"GET", b"POST") % b"content-length: 2\r\nexpect: 100-continue\r\n" + b"hi", reading)
    assert said.startswith(b"HTTP/1.1 401 ")


async def test_who_asked_before_sending_a_body_that_nobody_reads_is_hung_up_on() -> None:
    said = await said_to(GET.replace(b"GET", b"POST").replace(b"host", b"content-length: 60\r\nexpect: 100-continue\r\nhost"))
    assert said.startswith(b"HTTP/1.1 401 ")
    assert b"connection: close\r\n" in said


async def test_a_request_that_outlasts_the_grace_is_told_that_the_server_stopped(capsys: pytest.CaptureFixture[str]) -> None:
    begun = asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        while (await receive())["more_body"]:
            continue

    async with listening(waiting) as listener, client_of(listener) as (reader, writer), asyncio.timeout(10):
        writer.write(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 60\r\n\r\n")
        await begun.wait()
        await listener.stop(0)
        said = await reader.read()
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close\r\n" in said
    assert "an HTTP application failed" not in "".join(capsys.readouterr())


async def test_bodies_that_nobody_wants_are_bounded_each_by_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MOST_DROPPED", 1000)
    async with connected(unread) as (reader, writer):
        for _ in range(5):
            writer.write(b"POST /a HTTP/1.1\r\nhost: x\r\ncontent-length: 600\r\n\r\n" + b"x" * 600)
            assert await answered(reader) == (401, b"no")
