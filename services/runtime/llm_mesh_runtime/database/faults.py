"""What a driver's exception means: a defect or refusal of the work, a conflict to repeat, or a store in trouble."""

import sqlite3
from enum import Enum, auto

from sqlalchemy.exc import DBAPIError, IntegrityError

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError, RuntimeFault

_RETRY_AFTER = 1.0
# Primary result codes of https://www.sqlite.org/rescode.html; an extended code has its primary one in the low byte.
_SQLITE_STORE = frozenset({3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 22, 26})
_SQLITE_BUSY = 5
_SQLITE_REOPEN = frozenset({10, 11, 14, 26})
# Classes and codes of https://www.postgresql.org/docs/current/errcodes-appendix.html.
_POSTGRES_STORE = ("08", "53", "57", "58", "XX", "25006", "28", "3D000")
_POSTGRES_CONFLICT = frozenset({"40001", "40P01", "55P03"})


class Trouble(Enum):
    """Whose trouble an exception is."""

    WORK = auto()
    CONFLICT = auto()
    STORE = auto()
    LOST = auto()


def trouble(error: BaseException) -> Trouble:
    """WORK: the work's own. CONFLICT: to repeat as it was. STORE: full, locked, read-only. LOST: the connection is of no more use."""
    if isinstance(error, sqlite3.Error):  # of a statement that went past SQLAlchemy
        return _of_sqlite(error)
    if not isinstance(error, DBAPIError) or isinstance(error, IntegrityError):
        return Trouble.WORK
    if error.connection_invalidated:
        return Trouble.LOST
    return _of_sqlite(error.orig) if isinstance(error.orig, sqlite3.Error) else _of_postgres(getattr(error.orig, "sqlstate", ""))


def is_busy(error: BaseException | None) -> bool:
    """Whether another process holds SQLite's lock: to repeat later."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(cause, sqlite3.Error) and _primary(cause) == _SQLITE_BUSY


def _of_postgres(state: str | None) -> Trouble:
    if state is None:  # no answer from a server at all
        return Trouble.LOST
    if state in _POSTGRES_CONFLICT:
        return Trouble.CONFLICT
    return Trouble.STORE if state.startswith(_POSTGRES_STORE) else Trouble.WORK


def _of_sqlite(error: sqlite3.Error) -> Trouble:
    primary = _primary(error)
    return Trouble.LOST if primary in _SQLITE_REOPEN else Trouble.STORE if primary in _SQLITE_STORE else Trouble.WORK


def _primary(error: sqlite3.Error) -> int:
    return (getattr(error, "sqlite_errorcode", None) or 0) & 0xFF


def unavailable(store: str, why: str) -> MeshError:
    """STORE_UNAVAILABLE, in words that hold nothing of a statement or a URL."""
    return RuntimeFault(errors_pb2.ERROR_REASON_STORE_UNAVAILABLE, f"the store of {store} {why}", retry_after=_RETRY_AFTER, store=store)


def answered(store: str, error: BaseException) -> BaseException:
    """The exception that the waiting caller gets for one that a work or the driver raised."""
    if trouble(error) is Trouble.WORK:
        # A future refuses StopIteration, and its caller would wait for ever.
        return RuntimeError("a work raised StopIteration") if isinstance(error, StopIteration) else error
    fault = unavailable(store, "does not answer")
    fault.__cause__ = error
    return fault
