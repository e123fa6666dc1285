"""The client runs on either loop that services run on, so its cases do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop

from llm_mesh_adapter_kit.aiohttp_client.client import LibraryClient
from llm_mesh_adapter_kit.client.pool import Pool
from tests.adapter_kit.scripted_provider import MakeClient, OpenPool, pool_of


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(autouse=True)
def nothing_left_open() -> Iterator[None]:
    """A socket that is left open is told of when it is collected, and fails the case."""
    yield
    gc.collect()


@pytest.fixture(params=[Pool, LibraryClient], ids=["fast", "aiohttp"])
def make_client(request: pytest.FixtureRequest) -> MakeClient:
    """Each implementation of `HttpClient`: what holds for one holds for the other."""
    made: MakeClient = request.param
    return made


@pytest.fixture
def pool(make_client: MakeClient) -> OpenPool:
    """Opens a client of the server at a port."""
    return pool_of(make_client)
