"""The engines that every store runs on: the same test once over a SQLite file, SQLite in memory and PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres import Cluster

if TYPE_CHECKING:
    from llm_mesh_runtime.database import Database

ENGINES = ("sqlite", "memory", "postgresql")


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once per engine."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        assert isinstance(server, Cluster)
        return server.database()
    return f"sqlite:///{tmp_path / 'store.db'}" if request.param == "sqlite" else "sqlite://"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database, once per engine; closed afterwards."""
    from llm_mesh_runtime.database import Database  # noqa: PLC0415 - suites of services without data run without SQLAlchemy

    database = Database(database_url, name="test")
    yield database
    await database.close()
