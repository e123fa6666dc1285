"""Heads have bounds that hold while they are read, and strangers hold no more than they may."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_runtime.http import extensions
from llm_mesh_runtime.http import protocol as http_protocol
from llm_mesh_runtime.http.bounds import HeadLimits, HttpBounds
from llm_mesh_runtime.http.unauthenticated import StrangerLimits, Strangers, network_of
from llm_mesh_runtime.shares import Party
from tests.runtime.listening import connected
from tests.runtime.test_http_door import Door, answered

BEGIN = b"POST /a HTTP/1.1\r\nhost: x\r\n"
SMALL = HeadLimits(lines=10, line=200, size=1000)
ANA = Party("domains/claims", "ana")


async def echo(scope: Any, receive: Any, send: Any) -> None:
    """Reads the whole body and says how long it is."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return
        size += len(message["body"])
        more = message["more_body"]
    said = b"%d" % size
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(said))]})
    await send({"type": "http.response.body", "body": said})


async def knowing(scope: Any, receive: Any, send: Any) -> None:
    """Knows the caller before it reads."""
    assert scope["extensions"][extensions.AUTHENTICATED](ANA)
    await echo(scope, receive, send)


async def said_to(raw: bytes, limits: HeadLimits = SMALL) -> bytes:
    async with connected(echo, Door(), HttpBounds(limits)) as (reader, writer):
        writer.write(raw)
        return await reader.read()


def head(lines: int, size: int = 8) -> bytes:
    """A whole head with so many headers, the last one so long."""
    names = b"".join(b"h%d: v\r\n" % number for number in range(lines - 3))
    return BEGIN + names + b"last: " + b"x" * (size - 4) + b"\r\nconnection: close\r\n\r\n"


@pytest.mark.parametrize(("lines", "status"), [(10, b"200"), (11, b"431"), (5000, b"431")])
async def test_headers_are_counted(lines: int, status: bytes) -> None:
    assert (await said_to(head(lines), SMALL._replace(size=1_000_000))).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(("size", "status"), [(200, b"200"), (201, b"431"), (100_000, b"431")])
async def test_a_header_has_so_many_bytes_and_no_more(size: int, status: bytes) -> None:
    assert (await said_to(head(4, size), SMALL._replace(size=1_000_000))).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(("target", "status"), [(200, b"200"), (201, b"431")])
async def test_so_has_the_target(target: int, status: bytes) -> None:
    raw = b"GET /" + b"a" * (target - 1) + b" HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    assert (await said_to(raw)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(("size", "status"), [(700, b"200"), (1400, b"431")])
