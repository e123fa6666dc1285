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

from llm_mesh_adapter_kit.client.answer import Answer
from llm_mesh_adapter_kit.client.connection import MOST_HEAD, ROOM, Connection
from llm_mesh_adapter_kit.http import READ_AHEAD, BrokenError
from tests.adapter_kit.scripted_provider import Visit, answering, asking, chunked, pool, provider, sized, whole

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


class Wire:
    """A transport that a test speaks through, without a socket."""

    def __init__(self) -> None:
        self.closed = False
        self.paused = False
        self.sent = b""

    def write(self, data: bytes) -> None:
        self.sent += data

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False


class Heard:
    """A connection that a test feeds, as a transport would."""

    def __init__(self) -> None:
        self.wire = Wire()
        self.idle: list[Connection] = []
        self._room = memoryview(bytearray(ROOM))
        self.connection = Connection(self._room, made=lambda _: None, idle=self.idle.append, gone=lambda _: None)
        self.connection.connection_made(self.wire)  # type: ignore[arg-type]

    def ask(self) -> Answer:
        return self.connection.ask(b"POST / HTTP/1.1\r\n\r\n", b"")

    def say(self, *pieces: bytes) -> None:
        for piece in pieces:
            if not self.wire.closed:
                self._room[: len(piece)] = piece
                self.connection.buffer_updated(len(piece))

    def end(self) -> None:
        if not self.wire.closed:
            self.connection.eof_received()
        self.connection.connection_lost(None)


async def told(pieces: list[bytes]) -> tuple[int, Mapping[str, str], bytes] | str:
    """What becomes of an answer that comes in these pieces, and then the end."""
    heard = Heard()
    answer = heard.ask()
    heard.say(*pieces)
    heard.end()
    try:
        async with asyncio.timeout(5):
            await answer.head(time.monotonic() + 5)
            body = b""
            while piece := await answer.read():
                body += piece
    except BrokenError:
        return "broken"
    return answer.status, answer.headers, body


@pytest.mark.parametrize("name", RECORDED)
async def test_an_answer_is_the_same_wherever_it_is_cut(name: str) -> None:
    raw, body = RECORDED[name]
    expected = await told([raw])
    assert isinstance(expected, tuple)
    assert expected[2] == body
    for place in range(1, len(raw)):
        assert await told([raw[:place], raw[place:]]) == expected
    assert await told([raw[index : index + 1] for index in range(len(raw))]) == expected


@pytest.mark.parametrize("name", RECORDED)
async def test_an_answer_that_breaks_off_anywhere_is_broken(name: str) -> None:
    raw, body = RECORDED[name]
    for place in range(len(raw)):
        found = await told([raw[:place]])
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
@settings(max_examples=300)
def test_garbage_ends_an_answer_and_never_hangs(garbage: list[bytes], raw: bytes, place: int, replaces: bool) -> None:  # noqa: FBT001
    hostile = [raw[:place], *garbage, b"" if replaces else raw[place:]]
    asyncio.run(told([piece for piece in hostile if piece]))


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
async def test_what_is_no_answer_breaks_and_closes(name: str) -> None:
    heard = Heard()
    answer = heard.ask()
    heard.say(HOSTILE[name])
    with pytest.raises(BrokenError):
        await drained(answer)
    assert heard.wire.closed


async def drained(answer: Answer) -> None:
    await answer.head(time.monotonic() + 5)
    while await answer.read(time.monotonic() + 5):
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
async def test_a_head_or_tail_without_an_end_is_given_up(name: str) -> None:
    heard = Heard()
    answer = heard.ask()
    begin, more = ENDLESS[name]
    heard.say(begin)
    said = 0
    while not heard.wire.closed and said < 10 * MOST_HEAD:
        heard.say(more)
        said += len(more)
    assert said <= 2 * MOST_HEAD
    with pytest.raises(BrokenError):
        await drained(answer)


