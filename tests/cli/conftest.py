"""A mesh of its own for the command line, which changes what it finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cli.inside import within
from tests.e2e.running import RunningMesh, running


@pytest.fixture(scope="session")
def cli_mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningMesh]:
    """A mesh with all installed services."""
    with running(tmp_path_factory.mktemp("cli")) as started:
        yield within(started)
