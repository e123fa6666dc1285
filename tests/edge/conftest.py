"""The edge before a fake gateway, and clients of it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
import anthropic
import openai
import pytest

from llm_mesh_edge.settings import Settings
from llm_mesh_edge.wiring import service
from llm_mesh_runtime.testing import FakePolicy, host
from tests.edge.fakes import FakeGateway

KEY = "mk_ana"


@dataclass
class Served:
    """The edge as clients find it."""

    address: str
    gateway: FakeGateway
    policy: FakePolicy
    session: aiohttp.ClientSession
    sdk: openai.AsyncOpenAI
    claude: anthropic.AsyncAnthropic
    headers: dict[str, str] = field(default_factory=lambda: {"authorization": f"Bearer {KEY}"})

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    async def post(self, path: str, **options: object) -> tuple[int, Any, Any]:
        given: Any = {"headers": self.headers, **options}
        async with self.session.post(self.url + path, **given) as answer:
            return answer.status, await answer.json(), answer.headers


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    gateway, policy = FakeGateway(), FakePolicy()
    settings = Settings(max_body=100_000, upload=timedelta(seconds=0.3), deadline=timedelta(seconds=20), keep_alive=timedelta(seconds=0.4))
    services = (policy.service(), gateway.service(), service)
    async with host(*services, settings={"edge": settings}) as mesh, aiohttp.ClientSession() as session:
        address = mesh.http("edge")
        sdk = openai.AsyncOpenAI(base_url=f"http://{address}/v1", api_key=KEY, max_retries=0)
        claude = anthropic.AsyncAnthropic(base_url=f"http://{address}", api_key=KEY, max_retries=0)
        async with sdk, claude:
            yield Served(address, gateway, policy, session, sdk, claude)