async def test_trailers_are_no_headers() -> None:
    found = await told([chunked([b"a"], b"x-real: 1", trailer=b"x-forged: 1\r\n")])
    assert isinstance(found, tuple)
    assert found[1] == {"x-real": "1", "transfer-encoding": "chunked"}


async def test_a_second_answer_that_nobody_asked_for_is_not_added_and_ends_the_connection() -> None:
    heard = Heard()
    answer = heard.ask()
    heard.say(sized(b"mine") + sized(b"another's"))
    assert await answer.read() == b"mine"
    assert await answer.read() == b""
    assert heard.wire.closed
    assert heard.idle == []


async def test_the_end_of_a_whole_answer_frees_the_connection_before_anybody_reads_it() -> None:
    heard = Heard()
    answer = heard.ask()
    heard.say(sized(b"first"))
    assert heard.idle == [heard.connection]
    other = heard.ask()
    heard.say(sized(b"second"))
    assert [await answer.read(), await other.read()] == [b"first", b"second"]


async def test_what_nobody_takes_is_bounded_and_stops_the_reading() -> None:
    heard = Heard()
    answer = heard.ask()
    heard.say(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(10):
        if not heard.wire.paused:
            heard.say(b"x" * 10_000)
    assert heard.wire.paused
    assert ROOM <= answer.held <= READ_AHEAD
    assert len(await answer.read()) >= ROOM
    assert not heard.wire.paused


@pytest.mark.parametrize("packed", [gzip.compress(b"x" * 500_000), zlib.compress(b"x" * 500_000)], ids=["gzip", "deflate"])
async def test_a_body_that_comes_packed_is_unpacked_a_bounded_piece_at_a_time(packed: bytes) -> None:
    name = b"gzip" if packed[:1] == b"\x1f" else b"deflate"
    for pieces in ([packed], [packed[index : index + 7] for index in range(0, len(packed), 7)]):
        heard = Heard()
        answer = heard.ask()
        heard.say(b"HTTP/1.1 200 OK\r\ncontent-encoding: %s\r\ncontent-length: %d\r\n\r\n" % (name, len(packed)), *pieces)
        await answer.head(time.monotonic() + 5)
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
async def test_what_cannot_be_unpacked_is_broken_and_its_status_is_still_told(name: bytes, body: bytes) -> None:
    async with provider(answering(sized(body, b"content-encoding: " + name, status=b"503 Busy"))) as (_, port), pool(port) as client:
        answer = await client.send(asking(port))
        assert answer.status == 503
        with pytest.raises(BrokenError):
            await answer.read() and await answer.read()
        answer.close()


async def test_an_answer_that_comes_before_the_request_is_read_arrives() -> None:
    stop = asyncio.Event()

    async def handle(visit: Visit) -> None:
        await visit.reader.readuntil(b"\r\n\r\n")
        await visit.say(sized(b"too large", status=b"413 Content Too Large"))
        await stop.wait()

    async with provider(handle) as (seen, port), pool(port) as client:
        large = asking(port, body=b"x" * 20_000_000)
        assert await whole(client, large) == b"too large"
        again = asyncio.ensure_future(client.send(large))
        async with asyncio.timeout(5):
            while len(seen.visits) < 2:  # noqa: ASYNC110  a connection that still sends must not serve again
                await asyncio.sleep(0.002)
        again.cancel()
        stop.set()


async def test_others_have_their_turn_while_a_bomb_is_unpacked() -> None:
    packed = gzip.compress(bytes(4 * 1024 * 1024))
    assert len(packed) < ROOM  # it comes in one read, and nothing of it is waited for
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with provider(answering(sized(packed, b"content-encoding: gzip"))) as (_, port), pool(port) as client:
        answer = await client.send(asking(port))
        task = asyncio.create_task(others())
        try:
            while await answer.read():
                pass
        finally:
            task.cancel()
        assert turns > 4 * 1024 * 1024 // READ_AHEAD // 2  # one between each two pieces, less where they begin and end
