"""While the process is overloaded, a tenant that has filled the window is refused, and another one is served."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_runtime.access.credentials import Credentials
from llm_mesh_runtime.pressure import Window
from tests.edge.conftest import Served

PATH = "/v1/chat/completions"
BODY = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "hi"}]}
LIMIT = 40


@pytest.fixture(autouse=True)
def overloaded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The window has a limit, and keeps it."""
    monkeypatch.setattr(Window, "__init__", lambda self: setattr(self, "limit", LIMIT))
    monkeypatch.setattr(Window, "sample", lambda *_, **__: None)


class Tenant:
    """Asks with its own key."""

    def __init__(self, served: Served, name: str) -> None:
        self.served = served
        self.headers = {"authorization": f"Bearer mk_{name}"}
        served.policy.keys[f"mk_{name}"] = admission_pb2.Caller(
            principal=f"domains/{name}/principals/app", domain=f"domains/{name}", project=f"domains/{name}/projects/main"
        )

    async def ask(self) -> int:
        status: int = (await self.served.post(PATH, json=BODY, headers=self.headers))[0]
        return status

    async def fill(self, callers: int) -> tuple[list[asyncio.Task[int]], int]:
        """So many at once: those that are let in, which stay until they are cancelled, and how many were refused."""
        assert await self.ask() == 200  # from now on its credential is known
        self.served.gateway.waits = self.served.gateway.wait
        before = len(self.served.gateway.asked)
        tasks = [asyncio.create_task(self.ask()) for _ in range(callers)]
        await until(lambda: len(self.served.gateway.asked) - before + sum(task.done() for task in tasks) == callers)
        self.served.gateway.waits = None
        refused = [task for task in tasks if task.done()]
        assert {task.result() for task in refused} <= {503}
        return [task for task in tasks if not task.done()], len(refused)


async def until(done: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not done():  # noqa: ASYNC110 (nobody tells)
            await asyncio.sleep(0.005)


async def cancelled(tasks: list[asyncio.Task[int]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_tenant_that_fills_the_window_is_refused_and_others_are_served(served: Served) -> None:
    hog, other, third = (Tenant(served, name) for name in ("hog", "other", "third"))
    inside, refused = await hog.fill(60)
    assert (len(inside), refused) == (LIMIT, 20)
    for _ in range(5):
        assert await hog.ask() == 503
        assert await other.ask() == 200
        assert await third.ask() == 200
    await cancelled(inside)
    for _ in range(1_000):
        if await hog.ask() == 200:
            return
    pytest.fail("those who left made no room")


async def test_credentials_that_are_to_be_checked_anew_count_to_their_last_owner(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    hog, other = Tenant(served, "hog"), Tenant(served, "other")
    inside, _ = await hog.fill(60)
    monkeypatch.setattr(Credentials, "known", lambda *_: None)
    for _ in range(5):
        assert await hog.ask() == 503
        assert await other.ask() == 200, "a newcomer counts to its address, where nobody else is"
    await cancelled(inside)
