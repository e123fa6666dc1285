"""The links that every case of the contract suite runs over."""

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
import structlog.testing

from llm_mesh_runtime.testing import LINKS, HostedMesh, Link, host
from tests.contract.certificates import authority
from tests.contract.echo import Echo, service, stub


@pytest.fixture(autouse=True, scope="session")
def quiet() -> Iterator[None]:
    """Handlers fail on purpose here; what the log says about it is tested elsewhere."""
    with structlog.testing.capture_logs():
        yield


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Mapping[str, str]]:
    return authority(tmp_path_factory.mktemp("certificates"))


@pytest.fixture(params=LINKS)
def link(request: pytest.FixtureRequest) -> Link:
    chosen: Link = request.param
    return chosen


@dataclass
class Linked:
    """A hosted echo service and a stub that a service of the mesh has."""

    mesh: HostedMesh
    echo: Echo
    stub: Any
    channel: Any


@pytest.fixture
async def linked(link: Link, certificates: Callable[[str], Mapping[str, str]]) -> AsyncIterator[Linked]:
    echo = Echo()
    async with host(service(echo), link=link, tls=certificates) as mesh:
        channel = mesh.channel("echo")
        yield Linked(mesh, echo, stub(channel), channel)