async def test_a_head_that_comes_at_once_is_measured_without_its_body(size: int, status: bytes) -> None:
    headers = b"".join(b"h%d: %b\r\n" % (number, b"v" * (size // 7 - 6)) for number in range(7))
    raw = BEGIN + headers + b"content-length: 5000\r\nconnection: close\r\n\r\n" + b"b" * 5000
    assert (await said_to(raw)).startswith(b"HTTP/1.1 " + status)


@pytest.mark.parametrize(
    "endless",
    [b"a: b\r\n", b"x", b"\r\n"],
    ids=["lines", "one line", "blank lines"],
)
async def test_a_head_without_end_is_refused_while_it_is_read(endless: bytes) -> None:
    begin = b"" if endless == b"\r\n" else BEGIN if endless == b"a: b\r\n" else BEGIN + b"a: "
    async with connected(echo, Door(), HttpBounds()) as (reader, writer):
        writer.write(begin + endless * (200_000 // len(endless)))
        said = await reader.read()
    assert said.startswith(b"HTTP/1.1 431 ")
    assert b"connection: close\r\n" in said


@pytest.mark.parametrize(
    "endless", [b"t: x\r\n" * 2000, b"t: " + b"x" * 3000, b"5;" + b"x" * 3000], ids=["trailers", "a trailer", "an extension"]
)
async def test_what_stands_between_the_parts_of_a_body_is_bounded_too(endless: bytes) -> None:
    async with connected(echo, Door(), HttpBounds(SMALL)) as (reader, writer):
        writer.write(BEGIN + b"transfer-encoding: chunked\r\n\r\n")
        begin = b"" if endless.startswith(b"5;") else b"3\r\nabc\r\n0\r\n"
        writer.write(begin)
        await asyncio.sleep(0.05)  # a read of its own
        writer.write(endless)
        said = await reader.read()
    assert said.startswith(b"HTTP/1.1 431 ")


async def test_many_small_chunks_are_no_attack() -> None:
    async with connected(echo, Door(), HttpBounds(SMALL)) as (reader, writer):
        writer.write(BEGIN + b"transfer-encoding: chunked\r\n\r\n")
        for _ in range(100):
            writer.write(b"1\r\nx\r\n" * 50)
            await asyncio.sleep(0)
        writer.write(b"0\r\n\r\n")
        assert await answered(reader) == (200, b"5000")


async def test_a_refused_head_waits_for_the_answers_before_it() -> None:
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await go_on.wait()
        await echo(scope, receive, send)

    async with connected(slow, Door(), HttpBounds(SMALL)) as (reader, writer):
        writer.write(BEGIN + b"content-length: 2\r\n\r\nhi")
        await begun.wait()
        writer.write(head(11))
        await asyncio.sleep(0.05)
        go_on.set()
        assert await answered(reader) == (200, b"2")
        assert await answered(reader) == (431, b"head_too_large")
        assert await reader.read() == b""


async def test_until_the_caller_is_known_no_more_is_read_than_came_with_the_head() -> None:
    bounds, begun, go_on = HttpBounds(), asyncio.Event(), asyncio.Event()

    async def checking(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await go_on.wait()
        await knowing(scope, receive, send)

    size = 20_000_000
    async with connected(checking, Door(), bounds) as (reader, writer):
        writer.write(BEGIN + b"content-length: %d\r\n\r\n" % size)
        await begun.wait()
        writer.write(b"x" * 30_000)
        await asyncio.sleep(0.1)
        assert bounds.strangers.size == 0, "nothing is read beyond the head"
        writer.write(b"x" * (size - 30_000))
        await asyncio.sleep(0.2)
        assert bounds.strangers.size < 1_000_000
        assert bounds.strangers.connections == 1
        go_on.set()
        assert await answered(reader) == (200, b"%d" % size)
        assert bounds.strangers.connections == 0
        assert bounds.connections.taken == 1
    await asyncio.sleep(0.05)
    assert bounds.connections.taken == 0


async def test_a_body_that_nobody_wants_is_dropped_for_a_while_and_then_the_connection_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "LINGERING", 0.1)

    async def refusing(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 401, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"no"})

    async with connected(refusing, Door()) as (reader, writer):
        writer.write(BEGIN + b"content-length: 1000000\r\n\r\n" + b"x" * 100_000)
        assert await answered(reader) == (401, b"no")
        writer.write(b"x" * 900_000 + BEGIN + b"content-length: 0\r\n\r\n")
        assert await answered(reader) == (401, b"no"), "the whole body came, so the connection is good"
        writer.write(BEGIN + b"content-length: 1000000\r\n\r\n")
        assert await answered(reader) == (401, b"no")
        assert await reader.read() == b""


async def test_a_body_without_end_that_nobody_wants_ends_the_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_protocol, "MOST_DROPPED", 1_000_000)
    async with connected(echo, Door()) as (reader, writer):
        writer.write(BEGIN.replace(b"/a", b"/no") + b"content-length: 100000000\r\n\r\n")
        assert (await answered(reader))[0] == 503
        with pytest.raises(ConnectionError):
            await poured(writer, 100_000_000)


async def test_the_oldest_stranger_goes_when_there_are_too_many_and_known_callers_stay() -> None:
    bounds = HttpBounds(strangers=StrangerLimits(connections_per_address=2))
    async with connected(knowing, Door(), bounds) as (reader, writer):
        writer.write(BEGIN + b"content-length: 2\r\n\r\nhi")
        assert await answered(reader) == (200, b"2")
        address = writer.get_extra_info("peername")
        streams = [await asyncio.open_connection(*address_of(writer)) for _ in range(3)]
        first = await streams[0][0].read()
        assert first.startswith(b"HTTP/1.1 429 ")
        assert bounds.strangers.connections == 2
        writer.write(BEGIN + b"content-length: 2\r\n\r\nhi")
        assert await answered(reader) == (200, b"2"), address
        for _, stream in streams:
            stream.close()


async def poured(writer: asyncio.StreamWriter, size: int) -> None:
    """Send so many bytes."""
    for _ in range(size // 10_000):
        writer.write(b"x" * 10_000)
        await writer.drain()


def address_of(writer: asyncio.StreamWriter) -> tuple[str, int]:
    host, port = writer.get_extra_info("peername")
    return host, port


async def test_the_oldest_that_holds_bytes_goes_when_strangers_hold_too_much() -> None:
    bounds = HttpBounds(strangers=StrangerLimits(size_per_address=1000))
    async with connected(echo, Door(), bounds) as (reader, writer):
        writer.write(BEGIN + b"a: " + b"x" * 600)
        await asyncio.sleep(0.05)
        _, idle = await asyncio.open_connection(*address_of(writer))
        _, newest = await asyncio.open_connection(*address_of(writer))
        newest.write(BEGIN + b"a: " + b"x" * 600)
        assert (await reader.read()).startswith(b"HTTP/1.1 429 ")
        assert bounds.strangers.connections == 2, "who holds nothing stays"
        for each in (idle, newest):
            each.close()


@pytest.mark.parametrize("begins", [b"", BEGIN + b"content-length: 2\r\n\r\nhi"], ids=["at once", "behind a request"])
async def test_a_head_counts_wherever_it_begins(begins: bytes) -> None:
    bounds = HttpBounds(strangers=StrangerLimits(size_per_address=1500))
    async with connected(echo, Door(), bounds) as (reader, writer):
        _, newest = await asyncio.open_connection(*address_of(writer))
        writer.write(begins + BEGIN + b"a: " + b"x" * 900)
        if begins:
            assert await answered(reader) == (200, b"2")
        newest.write(begins + BEGIN + b"a: " + b"x" * 900)
        assert (await reader.read()).startswith(b"HTTP/1.1 429 ")
        assert 900 < bounds.strangers.size < 1500
        newest.close()


async def test_requests_that_wait_count_too_until_they_are_answered() -> None:
    bounds, go_on = HttpBounds(), asyncio.Event()

    async def waiting(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await echo(scope, receive, send)

    async with connected(waiting, Door(), bounds) as (reader, writer):
        writer.write(b"".join(BEGIN + b"content-length: %d\r\n\r\n" % size + b"x" * size for size in (2, 10_000)))
        await asyncio.sleep(0.1)
        assert 10_000 < bounds.strangers.size < 11_000
        go_on.set()
        assert [await answered(reader) for _ in range(2)] == [(200, b"2"), (200, b"10000")]
        assert bounds.strangers.size == 0


async def test_a_party_with_its_share_of_connections_is_told_so() -> None:
    bounds, told = HttpBounds(connections=8), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if not scope["extensions"][extensions.AUTHENTICATED](ANA):
            told.set()
        await echo(scope, receive, send)

    async with connected(app, Door(), bounds) as (_, writer):
        streams = [await asyncio.open_connection(*address_of(writer)) for _ in range(8)]
        for _, stream in streams:
            stream.write(BEGIN + b"content-length: 2\r\n\r\nhi")
        await asyncio.wait_for(told.wait(), 5)
        assert bounds.connections.taken < 8
        assert bounds.connections.take(Party("domains/other", "somebody"))
        for _, stream in streams:
            stream.close()


class Recorded:
    """A connection that remembers that it had to go."""

    def __init__(self) -> None:
        self.gone = False

    def crowd_out(self) -> None:
        self.gone = True


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 400), st.sampled_from(["enter", "hold", "leave"])), max_size=200))
def test_strangers_never_hold_more_than_they_may(steps: list[tuple[str, int, str]]) -> None:
    limits = StrangerLimits(connections=12, connections_per_address=5, size=1000, size_per_address=500)
    strangers, here = Strangers(limits), []
    for address, size, step in steps:
        if step == "enter":
            made = Recorded()
            here.append((address, made))
            strangers.enter(made, address)
        elif here:
            index = size % len(here)
            if step == "hold":
                strangers.hold(here[index][1], size)
            else:
                strangers.leave(here.pop(index)[1])
        here = [(address, each) for address, each in here if not each.gone]
        assert strangers.connections == len(here) <= limits.connections
        assert strangers.size <= limits.size
        for name in "abc":
            assert sum(1 for address, _ in here if address == name) <= limits.connections_per_address
            held = strangers._addresses.get(name)
            assert held is None or held.size <= limits.size_per_address


def test_strangers_of_many_addresses_hold_no_more_together_than_they_may() -> None:
    strangers = Strangers(StrangerLimits(connections=10, size=1000))
    here = [Recorded() for _ in range(12)]
    for number, each in enumerate(here):
        strangers.enter(each, f"10.0.0.{number}")
    assert [each.gone for each in here] == [True, True, *[False] * 10]
    strangers.hold(here[5], 600)
    strangers.hold(here[3], 600)
    assert [each.gone for each in here[2:7]] == [False, False, False, True, False]
    assert (strangers.connections, strangers.size) == (9, 600)


def test_an_address_is_a_network_where_addresses_cost_nothing() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff:1") != network_of("2001:db8:0:1::1")
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1") == "10.0.0.1"
    assert network_of("fe80::1%eth0") == network_of("fe80::2%eth0")


UPGRADE = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAAQAAP__\r\n"


@pytest.mark.parametrize("cut", [0, 20, 150, 185, 187])
@pytest.mark.parametrize("framed", [b"content-length: 4\r\n\r\nbody", b"transfer-encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n"])
async def test_a_request_that_would_change_the_protocol_is_answered_with_its_body_and_so_are_those_behind_it(
    framed: bytes, cut: int
) -> None:
    raw = BEGIN + UPGRADE + framed + BEGIN + b"connection: close\r\ncontent-length: 2\r\n\r\nok"
    async with connected(echo, Door(), HttpBounds(SMALL)) as (reader, writer):
        writer.write(raw[:cut])
        await asyncio.sleep(0.01)
        writer.write(raw[cut:])
        assert [await answered(reader), await answered(reader)] == [(200, b"4"), (200, b"2")]


async def test_it_may_still_ask_for_the_connection_to_be_closed() -> None:
    said = await said_to(BEGIN + b"connection: upgrade, close\r\nupgrade: websocket\r\n\r\n")
    assert said.startswith(b"HTTP/1.1 200")
    assert b"connection: close" in said


@pytest.mark.parametrize("path", [b"/a", b"/no"])
async def test_any_number_of_them_is_bounded_as_other_requests_are(path: bytes) -> None:
    one = BEGIN.replace(b"/a", path) + UPGRADE + b"\r\n"
    said = await said_to(one * 2_000)
    assert said.count(b"HTTP/1.1 ") <= 2 * http_protocol.MOST_PIPELINED


async def test_a_tunnel_is_refused() -> None:
    assert (await said_to(b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\n\r\n")).startswith(b"HTTP/1.1 400")
