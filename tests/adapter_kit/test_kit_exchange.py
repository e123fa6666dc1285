"""An answer whose bytes always wait already: its reader never waits, and its time is up all the same."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.exchange import Exchange
from llm_mesh_adapter_kit.limits import Limits, Timers


class Endless:
    """There is always more."""

    status = 200

    def header(self, name: str) -> str:
        return name

    async def read(self, deadline: float) -> bytes:
        await asyncio.sleep(deadline * 0)
        return b": still here\n\n"


async def read_on(exchange: Exchange) -> None:
    while await exchange.read():
        pass


@pytest.mark.parametrize(
    ("limits", "wants_first", "phase"), [(Limits(total=0.05), False, "total"), (Limits(first_token=0.05), True, "first_token")]
)
async def test_time_is_up_where_nothing_is_waited_for(limits: Limits, phase: str, *, wants_first: bool) -> None:
    endpoint: Any = SimpleNamespace(name="x")
    answer: Any = Endless()
    exchange = Exchange(endpoint, answer, Timers(limits, wants_first=wants_first))
    async with asyncio.timeout(5):
        with pytest.raises(AdapterError) as caught:
            await read_on(exchange)
    assert caught.value.metadata["phase"] == phase
