"""Memory that a flood has freed goes back to the machine."""

from __future__ import annotations

import asyncio

import pytest

from llm_mesh_runtime import memory_return


async def test_however_often_memory_is_freed_it_is_given_back_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_return, "_EVERY", 0.01)
    memory, given = memory_return.FreedMemory(), asyncio.Queue[int]()
    loop = asyncio.get_running_loop()
    monkeypatch.setattr(memory, "_trim", lambda rest: loop.call_soon_threadsafe(given.put_nowait, rest))
    for _ in range(100):
        memory.give_back()
    assert await asyncio.wait_for(given.get(), 5) == 0
    memory.give_back()
    assert await asyncio.wait_for(given.get(), 5) == 0
    assert given.empty()
