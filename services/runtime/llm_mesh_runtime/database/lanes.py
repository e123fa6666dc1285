"""The threads that run works, each with one connection that is opened anew after it broke."""

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from llm_mesh_runtime.database.engines import DatabaseEngine
from llm_mesh_runtime.database.faults import Trouble, answered, trouble, unavailable
from llm_mesh_runtime.database.opened import Opened
from llm_mesh_runtime.database.transaction import DatabaseTransaction
from llm_mesh_runtime.database.work import Work, deliver, done

Works = queue.SimpleQueue[list[Work] | None]

_MOST_READS = 8


class NotBegunError(Exception):
    """No transaction could be begun: the store is gone, full or held by somebody else. The cause says which."""


class StoreLane(threading.Thread, ABC):
    """A thread with one connection."""

    only_reads = False

    def __init__(self, name: str, store: DatabaseEngine, engine: Engine, works: Works) -> None:
        super().__init__(name=name, daemon=True)
        self._store_name = name.partition("/")[0]
        self._store = store
        self._engine = engine
        self._works = works
        self._connection: Opened | None = None
        self._identity: object = None
        self._ended = False
        self._taken: list[Work] = []

    def run(self) -> None:
        """Works until the end marker comes."""
        while works := self._gather():
            awaited = [work for work in works if work.awaited()]
            if not awaited:
                continue
            try:
                self._perform(awaited)
            except BaseException as error:  # noqa: BLE001 (a thread that died would leave every later caller waiting)
                self._drop()
                self._refuse(awaited, error)
            deliver(awaited)
        self._drop()

    @abstractmethod
    def _gather(self) -> list[Work]:
        """The next works, waiting for them; none at the end."""

    @abstractmethod
    def _perform(self, works: list[Work]) -> None:
        """Runs them, so that each has a value or an error."""

    def _take(self, most: int) -> list[Work]:
        """Waits for works, and takes those that wait behind them."""
        if not self._taken and not self._ended:
            self._add(self._works.get())
        while not self._ended and len(self._taken) < most and not self._works.empty():
            try:
                self._add(self._works.get_nowait())
            except queue.Empty:  # another lane was faster
                break
        works, self._taken = self._taken, []
        if len(works) > most:
            works, self._taken = works[:most], works[most:]
        return works

    def _add(self, works: list[Work] | None) -> None:
        if works is None:
            self._ended = True
        else:
            self._taken += works

    def _begin(self) -> tuple[Opened, DatabaseTransaction]:
        """A transaction on the connection, which is opened anew where it broke or leads to a file that was taken away."""
        try:
            identity = self._store.identity()
        except OSError as error:
            self._drop()
            raise NotBegunError from unavailable(self._store_name, f"is not where it was: {error.strerror}")
        if identity != self._identity:
            self._drop()
        try:
            if self._connection is None:
                self._connection = Opened(self._engine)
                self._identity = identity
            self._store.begin(self._connection, reads=self.only_reads)
            return self._connection, DatabaseTransaction(self._connection)
        except Exception as error:
            if (kind := trouble(error)) is Trouble.LOST:
                raise
            if kind is not Trouble.STORE:
                self._drop()
            raise NotBegunError from error

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except (SQLAlchemyError, connection.dialect.loaded_dbapi.Error):
            connection.invalidate()

    def _refuse(self, works: Sequence[Work], error: BaseException) -> None:
        if isinstance(error, NotBegunError) and error.__cause__ is not None:
            error = error.__cause__
        for work in works:
            work.error = answered(self._store_name, error)

    def _read(self, works: list[Work]) -> None:
        """Works that see one committed state; once more where the connection had broken."""
        rest, lost = works, False
        while rest:
            try:
                rest = rest[self._seen(rest) :]
            except Exception as error:  # noqa: BLE001 (it is the callers')
                if trouble(error) is not Trouble.LOST or lost:
                    self._refuse(rest, error)
                    return
                lost = True
                self._drop()

    def _seen(self, works: list[Work]) -> int:
        """Runs works in one transaction, up to the first that raises: PostgreSQL refuses what follows in it. Answers how many it ran."""
        count = 0
        connection, transaction = self._begin()
        with transaction, self._store.reading_only(connection):
            for work in works:
                count += 1
                try:
                    done(connection, [work])
                except Exception as error:
                    if trouble(error) is Trouble.LOST:
                        raise
                    work.error = answered(self._store_name, error)
                    break
            transaction.rollback()
        return count


class ReadLane(StoreLane):
    """Runs reads, a few at a time where many wait."""

    only_reads = True

    def _gather(self) -> list[Work]:
        return self._take(_MOST_READS)

    def _perform(self, works: list[Work]) -> None:
        self._read(works)
