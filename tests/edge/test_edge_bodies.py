"""Bodies: small ones are read at once, large ones aside, and what would be too much to build is refused before."""

import asyncio
import json
import threading
from typing import Any

import pytest

from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import Exchange, ProblemError
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.heavy import HeavyWork


def exchange(body: bytes) -> Exchange:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        raise AssertionError

    return Exchange({"headers": [(b"authorization", b"Bearer x")], "method": "POST", "path": "/"}, receive, send)


def bodies(**settings: Any) -> Bodies:
    return Bodies(Settings(**settings), HeavyWork(1 << 28))


async def test_a_small_body_is_read_on_the_loop_and_a_large_one_aside() -> None:
    made, threads = bodies(), []
    for text in ("x", "x" * 100_000):
        raw = json.dumps({"a": text}).encode()
        given = exchange(raw)
        assert await made.read(given) == ({"a": text}, len(raw))
        threads.append(await made.worked(given, len(raw), threading.current_thread))
    assert [thread is threading.main_thread() for thread in threads] == [True, False]


async def test_the_loop_goes_on_while_a_large_body_is_read() -> None:
    turns = 0

    async def turning() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(turning())
    await bodies().worked(exchange(b""), 1 << 20, lambda: threading.Event().wait(0.05))
    task.cancel()
    assert turns > 10


async def test_too_many_values_are_refused_before_they_are_made() -> None:
    raw = b'{"a": [' + b"[]," * 100_000 + b"[]]}"
    with pytest.raises(ProblemError) as problem:
        await bodies(max_values=50_000).read(exchange(raw))
    assert (problem.value.failure.status, problem.value.failure.code) == (413, "message_too_large")
    assert len((await bodies(max_values=300_000).read(exchange(raw)))[0]["a"]) == 100_001


@pytest.mark.parametrize("raw", [b"[1]", b"{", b'{"a": "\xff"}', b"x" * 100_000])
async def test_what_is_no_object_of_json_is_refused(raw: bytes) -> None:
    with pytest.raises(ProblemError) as problem:
        await bodies().read(exchange(raw))
    assert problem.value.failure.code == "invalid_json"
