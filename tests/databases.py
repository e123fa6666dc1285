"""The engines that every store runs on: the same test once over a SQLite file, SQLite in memory and PostgreSQL.

A suite of stores has hundreds of tests, each on a database of its own. Migrations run once for each service and engine; what they made is
copied from then on.
"""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres import Cluster

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from llm_mesh_runtime.database import Database

ENGINES = ("sqlite", "memory", "postgresql")
NAME = "test"
"""Of the databases that the fixtures make."""
PATIENCE = 120.0
"""Seconds that a test waits for its store: on a busy machine, ten are not always enough."""
_SCRIPTS: dict[tuple[str, str], list[str]] = {}


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The URL of a database, once per engine: empty, or on PostgreSQL already migrated where the suite is of a service with a store."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        assert isinstance(server, Cluster)
        url = server.database(_template(server, f"llm_mesh_{request.path.parent.name}.store.migrations"))
        yield url
        server.drop(url)
    else:
        yield f"sqlite:///{tmp_path / 'store.db'}" if request.param == "sqlite" else "sqlite://"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """A database of `database_url`, closed afterwards."""
    from llm_mesh_runtime.database import Database  # noqa: PLC0415 - suites of services without data run without SQLAlchemy

    database = Database(database_url, name=NAME, time_limit=PATIENCE)
    yield database
    await database.close()


async def migrated(database: Database, package: str) -> None:
    """Bring a new database to the last revision, as `migrate` does."""
    from llm_mesh_runtime.database import migrate  # noqa: PLC0415 - as above

    key = (package, database.name)
    if key not in _SCRIPTS:
        _SCRIPTS[key] = await _script(*key)
    await database.write(lambda connection: _copy(connection, _SCRIPTS[key]))
    await migrate(database, package)


def _copy(connection: Connection, script: list[str]) -> None:
    if connection.dialect.name == "sqlite" and not connection.exec_driver_sql("SELECT count(*) FROM sqlite_master").scalar():
        for statement in script:
            connection.exec_driver_sql(statement)


async def _script(package: str, name: str) -> list[str]:
    """What the migrations leave in a new SQLite file, as statements."""
    from llm_mesh_runtime.database import Database, migrate  # noqa: PLC0415 - as above

    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{folder}/store.db", name=name)
        await migrate(database, package)
        await database.close()
        connection = sqlite3.connect(f"{folder}/store.db")
        script = [statement for statement in connection.iterdump() if statement not in {"BEGIN TRANSACTION;", "COMMIT;"}]
        connection.close()
        return script


def _template(server: Cluster, package: str) -> str:
    """The name of a migrated database of this server; empty where there is no such package."""
    if package not in server.templates:
        if _exists(package):
            url = server.database()
            asyncio.run(_migrate_once(url, package))
            server.templates[package] = url.rpartition("/")[2]
        else:
            server.templates[package] = ""
    return server.templates[package]


def _exists(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # neither does a package above it
        return False


async def _migrate_once(url: str, package: str) -> None:
    from llm_mesh_runtime.database import Database, migrate  # noqa: PLC0415 - as above

    database = Database(url, name=NAME)
    await migrate(database, package)
    await database.close()
