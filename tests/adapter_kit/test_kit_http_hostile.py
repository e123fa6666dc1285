"""What a provider must not send, over a socket and by either client: it breaks, the connection closes, and nothing grows without bound."""

from __future__ import annotations

import asyncio
import time

import pytest

from llm_mesh_adapter_kit.client.pool import Pool
from llm_mesh_adapter_kit.http import BrokenError, HttpClient, HttpRequest
from tests.adapter_kit.scripted_provider import MakeClient, OpenPool, Visit, asking, provider, whole
from tests.adapter_kit.test_kit_http_answers import ENDLESS, HOSTILE

BY_TIME = {"other answers", "one trailer", "an extension"}


@pytest.mark.parametrize("name", HOSTILE)
async def test_what_is_no_answer_breaks(pool: OpenPool, name: str) -> None:
    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(HOSTILE[name])
        await visit.reader.read()
        visit.left.set()

    async with provider(handle) as (seen, port), pool(port) as client, asyncio.timeout(5):
        with pytest.raises(BrokenError):
            await whole(client, asking(port))
        await seen.visits[0].left.wait()


@pytest.mark.parametrize("name", ENDLESS)
async def test_a_head_or_tail_without_an_end_is_given_up(pool: OpenPool, make_client: MakeClient, name: str) -> None:
    """At once or, where the library counts nothing (`BY_TIME`), when time is up."""
    begin, more = ENDLESS[name]

    async def handle(visit: Visit) -> None:
        await visit.request()
        await visit.say(begin)
        while not visit.writer.transport.is_closing():
            await visit.say(more * 64)

    by_time = make_client is not Pool and name in BY_TIME
    deadline = time.monotonic() + (0.3 if by_time else 8)
    async with provider(handle) as (_, port), pool(port) as client, asyncio.timeout(9):
        with pytest.raises(TimeoutError if by_time else BrokenError):
            await read_whole(client, asking(port, deadline=deadline), deadline)


async def read_whole(client: HttpClient, request: HttpRequest, deadline: float) -> None:
    answer = await client.send(request)
    while await answer.read(deadline):
        pass
