"""How connections are made: SQLite in WAL mode, SQLite in memory, or PostgreSQL."""

import os
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import NullPool

from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.database.faults import is_busy
from llm_mesh_runtime.database.opened import opened

_BUSY_MILLISECONDS = 5_000
_CONNECT_SECONDS = 3
_STATEMENT_MILLISECONDS = 10_000
_CACHED_STATEMENTS = 500
_WRITE_AHEAD = "journal_mode=WAL"
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_BEGIN_READING = "BEGIN"


class DatabaseEngine(ABC):
    """One kind of store. Each thread holds a connection of its own."""

    writers: int
    readers: int

    @abstractmethod
    def writing(self) -> Engine:
        """Makes connections whose transactions may write."""

    @abstractmethod
    def reading(self) -> Engine:
        """Makes connections that see one committed state per transaction and cannot write."""

    @abstractmethod
    def prepare(self) -> None:
        """Makes the place where the data lives, if that is ours to make."""

    def identity(self) -> object:
        """Changes when open connections no longer lead to the data that others see. Raises OSError when it is gone."""
        return None

    @abstractmethod
    def now(self, connection: Connection) -> int:
        """The store's time in microseconds since 1970 UTC."""

    def reading_only(self, connection: Connection) -> AbstractContextManager[None]:  # noqa: ARG002 (where it is shared)
        """Forbids writing for a while, where readers and writers share a connection."""
        return nullcontext()

    @abstractmethod
    def begin(self, connection: Connection, *, reads: bool) -> None:
        """Begins a transaction, where the driver does not by itself; one that `reads` sees one committed state."""

    def mark(self, connection: Connection) -> None:
        """Sets the point in a transaction that `rewind` goes back to."""
        connection.exec_driver_sql("SAVEPOINT work")

    def advance(self, connection: Connection) -> None:
        """Keeps what was done since the point, and sets it anew; in one round trip, and without nesting points."""
        connection.exec_driver_sql("RELEASE SAVEPOINT work; SAVEPOINT work")

    def rewind(self, connection: Connection) -> None:
        """Undoes what was done since the point, which stays."""
        connection.exec_driver_sql("ROLLBACK TO SAVEPOINT work")

    @abstractmethod
    def scrub(self) -> None:
        """Leaves nothing of deleted rows behind, as far as that is in the engine's hands. Outside of any transaction."""


class SqliteStore(DatabaseEngine):
    """One file, one writer at a time; the machine's clock is the database's."""

    writers = 1
    readers = 2

    def __init__(self, path: Path) -> None:
        self._path = path.absolute()
        self._name = str(self._path)

    def prepare(self) -> None:
        """Makes the file for its owner alone; SQLite gives the log beside it the same mode."""
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._path.touch(mode=0o600)

    def identity(self) -> object:
        """The file's inode: what is written to a deleted file is lost at the next start."""
        return os.stat(self._name).st_ino  # noqa: PTH116 (with each transaction; a path takes twice as long)

    def writing(self) -> Engine:
        """A durable commit costs one fsync: a reservation that was acknowledged survives the machine."""
        return self._engine(_BEGIN_WRITING, _WRITE_AHEAD, "synchronous=FULL", "foreign_keys=ON")

    def reading(self) -> Engine:
        """Readers never wait for the writer, nor it for them."""
        return self._engine(_BEGIN_READING, "query_only=ON")

    def begin(self, connection: Connection, *, reads: bool) -> None:
        """Writers take their lock at once: one that read first could be refused it."""
        _driver(connection).execute(_BEGIN_READING if reads else _BEGIN_WRITING)

    def now(self, connection: Connection) -> int:  # noqa: ARG002 (the engine has no finer clock than the machine's)
        """The machine's clock."""
        return time.time_ns() // 1_000

    def mark(self, connection: Connection) -> None:
        """Past SQLAlchemy, which would cost ten times the statement itself."""
        _driver(connection).execute("SAVEPOINT work")

    def advance(self, connection: Connection) -> None:
        """Keep what was done since the point, and set it anew."""
        driver = _driver(connection)
        driver.execute("RELEASE work")
        driver.execute("SAVEPOINT work")

    def rewind(self, connection: Connection) -> None:
        """Undo what was done since the point, which stays."""
        _driver(connection).execute("ROLLBACK TO work")

    def scrub(self) -> None:
        """Moves the log into the file and empties it: it holds earlier states of the pages that it changed."""
        connection = self._connect()
        try:
            _set(connection, f"busy_timeout={_BUSY_MILLISECONDS}")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        finally:
            connection.close()
        if busy:
            raise OSError(f"{self._path.name}-wal is in use")

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{quote(str(self._path))}?mode=rw", uri=True, isolation_level=None)

    def _engine(self, begin: str, *pragmas: str) -> Engine:
        def connect() -> sqlite3.Connection:
            connection = self._connect()
            try:
                for pragma in (f"busy_timeout={_BUSY_MILLISECONDS}", *pragmas):
                    _set(connection, pragma)
            except sqlite3.Error:
                connection.close()
                raise
            return connection

        engine = create_engine("sqlite://", creator=connect, poolclass=NullPool, hide_parameters=True, query_cache_size=_CACHED_STATEMENTS)
        event.listen(engine, "begin", lambda connection: _joined(_driver(connection), begin))
        return engine


