"""Databases for tests: the same suite runs over a SQLite file, SQLite in memory and a throw-away PostgreSQL.

Use the fixture `database` (a `Database`), or `database_url` where a test opens its own; both run a test once per engine.
Where PostgreSQL is not installed its runs are skipped with a reason, or fail when LLM_MESH_REQUIRE_ENGINES=1.
"""

import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import NoReturn

import pytest

from llm_mesh_runtime.database import Database

ENGINES = ("sqlite", "memory", "postgresql")


@dataclass
class Postgres:
    """A cluster of its own, on a socket in its own folder: no port, no password, no trace afterwards."""

    programs: Path
    folder: Path
    user: str | None
    numbers: Iterator[int] = field(default_factory=count)

    def url(self, name: str) -> str:
        """Where a database of the cluster is."""
        return f"postgresql+psycopg://mesh@/{name}?host={self.folder}"

    def fresh(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{next(self.numbers)}"
        self.run("createdb", "-h", str(self.folder), "-U", "mesh", name)
        return self.url(name)

    def start(self) -> None:
        """Starts the server; answers when it accepts connections."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off -c max_connections=200"
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-o", options, "-l", str(self.folder / "log"), "-w", "start")

    def stop(self) -> None:
        """Stops the server at once and cuts all connections."""
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-m", "immediate", "-w", "stop")

    def run(self, program: str, *arguments: str) -> None:
        """Runs one of PostgreSQL's programs, which refuse to run as root."""
        subprocess.run([self.programs / program, *arguments], check=True, user=self.user, cwd=self.folder, stdout=subprocess.DEVNULL)


def absent(engine: str, why: str) -> NoReturn:
    """Skips the test loudly, or fails it where engines are required."""
    if os.environ.get("LLM_MESH_REQUIRE_ENGINES") == "1":
        pytest.fail(f"{engine} is required here: {why}")
    pytest.skip(f"{engine} is absent: {why}")


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A running PostgreSQL for the whole session; absent → `absent`."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    initdb = str(found[-1]) if found else shutil.which("initdb")
    if initdb is None:
        absent("postgresql", "no initdb in /usr/lib/postgresql/*/bin or the PATH")
    folder = Path(tempfile.mkdtemp(prefix="llm-mesh-pg-"))
    server = Postgres(Path(initdb).resolve().parent, folder, "nobody" if os.geteuid() == 0 else None)
    try:
        if server.user:
            shutil.chown(folder, server.user)
        server.run("initdb", "-D", str(folder / "data"), "-U", "mesh", "-A", "trust", "-E", "UTF8", "--no-sync", "--no-instructions")
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=ENGINES)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty database, once per engine."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        assert isinstance(server, Postgres)
        return server.fresh()
    return f"sqlite:///{tmp_path / 'store.db'}" if request.param == "sqlite" else "sqlite://"


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database, once per engine; closed afterwards."""
    database = Database(database_url, name="test")
    yield database
    await database.close()
