"""A door decides about each request once its head is read; whoever is refused is answered at once, and in turn."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from llm_mesh_runtime.http import extensions
from llm_mesh_runtime.http import protocol as http_protocol
from llm_mesh_runtime.http.cycle import Cycle
from llm_mesh_runtime.http.listener import door_of
from llm_mesh_runtime.service import HeadFault, HttpApp, Refusal
from llm_mesh_runtime.start_error import StartError
from tests.runtime.listening import connected

POST = b"POST /%b HTTP/1.1\r\nhost: x\r\ncontent-length: 4\r\n\r\nbody"
LAST = POST.replace(b"host: x", b"host: x\r\nconnection: close")
ASKING = POST[:-4].replace(b"host: x", b"host: x\r\nexpect: 100-continue")


class Door:
    """Refuses paths with an `n`."""

    def __init__(self) -> None:
        self.events: list[str] = []
        self.came = asyncio.Event()
        self.gone = asyncio.Event()

    def enter(self, scope: Mapping[str, Any]) -> Refusal | None:
        if "n" in scope["path"]:
            self.events.append(f"refused {scope['path']}")
            body = scope["path"].encode()
            return Refusal(503, [(b"content-length", b"%d" % len(body)), (b"retry-after", b"1")], body)
        self.events.append(f"entered {scope['path']}")
        self.came.set()
        return None

    def fault(self, fault: HeadFault, scope: Mapping[str, Any]) -> Refusal:
        self.events.append(f"{fault.value} {scope['path']}")
        status = {HeadFault.TOO_LARGE: 431, HeadFault.CROWDED: 429}[fault]
        return Refusal(status, [(b"content-length", b"%d" % len(fault.value))], fault.value.encode())

    def leave(self, scope: Mapping[str, Any]) -> None:
        self.events.append(f"left {scope['path']}")
        self.gone.set()


async def app(scope: Any, receive: Any, send: Any) -> None:
    if scope["path"] == "/wait":
        await receive()
        await receive()
        return
    assert (await receive())["body"] == b"body"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


async def answered(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
    return int(head[9:12]), await reader.readexactly(length)


async def test_a_refused_request_leaves_the_connection_good() -> None:
    door = Door()
    async with connected(app, door) as (reader, writer):
        for path, expected in ((b"no", (503, b"/no")), (b"a", (200, b"ok")), (b"no", (503, b"/no")), (b"b", (200, b"ok"))):
            writer.write(POST % path)
            assert await answered(reader) == expected
    assert door.events == ["refused /no", "entered /a", "left /a", "refused /no", "entered /b", "left /b"]


async def test_a_body_that_comes_after_its_request_was_refused_is_no_request() -> None:
    async with connected(app, Door()) as (reader, writer):
        writer.write(POST[:-4] % b"no")
        assert (await answered(reader))[0] == 503
        writer.write(b"body" + POST % b"a")
        assert await answered(reader) == (200, b"ok")


async def test_pipelined_requests_are_refused_in_their_turn() -> None:
    async with connected(app, Door()) as (reader, writer):
        paths = [b"a", *[b"no"] * (http_protocol.MOST_PIPELINED - 3), b"b", b"no"]
        writer.write(b"".join(POST % path for path in paths) + LAST % b"c")
        said = await reader.read()
    statuses = [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200 if path != b"no" else 503 for path in paths] + [200]


async def test_no_more_requests_are_read_ahead_than_a_few_and_those_are_answered() -> None:
    door = Door()
    async with connected(app, door) as (reader, writer):
        writer.write(POST % b"a" * 3000)
        said = await reader.read()
    statuses = [int(part[:3]) for part in said.split(b"HTTP/1.1 ")[1:]]
    assert statuses == [200] * (http_protocol.MOST_PIPELINED + 1) + [429]
    assert door.events.count("too_many_connections /a") == 1


async def test_no_turn_of_the_loop_is_refusals_alone() -> None:
    door = Door()
    async with connected(app, door) as (reader, writer):
        writer.write(POST % b"no" * 3000)
        said = await reader.read()
    assert said.count(b"HTTP/1.1 503 ") == len(door.events) < 10 * http_protocol.MOST_PIPELINED


@pytest.mark.parametrize("closing", [LAST, ASKING + b"body"])
async def test_what_follows_a_refusal_that_closes_is_not_answered(closing: bytes) -> None:
    door = Door()
    async with connected(app, door) as (reader, writer):
        writer.write(closing % b"no" + POST % b"a" + POST % b"no")
        said = await reader.read()
    assert said.count(b"HTTP/1.1") == 1
    assert door.events == ["refused /no"]


async def test_whoever_asks_before_sending_its_body_is_refused_and_hung_up_on() -> None:
    async with connected(app, Door()) as (reader, writer):
        writer.write(ASKING % b"no")
        said = await reader.read()
    assert said.startswith(b"HTTP/1.1 503 ")
    assert b"connection: close\r\n" in said


async def flooded(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write((POST % (b"n" * 1000)) * 100)
        await writer.drain()


async def test_a_client_that_reads_no_refusals_is_hung_up_on() -> None:
    door = Door()
    async with connected(app, door) as (reader, writer):
        reader._transport.pause_reading()  # type: ignore[attr-defined]  # it takes nothing
        with pytest.raises(ConnectionError):
            await flooded(writer)


class Peephole(Door):
    """Remembers what takes in the body of each request."""

    def __init__(self) -> None:
        super().__init__()
        self.cycles: list[Cycle] = []

    def enter(self, scope: Mapping[str, Any]) -> Refusal | None:
        self.cycles.append(scope["extensions"][extensions.ARRIVED].__self__)
        return super().enter(scope)


async def test_nothing_is_kept_of_the_body_of_a_refused_request() -> None:
    door, body = Peephole(), b"x" * 1_000_000
    async with connected(app, door) as (reader, writer):
        writer.write(POST.replace(b"length: 4", b"length: %d" % len(body)).removesuffix(b"body") % b"no")
        assert (await answered(reader))[0] == 503
        writer.write(body + POST % b"a")
        assert await answered(reader) == (200, b"ok")
    assert [bytes(cycle.body) for cycle in door.cycles] == [b"", b""]


async def endless(writer: asyncio.StreamWriter, piece: bytes) -> None:
    while True:
        writer.write(piece)
        await writer.drain()


@pytest.mark.parametrize(
    ("framing", "piece"),
    [(b"transfer-encoding: chunked", b"1\r\nx\r\n"), (b"content-length: 1000000000000000", b"x")],
    ids=["chunks", "length"],
)
async def test_a_refused_client_whose_body_never_ends_is_hung_up_on(framing: bytes, piece: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    awaiting = http_protocol.Protocol._set_deadline

    def impatient(protocol: http_protocol.Protocol, _seconds: float) -> None:
        awaiting(protocol, 60 if protocol._in_head else 0.1)

    monkeypatch.setattr(http_protocol.Protocol, "_set_deadline", impatient)
    monkeypatch.setattr(http_protocol, "HEAD_PATIENCE", 0.1)  # how often it looks
    door = Peephole()
    async with connected(app, door) as (reader, writer):
        writer.write(b"POST /no HTTP/1.1\r\nhost: x\r\n%b\r\n\r\n" % framing)
        assert (await answered(reader))[0] == 503
        with pytest.raises(ConnectionError):
            await endless(writer, piece * 1000)
    assert door.events == ["refused /no"]
    assert not door.cycles[0].body


async def test_an_answered_request_has_left_though_its_work_goes_on() -> None:
    door, more = Door(), asyncio.Event()

    async def working(scope: Any, receive: Any, send: Any) -> None:
        await app(scope, receive, send)
        await more.wait()

    async with connected(working, door) as (reader, writer):
        writer.write(POST % b"a")
        await answered(reader)
        assert door.events == ["entered /a", "left /a"]
        more.set()
        writer.write(LAST % b"b")
        await reader.read()
    assert door.events == ["entered /a", "left /a", "entered /b", "left /b"]


async def test_a_request_whose_client_left_has_left() -> None:
    door = Door()
    async with connected(app, door) as (_, writer):
        writer.write(POST % b"wait")
        await writer.drain()
        await door.came.wait()
        writer.transport.abort()
        await door.gone.wait()
    assert door.events == ["entered /wait", "left /wait"]


def test_an_address_has_one_door_at_its_root() -> None:
    door = Door()
    assert door_of([HttpApp(app), HttpApp(app, prefix="/console")]) is None
    assert door_of([HttpApp(app, door=door), HttpApp(app, prefix="/console")]) is door
    with pytest.raises(StartError):
        door_of([HttpApp(app, prefix="/console", door=door)])
    with pytest.raises(StartError):
        door_of([HttpApp(app, door=door), HttpApp(app, door=door)])
