"""The client runs on either loop that services run on, so its cases do."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Iterator, Mapping

import pytest
import uvloop

from tests.adapter_kit.scripted_provider import Kind


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """Both loops."""
    return {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


@pytest.fixture(params=["fast", "library"])
def kind(request: pytest.FixtureRequest) -> Kind:
    """Each of the two clients: what they do alike is tested once."""
    return Kind(request.param)


@pytest.fixture(autouse=True, scope="module")
def others_stay() -> None:
    """What other files have left is looked at once, not after each case of this one."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def nothing_left_open(others_stay: None) -> Iterator[None]:
    """A socket that is left open is told of when it is collected, and fails the case."""
    yield
    gc.collect()
