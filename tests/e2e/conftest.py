"""Fixtures of the end-to-end tests: one mesh per session, and official SDKs as its clients."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from openai import OpenAI

from tests.e2e.running import RunningMesh, running


@pytest.fixture(scope="session")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh with all installed services."""
    with running(tmp_path_factory.mktemp("mesh")) as started:
        yield started


@pytest.fixture
def openai(mesh: RunningMesh) -> Iterator[OpenAI]:
    """OpenAI's own SDK, unmodified, with the first project's key; it does not repeat requests."""
    with OpenAI(base_url=mesh.base_url, api_key=mesh.project_key, max_retries=0, timeout=30) as client:
        yield client
