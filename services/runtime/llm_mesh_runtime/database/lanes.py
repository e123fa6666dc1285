"""The threads that run works, each with one connection that is opened anew after it broke."""

import queue
import threading
from abc import ABC, abstractmethod
from collections.abc import Sequence

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from llm_mesh_runtime.database.engines import Store
from llm_mesh_runtime.database.faults import Trouble, answered, trouble, unavailable
from llm_mesh_runtime.database.transaction import Transaction
from llm_mesh_runtime.database.work import Outcome, Work, deliver, done

Works = queue.SimpleQueue[list[Work] | None]

_MOST_READS = 8


class NotBegunError(Exception):
    """No transaction could be begun: the store is gone, full or held by somebody else. The cause says which."""


class Lane(threading.Thread, ABC):
    """A thread with one connection."""

    only_reads = False

    def __init__(self, name: str, store: Store, engine: Engine, works: Works) -> None:
        super().__init__(name=name, daemon=True)
        self._store_name = name.partition("/")[0]
        self._store = store
        self._engine = engine
        self._works = works
        self._connection: Connection | None = None
        self._identity: object = None
        self._ended = False
        self._taken: list[Work] = []

    def run(self) -> None:
        """Works until the end marker comes."""
        while works := self._gather():
            wanted = [work for work in works if work.wanted()]
            try:
                deliver(self._perform(wanted))
            except BaseException as error:  # noqa: BLE001 (a thread that died would leave every later caller waiting)
                self._drop()
                deliver(self._refused(wanted, error))
        self._drop()

    @abstractmethod
    def _gather(self) -> list[Work]:
        """The next works, waiting for them; none at the end."""

    @abstractmethod
    def _perform(self, works: list[Work]) -> list[Outcome]:
        """Runs them."""

    def _take(self, most: int) -> list[Work]:
        """Waits for works, and takes those that wait behind them."""
        if not self._taken and not self._ended:
            self._add(self._works.get())
        return self._waiting(most)

    def _waiting(self, most: int) -> list[Work]:
        """The works that wait already."""
        while not self._ended and len(self._taken) < most:
            try:
                self._add(self._works.get_nowait())
            except queue.Empty:
                break
        works, self._taken = self._taken[:most], self._taken[most:]
        return works

    def _add(self, works: list[Work] | None) -> None:
        if works is None:
            self._ended = True
        else:
            self._taken += works

    def _begin(self) -> tuple[Connection, Transaction]:
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
                self._connection = self._engine.connect()
                self._identity = identity
            self._store.begin(self._connection, reads=self.only_reads)
            return self._connection, Transaction(self._connection)
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

    def _refused(self, works: Sequence[Work], error: BaseException) -> list[Outcome]:
        if isinstance(error, NotBegunError) and error.__cause__ is not None:
            error = error.__cause__
        return [Outcome(work, error=answered(self._store_name, error)) for work in works]

    def _read(self, works: list[Work]) -> list[Outcome]:
        """Works that see one committed state; once more where the connection had broken."""
        outcomes: list[Outcome] = []
        lost = False
        while len(outcomes) < len(works):
            rest = works[len(outcomes) :]
            try:
                outcomes += self._seen(rest)
            except Exception as error:  # noqa: BLE001 (it is the callers')
                if trouble(error) is not Trouble.LOST or lost:
                    return outcomes + self._refused(rest, error)
                lost = True
                self._drop()
        return outcomes

    def _seen(self, works: list[Work]) -> list[Outcome]:
        """Runs works in one transaction, up to the first that raises: PostgreSQL refuses what follows in it."""
        outcomes: list[Outcome] = []
        connection, transaction = self._begin()
        with transaction, self._store.reading_only(connection):
            for work in works:
                try:
                    outcomes += done(connection, [work])
                except Exception as error:
                    if trouble(error) is Trouble.LOST:
                        raise
                    outcomes.append(Outcome(work, error=answered(self._store_name, error)))
                    break
            transaction.rollback()
        return outcomes


class ReadLane(Lane):
    """Runs reads, a few at a time where many wait."""

    only_reads = True

    def _gather(self) -> list[Work]:
        return self._take(_MOST_READS)

    def _perform(self, works: list[Work]) -> list[Outcome]:
        return self._read(works)
