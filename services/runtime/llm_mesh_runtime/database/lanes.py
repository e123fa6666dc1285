"""The threads that run works: readers one work at a time, writers in groups that share one durable commit.

A group is what waits when a writer becomes free. Below `_CROWD` it starts at once, so that a lone write pays no delay;
above, it waits up to a millisecond for more, since one fsync costs as much as a dozen works.
"""

import queue
import threading
import time
from abc import ABC, abstractmethod
from itertools import groupby
from random import Random

from sqlalchemy import Connection, Engine, RootTransaction
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from llm_mesh_runtime.database.engines import Store
from llm_mesh_runtime.database.faults import Trouble, answered, trouble, unavailable
from llm_mesh_runtime.database.work import Outcome, Work, deliver

Works = queue.SimpleQueue[Work | None]

_CROWD = 16
_WINDOW = 0.001
_LARGEST_GROUP = 256
_CONFLICTS = 8


class Lane(threading.Thread, ABC):
    """A thread with one connection, which is opened when first needed and again after it broke."""

    def __init__(self, name: str, store: Store, engine: Engine, works: Works) -> None:
        super().__init__(name=name, daemon=True)
        self._store_name = name.partition("/")[0]
        self._store = store
        self._engine = engine
        self._works = works
        self._connection: Connection | None = None
        self._identity: object = None

    def run(self) -> None:
        """Works until the end marker comes."""
        while (works := self._gather()) is not None:
            wanted = [work for work in works if work.wanted()]
            try:
                deliver(self._perform(wanted))
            except BaseException as error:  # noqa: BLE001 (a thread that died would leave every later caller waiting)
                self._drop()
                deliver(Outcome(work, error=answered(self._store_name, error)) for work in wanted)
        self._drop()

    @abstractmethod
    def _gather(self) -> list[Work] | None:
        """The next works, or None at the end."""

    @abstractmethod
    def _perform(self, works: list[Work]) -> list[Outcome]:
        """Runs them."""

    def _connected(self) -> Connection:
        """The connection, opened anew where the old one broke or leads to a file that is no longer there."""
        try:
            identity = self._store.identity()
        except OSError as error:
            self._drop()
            raise unavailable(self._store_name, "is not where it was") from error
        if identity != self._identity:
            self._drop()
        if self._connection is None:
            self._connection = self._engine.connect()
            self._identity = identity
        return self._connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is None:
            return
        try:
            connection.close()
        except DBAPIError:
            connection.invalidate()

    def _read(self, work: Work) -> Outcome:
        """One work in a transaction of its own that is rolled back at the end; once more where the connection had broken."""
        for last in (False, True):
            try:
                connection = self._connected()
                with connection.begin() as transaction:
                    with self._store.reading_only(connection):
                        value = work.function(connection)
                    transaction.rollback()
                return Outcome(work, value)
            except Exception as error:  # noqa: BLE001 (it is the caller's)
                if trouble(error) is Trouble.LOST:
                    self._drop()
                    if not last:
                        continue
                return Outcome(work, error=answered(self._store_name, error))
        raise AssertionError("unreachable")


class _CommitUnknownError(Exception):
    """The connection broke while committing: what was written may or may not be there."""


class ReadLane(Lane):
    """Runs reads, one at a time."""

    def _gather(self) -> list[Work] | None:
        work = self._works.get()
        return None if work is None else [work]

    def _perform(self, works: list[Work]) -> list[Outcome]:
        return [self._read(work) for work in works]


class WriteLane(Lane):
    """Runs writes in groups. In memory it runs the reads too, between the groups, so that they see committed data only."""

    def __init__(self, name: str, store: Store, engine: Engine, works: Works) -> None:
        super().__init__(name, store, engine, works)
        self._random = Random()  # noqa: S311 (spreads repetitions of conflicts)
        self._ended = False

    def _gather(self) -> list[Work] | None:
        if self._ended:
            return None
        works: list[Work] = []
        until = 0.0
        while len(works) < _LARGEST_GROUP:
            try:
                work = self._works.get(block=not works or until > 0, timeout=max(0.0, until - time.monotonic()) if until else None)
            except queue.Empty:
                if until or len(works) < _CROWD:
                    break
                until = time.monotonic() + _WINDOW
                continue
            if work is None:
                self._ended = True
                break
            works.append(work)
        return works or None

    def _perform(self, works: list[Work]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for reads, alike in groupby(works, key=lambda work: work.reads):
            batch = list(alike)
            outcomes += [self._read(work) for work in batch] if reads else self._write(batch)
        return outcomes

    def _write(self, works: list[Work]) -> list[Outcome]:
        """All together, or one by one where that is impossible. Nobody hears of anything before the commit."""
        if len(works) > 1:
            try:
                return self._together(works)
            except _CommitUnknownError as unknown:
                return [Outcome(work, error=self._unknown(unknown)) for work in works]
            except DBAPIError as error:
                if trouble(error) is Trouble.LOST:
                    self._drop()
        return [self._alone(work) for work in works]

    def _together(self, works: list[Work]) -> list[Outcome]:
        """One transaction, each work behind a savepoint, so that one that raises is undone without its neighbours."""
        connection = self._connected()
        outcomes: list[Outcome] = []
        with connection.begin() as transaction:
            for work in works:
                self._store.mark(connection)
                try:
                    value = work.function(connection)
                except Exception as error:
                    if trouble(error) is not Trouble.WORK:
                        raise  # the engine may have ended the transaction: nothing in it can be kept
                    self._store.rewind(connection)
                    outcomes.append(Outcome(work, error=answered(self._store_name, error)))
                else:
                    self._store.keep(connection)
                    outcomes.append(Outcome(work, value))
            self._commit(connection, transaction)
        return outcomes

    def _alone(self, work: Work) -> Outcome:
        """One work in one transaction; repeated after a conflict, and once where the connection had broken before the commit."""
        for attempt in range(_CONFLICTS):
            try:
                connection = self._connected()
                with connection.begin() as transaction:
                    value = work.function(connection)
                    self._commit(connection, transaction)
                return Outcome(work, value)
            except _CommitUnknownError as unknown:
                return Outcome(work, error=self._unknown(unknown))
            except Exception as error:  # noqa: BLE001 (it is the caller's)
                kind = trouble(error)
                if kind is Trouble.LOST:
                    self._drop()
                if attempt == _CONFLICTS - 1 or not (kind is Trouble.CONFLICT or (kind is Trouble.LOST and attempt == 0)):
                    return Outcome(work, error=answered(self._store_name, error))
                if kind is Trouble.CONFLICT:
                    time.sleep(self._random.uniform(0, 0.002 * 2**attempt))
        raise AssertionError("unreachable")

    def _commit(self, connection: Connection, transaction: RootTransaction) -> None:
        try:
            transaction.commit()
        except DBAPIError as error:
            lost = trouble(error) is Trouble.LOST
            try:
                connection.connection.rollback()  # SQLAlchemy holds the transaction for ended; in SQLite it is still open
                transaction.close()
            except (SQLAlchemyError, connection.dialect.loaded_dbapi.Error):
                lost = True
            if lost:
                self._drop()
                raise _CommitUnknownError from error
            raise

    def _unknown(self, unknown: _CommitUnknownError) -> BaseException:
        fault = unavailable(self._store_name, "broke while committing; whether the change is there is not known")
        fault.__cause__ = unknown
        return fault
