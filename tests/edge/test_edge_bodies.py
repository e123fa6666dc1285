"""Bodies: small ones are read at once, large ones aside, and what would be too much to build is refused before."""

import asyncio
import json
import threading
from typing import Any

import pytest

from llm_mesh_edge.http.bodies import Bodies
from llm_mesh_edge.http.exchange import PARTY, GoneError, HttpExchange, ProblemError
from llm_mesh_edge.settings import Settings
from llm_mesh_runtime.heavy import HeavyWork
from llm_mesh_runtime.shares import Party


def exchange(body: bytes) -> HttpExchange:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(_: Any) -> None:
        raise AssertionError

    return HttpExchange({"headers": [(b"authorization", b"Bearer x")], "method": "POST", "path": "/"}, receive, send)


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


class Upload:
    """A body that arrives in parts, as the test sends them."""

    def __init__(self, domain: str, content_type: str = "application/json") -> None:
        self.parts: asyncio.Queue[tuple[bytes, bool]] = asyncio.Queue()
        headers = [(b"authorization", b"Bearer x"), (b"content-type", content_type.encode())]
        scope = {"headers": headers, "method": "POST", "path": "/", "state": {PARTY: Party(domain, "p")}}
        self.exchange = HttpExchange(scope, self._receive, self._send)

    async def _receive(self) -> dict[str, Any]:
        part, more = await self.parts.get()
        return {"type": "http.request", "body": part, "more_body": more} if part else {"type": "http.disconnect"}

    async def _send(self, _: Any) -> None:
        raise AssertionError


async def test_bodies_that_do_not_end_leave_room_for_others_and_what_they_held_comes_back() -> None:
    made = bodies(max_body=500_000, uploads=1024 * 1024)
    slow = [Upload("slow") for _ in range(20)]
    reading = [asyncio.create_task(made.read(each.exchange)) for each in slow]
    for each in slow:
        each.parts.put_nowait((b"[" * 100_000, True))
    done, held = await asyncio.wait(reading, timeout=0.2)
    assert {task.exception().reason_name for task in done} == {"OVERLOADED"}  # type: ignore[union-attr]
    assert 1 <= len(held) <= 7, "three quarters of the bound at most"
    other = Upload("other")
    raw = json.dumps({"a": "x" * 200_000}).encode()
    for at in range(0, len(raw), 50_000):
        other.parts.put_nowait((raw[at : at + 50_000], at + 50_000 < len(raw)))
    assert (await made.read(other.exchange))[1] == len(raw)
    for each in slow:
        each.parts.put_nowait((b"", True))  # the client leaves
    ended = await asyncio.gather(*held, return_exceptions=True)
    assert {type(end) for end in ended} == {GoneError}
    again = Upload("slow")
    again.parts.put_nowait((b'{"a":' + b" " * 400_000, True))
    again.parts.put_nowait((b"1}", False))
    assert (await made.read(again.exchange))[0] == {"a": 1}


def test_the_largest_body_of_one_caller_must_fit() -> None:
    with pytest.raises(ValueError, match="at least twice max_body, 64000000"):
        Settings(max_body=32_000_000, uploads=63_999_999)


FORM = b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'


async def test_forms_that_do_not_end_leave_room_for_others_too() -> None:
    made = bodies(max_body=500_000, uploads=1024 * 1024)
    slow = [Upload("slow", "multipart/form-data; boundary=b") for _ in range(20)]
    reading = [asyncio.create_task(made.read_form(each.exchange, {"file"})) for each in slow]
    for each in slow:
        each.parts.put_nowait((FORM + b"x" * 100_000, True))
    done, held = await asyncio.wait(reading, timeout=0.2)
    assert {task.exception().reason_name for task in done} == {"OVERLOADED"}  # type: ignore[union-attr]
    assert 1 <= len(held) <= 7, "three quarters of the bound at most"
    for each in slow:
        each.parts.put_nowait((b"", True))  # the client leaves
    await asyncio.gather(*held, return_exceptions=True)
    again = Upload("slow", "multipart/form-data; boundary=b")
    again.parts.put_nowait((FORM + b"x" * 400_000 + b"\r\n--b--\r\n", False))
    assert len((await made.read_form(again.exchange, {"file"}))[0]["file"].data) == 400_000


async def test_what_is_left_of_a_broken_form_is_taken() -> None:
    upload = Upload("slow", "multipart/form-data; boundary=b")
    for piece in (b"no form", b"x" * 1000, b"y" * 1000):
        upload.parts.put_nowait((piece, True))
    upload.parts.put_nowait((b"z", False))
    with pytest.raises(ProblemError) as refused:
        await bodies().read_form(upload.exchange, {"file"})
    assert refused.value.failure.code == "invalid_form"
    assert upload.parts.empty(), "closed with bytes unread the connection would be reset, and the answer lost"
