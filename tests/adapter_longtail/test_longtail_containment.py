"""What a library does wrong stays in its process: it reaches nothing that is not configured, holds nobody up, and is replaced."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import orjson
import pytest

from llm_mesh_adapter_kit.http import BrokenError
from llm_mesh_adapter_longtail.process import LibraryProcess
from llm_mesh_adapter_longtail.reply import LibraryReply
from llm_mesh_adapter_longtail.wire import PIECE, WINDOW
from tests.adapter_longtail.conftest import MODULE, bounds

FORBIDDEN = {
    "reaches-another-port": "127.0.0.1:",
    "reaches-an-address": "203.0.113.7:443",
    "reaches-a-name": "telemetry.example:443",
    "looks-up-past-the-patch": "telemetry.example:443",
    "sends-a-packet": "127.0.0.1:53",
    "starts-a-process": "subprocess.Popen",
    "runs-a-shell": "os.system",
    "forks": "os.fork",
}


@asynccontextmanager
async def process(**more: object) -> AsyncIterator[LibraryProcess]:
    made = LibraryProcess(MODULE, bounds(pause=0.0, **more))
    try:
        yield made
    finally:
        await made.close()


@asynccontextmanager
async def listening() -> AsyncIterator[str]:
    """Somewhere to connect to."""
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"


async def begin(made: LibraryProcess, model: str, url: str = "http://127.0.0.1:9", *, stream: bool = False) -> LibraryReply:
    head = {"operation": "chat", "target": {"provider": "x", "base_url": url, "model": model}}
    return await made.call(head, orjson.dumps({"messages": [], "stream": stream}), time.monotonic() + 30, 30)


async def whole(made: LibraryProcess, model: str, url: str = "http://127.0.0.1:9") -> tuple[int, str]:
    reply = await begin(made, model, url)
    data = b""
    while not reply.ended or reply.holds:
        while not reply.there:
            await reply.wait(time.monotonic() + 30)
        data += reply.gathered()
        if reply.failed:
            raise BrokenError(reply.failed)
    assert reply.head is not None
    return reply.head["status"], data.decode()


async def test_only_what_settings_name_is_reached_and_the_rest_is_told() -> None:
    async with listening() as url, process(endpoints=[{"base_url": url, "local": True, "allow": []}]) as made:
        assert "connected" in (await whole(made, "reaches-its-endpoint", url))[1]
        for model in FORBIDDEN:
            _, body = await whole(made, model, url)
            assert orjson.loads(body)["error"]["type"] == "egress_refused", model
        await whole(made, "fine")  # what was refused is told behind the answers that it spoilt
        assert [what for what in FORBIDDEN.values() if not any(what in each for each in made.refusals)] == []
        assert made.starts == 1


async def test_an_endpoint_of_the_internet_does_not_open_loopback() -> None:
    """A name that leads to the machine itself, or into its network, is refused as by every adapter."""
    async with (
        listening() as url,
        process(endpoints=[{"base_url": url.replace("127.0.0.1", "localhost"), "local": False, "allow": []}]) as made,
    ):
        status, body = await whole(made, "reaches-its-endpoint", url.replace("127.0.0.1", "localhost"))
    assert (status, orjson.loads(body)["error"]["type"]) == (500, "egress_refused")


async def test_memory_without_end_is_refused_and_nothing_else_notices() -> None:
    async with process(memory=512 * 1024 * 1024) as made:
        status, body = await whole(made, "hoards")
        assert (status, orjson.loads(body)["error"]["type"]) == (500, "MemoryError")
        assert (await whole(made, "fine"))[0] == 200


async def test_a_library_that_blocks_is_killed_and_replaced() -> None:
    async with process(silence=0.3) as made:
        with pytest.raises(BrokenError):
            await whole(made, "blocks")
        assert (await whole(made, "fine"))[0] == 200
        assert made.starts == 2


@pytest.mark.parametrize("model", ["writes-no-head", "keeps-to-no-window", "writes-a-large-piece"])
async def test_a_library_that_writes_to_the_adapter_by_itself_is_replaced(model: str) -> None:
    async with process() as made:
        with pytest.raises(BrokenError):
            await whole(made, model)
        assert (await whole(made, "fine"))[0] == 200
        assert made.starts == 2


async def test_a_call_that_nobody_waits_for_is_cancelled_and_others_go_on() -> None:
    async with process() as made:
        await whole(made, "fine")
        with pytest.raises(TimeoutError):
            await made.call(
                {"operation": "chat", "target": {"provider": "x", "base_url": "http://x", "model": "sleeps"}},
                b"{}",
                time.monotonic() + 0.3,
                30,
            )
        assert (await whole(made, "fine"))[0] == 200
        assert not made._calls


async def test_an_answer_that_nobody_reads_waits_in_the_library() -> None:
    async with process() as made:
        reply = await begin(made, "endless", stream=True)
        assert (await whole(made, "fine"))[0] == 200
        assert len(reply.gathered()) <= WINDOW * PIECE
        made.leave(reply)


async def test_the_process_ends_with_the_adapter() -> None:
    async with process() as made:
        await whole(made, "fine")
    assert made._life is not None
    assert made._life.done()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await made._ready.wait()


async def test_a_library_that_cannot_be_loaded_says_why_and_is_tried_ever_more_rarely() -> None:
    made = LibraryProcess("no_such_library", bounds(pause=0.02))
    try:
        made.start()
        async with asyncio.timeout(60):
            while made.starts < 3:  # noqa: ASYNC110 - the process has no event for its starts
                await asyncio.sleep(0.01)
        assert "No module named" in made.last_words
        assert made.pause >= 4 * 0.02
    finally:
        await made.close()
