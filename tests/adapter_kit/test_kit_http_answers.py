"""What a provider may send, however it is cut, and what it must not: the client answers the same or fails, and never hangs."""

from __future__ import annotations

import asyncio
import gzip
import time
import zlib
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh_adapter_kit.client.connection import MOST_HEAD, ROOM
from llm_mesh_adapter_kit.http import READ_AHEAD, BrokenError
from tests.adapter_kit.heard import FastHeard, Heard, heard_by
from tests.adapter_kit.scripted_provider import Kind, Visit, answering, asking, chunked, provider, sized, whole

EVENTS = b"data: {}\n\ndata: [DONE]\n\n"
RECORDED = {
    "sized": (sized(b'{"a": 1}', b"Content-Type: application/json", b"x-request-id: r1"), b'{"a": 1}'),
    "empty": (sized(b""), b""),
    "chunked": (chunked([b"data: {}\n\n", b"data: [DONE]\n\n"], b"content-type: text/event-stream"), EVENTS),
    "extended": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;a=b\r\nabc\r\n0;c\r\nx-t: 1\r\n\r\n", b"abc"),
    "until the end": (b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n" + EVENTS, EVENTS),
    "older": (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
    "after others": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + sized(b"ok"), b"ok"),
    "without a body": (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    "folded twice": (sized(b"ok", b"Set-Cookie: a=1", b"set-cookie: b=2"), b"ok"),
}
OPEN_ENDED = {"until the end", "older"}


async def told(kind: Kind, pieces: list[bytes]) -> tuple[int, Mapping[str, str], bytes] | str:
    """What becomes of an answer that comes in these pieces, and then the end."""
    heard = heard_by(kind)
    await heard.ask()
    await heard.say(*pieces)
    heard.end()
    try:
        async with asyncio.timeout(20):
            answer = await heard.answer()
            body = b""
            while piece := await answer.read():
                body += piece
    except BrokenError:
        return "broken"
    return answer.status, answer.headers, body


@pytest.mark.parametrize("name", RECORDED)
async def test_an_answer_is_the_same_wherever_it_is_cut(kind: Kind, name: str) -> None:
    raw, body = RECORDED[name]
    expected = await told(kind, [raw])
    assert isinstance(expected, tuple)
    assert expected[2] == body
    for place in range(1, len(raw), kind.step):
        assert await told(kind, [raw[:place], raw[place:]]) == expected
    assert await told(kind, [raw[index : index + 1] for index in range(len(raw))]) == expected


@pytest.mark.parametrize("name", RECORDED)
async def test_an_answer_that_breaks_off_anywhere_is_broken(kind: Kind, name: str) -> None:
    raw, body = RECORDED[name]
    for place in range(0, len(raw), kind.step):
        found = await told(kind, [raw[:place]])
        if name in OPEN_ENDED and b"\r\n\r\n" in raw[:place]:
            assert isinstance(found, tuple)
            assert body.startswith(found[2])
        else:
            assert found == "broken", place


@given(
    st.lists(st.binary(max_size=200), max_size=6),
    st.sampled_from([raw for raw, _ in RECORDED.values()]),
    st.integers(0, 200),
    st.booleans(),
)
@settings(max_examples=150)
def test_garbage_ends_an_answer_and_never_hangs(garbage: list[bytes], raw: bytes, place: int, replaces: bool) -> None:  # noqa: FBT001
    hostile = [raw[:place], *garbage, b"" if replaces else raw[place:]]
    for name in ("fast", "library"):
        asyncio.run(told(Kind(name), [piece for piece in hostile if piece]))


HOSTILE = {
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n",
    "a request": b"GET / HTTP/1.1\r\nhost: x\r\n\r\n",
    "two lengths": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab",
    "length and chunks": b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
    "a negative length": b"HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n",
    "a huge length": b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999999999999999\r\n\r\n",
    "a chunk that is none": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    "a chunk of any size": b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nfffffffffffffffff\r\n",
    "another protocol": b"HTTP/1.1 101 Switching Protocols\r\nupgrade: h2c\r\nconnection: upgrade\r\n\r\n",
    "a status that is none": b"HTTP/1.1 two OK\r\n\r\n",
    "a header that is none": b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_answer_breaks_and_closes(kind: Kind, name: str) -> None:
    heard = heard_by(kind)
    await heard.ask()
    await heard.say(HOSTILE[name])
    if kind.name == "library" and name in WAITS_FOR_MORE:
        heard.end()
    with pytest.raises(BrokenError):
        await drained(heard)
    assert heard.wire.closed or name in WAITS_FOR_MORE


WAITS_FOR_MORE = {"no HTTP", "a chunk of any size", "a huge length"}
"""What the library takes for the begin of something that still comes: it hands out nothing, until the end or the deadline."""


async def drained(heard: Heard) -> None:
    answer = await heard.answer()
    while await answer.read(time.monotonic() + 20):
        pass


ENDLESS = {
    "headers": (b"HTTP/1.1 200 OK\r\n", b"x-a: " + b"y" * 1000 + b"\r\n"),
    "one header": (b"HTTP/1.1 200 OK\r\nx-a: ", b"y" * 1000),
    "a status line": (b"HTTP/1.1 200 ", b"y" * 1000),
    "other answers": (b"", b"HTTP/1.1 103 Early Hints\r\nx: y\r\n\r\n"),
    "trailers": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n", b"x-a: " + b"y" * 1000 + b"\r\n"),
    "one trailer": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\nx-a: ", b"y" * 1000),
    "an extension": (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3;", b"y" * 1000),
}


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_head_or_tail_without_an_end_is_given_up(kind: Kind, name: str) -> None:
    heard = heard_by(kind)
    await heard.ask()
    begin, more = ENDLESS[name]
    await heard.say(begin)
    reading = asyncio.ensure_future(drained(heard))
    said = 0
    while not heard.wire.closed and said < 10 * MOST_HEAD:
        await heard.say(more)
        said += len(more)
        await asyncio.sleep(0)
    assert said <= 2 * MOST_HEAD
    with pytest.raises(BrokenError):
        await reading


async def test_trailers_are_no_headers(kind: Kind) -> None:
    found = await told(kind, [chunked([b"a"], b"x-real: 1", trailer=b"x-forged: 1\r\n")])
    assert isinstance(found, tuple)
    assert found[1] == {"x-real": "1", "transfer-encoding": "chunked"}


async def test_a_second_answer_that_nobody_asked_for_is_not_added_and_ends_the_connection() -> None:
    heard = FastHeard()
    answer = heard.asked()
    heard.feed(sized(b"mine") + sized(b"another's"))
    assert await answer.read() == b"mine"
    assert await answer.read() == b""
    assert heard.wire.closed
    assert heard.idle == []


async def test_the_end_of_a_whole_answer_frees_the_connection_before_anybody_reads_it() -> None:
    heard = FastHeard()
    answer = heard.asked()
    heard.feed(sized(b"first"))
    assert heard.idle == [heard.connection]
    other = heard.asked()
    heard.feed(sized(b"second"))
    assert [await answer.read(), await other.read()] == [b"first", b"second"]


async def test_what_nobody_takes_is_bounded_and_stops_the_reading() -> None:
    heard = FastHeard()
    answer = heard.asked()
    heard.feed(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10):
        if not heard.wire.paused:
            heard.feed(b"x" * 10_000)
    assert heard.wire.paused
    assert ROOM <= answer.held <= READ_AHEAD
    assert len(await answer.read()) >= ROOM
    assert not heard.wire.paused


@pytest.mark.parametrize("packed", [gzip.compress(b"x" * 500_000), zlib.compress(b"x" * 500_000)], ids=["gzip", "deflate"])
async def test_a_body_that_comes_packed_is_unpacked_a_bounded_piece_at_a_time(kind: Kind, packed: bytes) -> None:
    name = b"gzip" if packed[:1] == b"\x1f" else b"deflate"
    for pieces in ([packed], [packed[index : index + 7] for index in range(0, len(packed), 7)]):
        heard = heard_by(kind)
        await heard.ask()
        await heard.say(b"HTTP/1.1 200 OK\r\ncontent-encoding: %s\r\ncontent-length: %d\r\n\r\n" % (name, len(packed)), *pieces)
        answer = await heard.answer()
        found = []
        while piece := await answer.read():
            found.append(piece)
        assert b"".join(found) == b"x" * 500_000
        assert max(map(len, found)) <= READ_AHEAD


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (b"br", b"anything"),
        (b"gzip", b"no gzip"),
        (b"gzip", gzip.compress(b"x" * 1000, mtime=0)[:-4]),
        (b"gzip", gzip.compress(b"x", mtime=0) + b"more"),
    ],
)
async def test_what_cannot_be_unpacked_is_broken_and_its_status_is_still_told(kind: Kind, name: bytes, body: bytes) -> None:
    async with provider(answering(sized(body, b"content-encoding: " + name, status=b"503 Busy"))) as (_, port), kind.pool(port) as client:
        answer = await client.send(asking(port))
        assert answer.status == 503
        with pytest.raises(BrokenError):
            await answer.read() and await answer.read()
        answer.close()


async def test_an_answer_that_comes_before_the_request_is_read_arrives(kind: Kind) -> None:
    stop = asyncio.Event()

    async def handle(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(sized(b"too large", status=b"413 Content Too Large"))
        await stop.wait()

    async with provider(handle) as (seen, port), kind.pool(port) as client:
        large = asking(port, body=b"x" * 20_000_000)
        assert await whole(client, large) == b"too large"
        again = asyncio.ensure_future(client.send(large))
        async with asyncio.timeout(5):
            while len(seen.visits) < 2:  # noqa: ASYNC110  a connection that still sends must not serve again
                await asyncio.sleep(0.002)
        again.cancel()
        stop.set()


async def test_others_have_their_turn_while_a_bomb_is_unpacked(kind: Kind) -> None:
    packed = gzip.compress(bytes(4 * 1024 * 1024))
    assert len(packed) < ROOM  # it comes in one read, and nothing of it is waited for
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with provider(answering(sized(packed, b"content-encoding: gzip"))) as (_, port), kind.pool(port) as client:
        answer = await client.send(asking(port))
        task = asyncio.create_task(others())
        try:
            while await answer.read():
                pass
        finally:
            task.cancel()
        assert turns > 4 * 1024 * 1024 // READ_AHEAD // 2  # one between each two pieces, less where they begin and end
