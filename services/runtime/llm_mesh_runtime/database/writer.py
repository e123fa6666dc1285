"""Group commit: the works that wait when a writer becomes free share one transaction and one durable commit.

A writer never waits for more: what comes while it writes is its next group, and what is about to come is waited for by the event loop
(`gathering`), which knows whether it has anything else to do.
"""

import time
from collections.abc import Iterator, Sequence
from itertools import groupby

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from llm_mesh_runtime.backoff import Backoff
from llm_mesh_runtime.database.engines import DatabaseEngine
from llm_mesh_runtime.database.faults import Trouble, answered, is_busy, trouble, unavailable
from llm_mesh_runtime.database.lanes import NotBegunError, StoreLane, Works
from llm_mesh_runtime.database.opened import Opened
from llm_mesh_runtime.database.transaction import DatabaseTransaction, undo
from llm_mesh_runtime.database.work import Work, done

_LARGEST_GROUP = 256
_CONFLICTS = 8
_FIRST_PAUSE = 0.004
_LONGEST_PAUSE = 0.5


class CommitUnknownError(Exception):
    """The connection broke while committing: what was written may or may not be there."""


class WriteLane(StoreLane):
    """Runs writes in groups. In memory it runs the reads too, between the groups, so that they see committed data only."""

    def __init__(self, name: str, store: DatabaseEngine, engine: Engine, works: Works) -> None:
        super().__init__(name, store, engine, works)
        self._backoff = Backoff(_FIRST_PAUSE, _LONGEST_PAUSE, jitter=1.0)

    def _gather(self) -> list[Work]:
        return self._take(_LARGEST_GROUP)

    def _perform(self, works: list[Work]) -> None:
        if self._store.readers:  # which then have lanes of their own
            self._write(works)
            return
        for reads, alike in groupby(works, key=lambda work: work.reads):
            batch = list(alike)
            if reads:
                self._read(batch)
            else:
                self._write(batch)

    def _write(self, works: list[Work]) -> None:
        """All together, or one by one where that is impossible. Nobody hears of anything before the commit."""
        for attempt in range(1, _CONFLICTS + 1):
            try:
                self._transact(works)
            except CommitUnknownError as error:
                fault = unavailable(self._store_name, "broke while committing; whether the change is there is not known")
                fault.__cause__ = error
                self._refuse(works, fault)
            except NotBegunError as error:
                self._refuse(works, error)
            except Exception as error:  # noqa: BLE001 (it is the callers')
                kind = trouble(error)
                if len(works) > 1 and kind is not Trouble.LOST:
                    break
                if self._again(kind, attempt):
                    continue
                self._refuse(works, error)
            return
        for work in works:
            if work.awaited():
                self._write([work])

    def _again(self, kind: Trouble, attempt: int) -> bool:
        """Whether to repeat what failed: after a conflict a few times; once on a new connection, the server may have restarted."""
        if kind is Trouble.LOST:
            self._drop()
            return attempt == 1
        if kind is not Trouble.CONFLICT or attempt == _CONFLICTS:
            return False
        if attempt == 1:
            self._backoff.reset()
        time.sleep(self._backoff.pause())
        return True

    def _transact(self, works: list[Work]) -> None:
        """One transaction. Several units have a savepoint before each, so that one that raises is undone without its neighbours."""
        connection, transaction = self._begun(works)
        with transaction:
            if _several(works):
                self._store.mark(connection)
                for unit in _units(works):
                    self._within(connection, unit)
            else:
                done(connection, works)
            self._commit(transaction)

    def _begun(self, works: list[Work]) -> tuple[Opened, DatabaseTransaction]:
        """A transaction. Another process that writes for long, such as one that migrates, is waited for as long as a caller waits."""
        while True:
            try:
                return self._begin()
            except NotBegunError as error:
                works[:] = [work for work in works if work.awaited()]
                if not works or not is_busy(error.__cause__):
                    raise

    def _within(self, connection: Opened, unit: list[Work]) -> None:
        """A unit behind the savepoint; where several works made it impossible for each other, each of them by itself."""
        try:
            done(connection, unit)
        except Exception as error:
            if trouble(error) is not Trouble.WORK:
                raise  # the engine may have ended the transaction: nothing in it can be kept
            self._store.rewind(connection)
            undo(connection)
            if len(unit) > 1:
                for work in unit:
                    self._within(connection, [work])
            else:
                unit[0].error = answered(self._store_name, error)
            return
        self._store.advance(connection)

    def _commit(self, transaction: DatabaseTransaction) -> None:
        try:
            transaction.commit()
        except DBAPIError as error:
            lost = trouble(error) is Trouble.LOST
            try:
                transaction.rollback()  # in SQLite it is still open
            except SQLAlchemyError:
                lost = True
            if lost:
                self._drop()
                raise CommitUnknownError from error
            raise


def _units(works: Sequence[Work]) -> Iterator[list[Work]]:
    """What is done at once: neighbours that are done together, and every other work by itself."""
    for together, alike in groupby(works, key=lambda work: work.together):
        if together is None:
            yield from ([work] for work in alike)
        else:
            yield list(alike)


def _several(works: Sequence[Work]) -> bool:
    """Whether the works are more than one unit."""
    first = works[0]
    return len(works) > 1 and (first.together is None or any(work.together != first.together for work in works))
