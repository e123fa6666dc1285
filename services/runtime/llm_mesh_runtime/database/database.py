"""`Database`: what a service's store sees of its engine.

Rules for works: a work is a function of the connection alone, may run more than once (after a conflict, or when a neighbour
of its group broke the transaction), takes values out of its rows before it returns, and neither commits nor rolls back. An
exception that it raises undoes it and nothing else, and reaches the caller as it is; inside a work no driver exception is
caught and survived, because PostgreSQL then refuses the rest.
"""

import asyncio
import queue
import sqlite3
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, TypeVar

from sqlalchemy import URL, Connection, text
from sqlalchemy.exc import ArgumentError

from llm_mesh_runtime.database.deadlines import WorkDeadlines
from llm_mesh_runtime.database.engines import DatabaseEngine, store_of
from llm_mesh_runtime.database.faults import unavailable
from llm_mesh_runtime.database.gathering import Gathering
from llm_mesh_runtime.database.lanes import ReadLane, StoreLane, Works
from llm_mesh_runtime.database.work import Together, Work
from llm_mesh_runtime.database.writer import WriteLane
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import MeshSettings, SettingProblem, SettingsError
from llm_mesh_runtime.settings.naming import env_prefix

T = TypeVar("T")
I = TypeVar("I")  # noqa: E741 (an item)

Answer = Coroutine[Any, Any, T]
"""What a work returns, once it is awaited."""

_TIMEOUT = 10.0
_MOST_WAITING = 4096
_CLOSING_SECONDS = 15.0


class Database:
    """A store of one service. Nothing is opened before the first work."""

    def __init__(self, url: str, *, name: str, time_limit: float = _TIMEOUT) -> None:
        self.name = name
        self._store: DatabaseEngine = store_of(url, name)
        self._time_limit = time_limit
        self._writes: Works = queue.SimpleQueue()
        self._reads: Works = queue.SimpleQueue() if self._store.readers else self._writes
        self._lanes: list[StoreLane] = []
        self._deadlines: WorkDeadlines | None = None
        self._closed = False
        self._waiting = 0
        self._gathering: Gathering | None = None

    def write(self, work: Callable[[Connection], T], *, time_limit: float | None = None) -> Answer[T]:
        """Runs a work that may write; answers after the durable commit.

        Cancelling the caller takes a work back that has not begun; one that has begun is finished and committed.
        STORE_UNAVAILABLE within `time_limit` seconds where the store is full, gone or too slow.
        """
        return self._run(work, self._writes, time_limit)

    def write_together(self, together: Callable[[Connection, Sequence[I]], Sequence[T | BaseException]], item: I) -> Answer[T]:
        """Does an item with all others that wait for the same function: it is called once for what a group has of them.

        It answers for each item, in their order; an exception among the answers reaches its caller, and what was written stays.
        Where the function itself raises, nothing of its group stays, and its items are done again, one by one.
        """
        return self._run(None, self._writes, None, together=together, item=item)

    def read(self, work: Callable[[Connection], T], *, time_limit: float | None = None) -> Answer[T]:
        """Runs a work that only reads; all its statements see one committed state."""
        return self._run(work, self._reads, time_limit, reads=True)

    async def ready(self) -> None:
        """Raises STORE_UNAVAILABLE unless the store takes reads and write transactions."""
        await self.read(_ping)
        await self.write(_ping)

    async def scrub(self) -> None:
        """Empties the log that an engine keeps of earlier states, once rows were erased (`erasing`). STORE_UNAVAILABLE where it is in use.

        PostgreSQL overwrites what is deleted by itself, when it vacuums and recycles its log.
        """
        try:
            await asyncio.to_thread(self._store.scrub)
        except (OSError, sqlite3.Error) as error:
            raise unavailable(self.name, "cannot empty its log") from error

    async def close(self) -> None:
        """Finishes the works that wait, and closes all connections. Later works are refused."""
        if self._closed:
            return
        self._closed = True
        if self._gathering is not None:
            self._gathering.end()
        for lane in self._lanes:
            (self._reads if isinstance(lane, ReadLane) else self._writes).put(None)
        for lane in self._lanes:
            await asyncio.to_thread(lane.join, _CLOSING_SECONDS)
        self._lanes.clear()
        if self._deadlines is not None:
            self._deadlines.close()

    def now(self, connection: Connection) -> int:
        """The store's time in microseconds since 1970 UTC, so that instances with skewed clocks agree."""
        return self._store.now(connection)

    async def _run(
        self,
        function: Callable[[Connection], Any] | None,
        works: Works,
        time_limit: float | None,
        *,
        reads: bool = False,
        together: Together | None = None,
        item: object = None,
    ) -> Any:  # noqa: ANN401 (what the work returns)
        work = Work(function, asyncio.get_running_loop(), reads=reads, together=together, item=item)
        if self._closed:
            raise unavailable(self.name, "is closed")
        if not self._lanes:
            self._start()
        if self._waiting >= _MOST_WAITING:
            raise unavailable(self.name, "has too many works waiting")
        deadlines = self._deadlines_of(work.loop)
        expiry = None if time_limit is None else work.loop.call_later(time_limit, self._expire, work)
        if expiry is None:
            deadlines.add(work)
        self._waiting += 1
        if reads:
            works.put([work])
        else:
            self._gathering_of(work.loop).add(work)
        try:
            return await work.future
        finally:
            self._waiting -= 1
            if expiry is None:
                deadlines.remove(work)
            else:
                expiry.cancel()

    def _gathering_of(self, loop: asyncio.AbstractEventLoop) -> Gathering:
        if self._gathering is None or self._gathering.loop is not loop:
            self._gathering = Gathering(loop, self._writes.put)
        return self._gathering

    def _deadlines_of(self, loop: asyncio.AbstractEventLoop) -> WorkDeadlines:
        if self._deadlines is None or self._deadlines.loop is not loop:
            self._deadlines = WorkDeadlines(loop, self._time_limit, self._expire)
        return self._deadlines

    def _start(self) -> None:
        try:
            self._store.prepare()
        except OSError as error:
            raise unavailable(self.name, "cannot be made") from error
        writing, reading = self._store.writing(), self._store.reading()
        self._lanes += [WriteLane(f"{self.name}/write", self._store, writing, self._writes) for _ in range(self._store.writers)]
        self._lanes += [ReadLane(f"{self.name}/read", self._store, reading, self._reads) for _ in range(self._store.readers)]
        for lane in self._lanes:
            lane.start()

    def _expire(self, work: Work) -> None:
        if not work.future.done():
            work.future.set_exception(unavailable(self.name, "did not answer in time"))


def open_database(name: str, url: Secret | str, mesh: MeshSettings) -> Database:
    """The database of a service: at its URL, or a file in the data directory of an embedded mesh."""
    address = url.reveal() if isinstance(url, Secret) else url
    variable = f"{env_prefix(name)}DATABASE_URL"
    if not address:
        if not mesh.embedded:
            raise SettingsError([SettingProblem(variable, "is required where the service runs alone, such as postgresql://…")])
        address = URL.create("sqlite", database=str(mesh.data_dir.absolute() / f"{name.replace('/', '-')}.db")).render_as_string()
    try:
        return Database(address, name=name)
    except (ValueError, ArgumentError):  # whose text may hold the URL
        raise SettingsError([SettingProblem(variable, "expected a URL such as sqlite:////path/file.db or postgresql://…")]) from None


def _ping(connection: Connection) -> None:
    connection.execute(text("SELECT 1"))