class MemoryStore(SqliteStore):
    """For tests: one connection, on which reads take their turn between the groups of writes."""

    readers = 0

    def __init__(self) -> None:
        super().__init__(Path("memory"))

    def prepare(self) -> None:
        """There is nothing to make."""

    def scrub(self) -> None:
        """There is no file."""

    def identity(self) -> object:
        """It is always the same."""
        return None

    @contextmanager
    def reading_only(self, connection: Connection) -> Iterator[None]:
        """Reads run on the writer's connection, and still must not write."""
        _driver(connection).execute("PRAGMA query_only=ON")
        try:
            yield
        finally:
            _driver(connection).execute("PRAGMA query_only=OFF")

    def _connect(self) -> sqlite3.Connection:
        return sqlite3.connect(":memory:", isolation_level=None)


class PostgresStore(DatabaseEngine):
    """A server; several groups commit side by side."""

    writers = 4
    readers = 4

    def __init__(self, url: URL, name: str) -> None:
        self._url = url
        self._name = name

    def prepare(self) -> None:
        """The server's administrator makes the database."""

    def writing(self) -> Engine:
        """READ COMMITTED: works lock what they decide on (`for_update`) or write conditionally."""
        return self._engine("READ COMMITTED", "synchronous_commit=on", "lock_timeout=5000")

    def reading(self) -> Engine:
        """REPEATABLE READ: all statements of a work see one state."""
        return self._engine("REPEATABLE READ", "default_transaction_read_only=on")

    def begin(self, connection: Connection, *, reads: bool) -> None:
        """The driver begins with the first statement."""

    def scrub(self) -> None:
        """The server does it: when it vacuums, and when it recycles its log."""

    def now(self, connection: Connection) -> int:
        """The server's clock, not the transaction's beginning: works of one group may be far apart."""
        return int(connection.execute(_NOW).scalar_one())

    def _engine(self, isolation: str, *parameters: str) -> Engine:
        settings = (f"statement_timeout={_STATEMENT_MILLISECONDS}", "idle_in_transaction_session_timeout=60000", *parameters)
        options = " ".join(f"-c {setting}" for setting in settings)
        return create_engine(
            self._url.difference_update_query(["options"]),
            poolclass=NullPool,
            hide_parameters=True,  # they are content, and exceptions are logged
            isolation_level=isolation,
            query_cache_size=_CACHED_STATEMENTS,
            connect_args={
                "application_name": f"llm-mesh-{self._name}",
                "connect_timeout": _CONNECT_SECONDS,
                "keepalives_idle": 5,
                "keepalives_interval": 2,
                "keepalives_count": 3,
                "tcp_user_timeout": _STATEMENT_MILLISECONDS,
                "options": f"{self._url.query.get('options', '')} {options}".strip(),
            },
        )


_NOW = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)")


def store_of(url: str, name: str) -> DatabaseEngine:
    """The store that a URL means: `sqlite://` (memory), `sqlite:////path/file.db`, `postgresql://…`."""
    parsed = make_url(url)
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        return SqliteStore(Path(parsed.database)) if parsed.database not in {None, "", ":memory:"} else MemoryStore()
    if kind in {"postgresql", "postgres"}:
        return PostgresStore(parsed.set(drivername="postgresql+psycopg"), name)
    raise ValueError(f"the database of {name}: expected a URL that begins with sqlite:// or postgresql://")


def _set(connection: sqlite3.Connection, pragma: str) -> None:
    """Sets one pragma.

    Two processes that open a new file may both change its journal mode; SQLite then refuses one of them at once, whatever its
    `busy_timeout` is, since each would wait for the other. So that one tries again.
    """
    end, backoff = time.monotonic() + _BUSY_MILLISECONDS / 1000, Backoff(0.002, 0.02)
    while True:
        try:
            connection.execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as error:
            if pragma != _WRITE_AHEAD or not is_busy(error) or time.monotonic() > end:
                raise
            time.sleep(backoff.pause())
        else:
            return


def _joined(driver: sqlite3.Connection, begin: str) -> None:
    """SQLAlchemy joins what a lane has begun."""
    if not driver.in_transaction:
        driver.execute(begin)


def _driver(connection: Connection) -> sqlite3.Connection:
    driver: sqlite3.Connection = opened(connection).driver
    return driver
