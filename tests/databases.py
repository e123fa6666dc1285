"""The engines that every store runs on: the same test once over a SQLite file, SQLite in memory and PostgreSQL."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from llm_mesh_runtime.database import Database
from tests.postgres import Cluster

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
    database = Database(database_url, name="test")
    yield database
    await database.close()
