"""Fixtures of the end-to-end tests: one mesh of each kind per session, and official SDKs as its clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.e2e.running import RunningMesh, running
from tests.e2e.separate import BATCHED, SeparateMesh, separate


@pytest.fixture(scope="session")
def embedded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """All installed services in one process, on SQLite: for tests of what only `llm-mesh up` has."""
    with running(tmp_path_factory.mktemp("mesh")) as started:
        yield started


@pytest.fixture(scope="session")
def with_workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """All installed services in one process, and two more that accept HTTP at one port."""
    with running(tmp_path_factory.mktemp("workers"), env={"LLM_MESH_WORKERS": "2"}) as started:
        yield started


@pytest.fixture(scope="session")
def with_tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeparateMesh]:
    """Each service in a process of its own, on PostgreSQL, with service tokens."""
    with separate(tmp_path_factory.mktemp("separate"), mutual_tls=False) as started:
        yield started


@pytest.fixture(scope="session")
def with_mutual_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeparateMesh]:
    """Likewise, with mutual TLS between services."""
    with separate(tmp_path_factory.mktemp("mutual"), mutual_tls=True) as started:
        yield started


@pytest.fixture(scope="session")
def with_batched_links(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SeparateMesh]:
    """Likewise, with tokens and batched links between services."""
    with separate(tmp_path_factory.mktemp("batched"), mutual_tls=False, link=BATCHED) as started:
        yield started


@pytest.fixture(scope="session", params=["embedded", "with_workers", "with_tokens", "with_mutual_tls", "with_batched_links"])
def mesh(request: pytest.FixtureRequest) -> RunningMesh:
    """A mesh with all installed services, once per kind: what an application sees is the same."""
    started: RunningMesh = request.getfixturevalue(request.param)
    return started


@pytest.fixture(scope="session", params=["with_tokens", "with_mutual_tls", "with_batched_links"])
def services(request: pytest.FixtureRequest) -> SeparateMesh:
    """A mesh of separate processes, once per way in which services prove who they are and call each other."""
    started: SeparateMesh = request.getfixturevalue(request.param)
    return started


@pytest.fixture
def openai(mesh: RunningMesh) -> Iterator[OpenAI]:
    """OpenAI's own SDK, unmodified, with the first project's key; it does not repeat requests."""
    with OpenAI(base_url=mesh.base_url, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        yield client
