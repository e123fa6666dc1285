"""A PostgreSQL cluster of the test session's own: no installed server is touched, nothing is left behind."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from uuid import uuid4

from tests.engines import postgres_bin

_ROOM = 6 * 2**30


@dataclass
class Cluster:
    """A running server that trusts every connection on loopback."""

    binaries: Path
    data: Path
    port: int
    user: str | None
    durable: bool = False
    """Whether a commit waits for the disk: a suite is faster without, a benchmark is not true without."""
    server: subprocess.Popen[bytes] | None = None
    templates: dict[str, str] = field(default_factory=dict)
    """The names of databases that new ones are copied from, by what they hold."""

    def start(self) -> None:
        """Start the server and wait until it answers."""
        import psycopg  # noqa: PLC0415 - suites of services without data run without it

        options = [*([] if self.durable else ["-F"]), "-k", "", "-h", "127.0.0.1", "-p", str(self.port), "-c", "max_connections=200"]
        log = (self.data.parent / "log").open("ab")
        self.server = subprocess.Popen([self.binaries / "postgres", "-D", self.data, *options], stdout=log, stderr=log, user=self.user)
        log.close()
        end = time.monotonic() + 30
        while time.monotonic() < end:
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=2).close()
            except psycopg.OperationalError:
                assert self.server.poll() is None, (self.data.parent / "log").read_text()
                time.sleep(0.05)  # polls a server that offers nothing to wait on
            else:
                return
        raise AssertionError((self.data.parent / "log").read_text())

    def stop(self) -> None:
        """Stop the server as a crash would, so that tests of readiness can start it again."""
        if self.server is not None:
            self.server.send_signal(signal.SIGQUIT)
            self.server.wait()
            (self.data / "postmaster.pid").unlink(missing_ok=True)
            self.server = None

    def database(self, template: str = "") -> str:
        """The URL of a new database: empty, or a copy."""
        import psycopg  # noqa: PLC0415 - as above
        from psycopg import sql  # noqa: PLC0415 - as above

        name = f"t{uuid4().hex}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            source = sql.Identifier(template or "template1")
            connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), source))
        return f"postgresql+psycopg://mesh@127.0.0.1:{self.port}/{name}"

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected; it takes megabytes of memory."""
        import psycopg  # noqa: PLC0415 - as above
        from psycopg import sql  # noqa: PLC0415 - as above

        if self.server is not None:
            with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
                name = sql.Identifier(url.rpartition("/")[2])
                connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))

    def _conninfo(self, name: str) -> str:
        return f"host=127.0.0.1 port={self.port} user=mesh dbname={name}"


def _unprivileged() -> str | None:
    """Whom the server runs as: PostgreSQL refuses to run as root."""
    if os.getuid():
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _roomy_memory() -> Path | None:
    """Where a database is made and removed in no time, if there is room for some hundred of them. None: the usual place."""
    memory = Path("/dev/shm")  # noqa: S108 - a folder of our own is made in it
    return memory if memory.is_dir() and shutil.disk_usage(memory).free > _ROOM else None


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[Cluster]:
    """A fresh cluster for as long as the block runs; a durable one lies on the disk."""
    binaries, user = postgres_bin(), _unprivileged()
    folder = Path(tempfile.mkdtemp(prefix="llm-mesh-pg-", dir=None if durable else _roomy_memory()))
    try:
        if user:
            shutil.chown(folder, user)
        command: list[str | Path] = [
            binaries / "initdb",
            "-D",
            folder / "data",
            "-U",
            "mesh",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--locale=C",
            "--no-sync",
        ]
        subprocess.run(command, check=True, capture_output=True, user=user, cwd="/")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        server = Cluster(binaries, folder / "data", port, user, durable)
        server.start()
        yield server
        server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
