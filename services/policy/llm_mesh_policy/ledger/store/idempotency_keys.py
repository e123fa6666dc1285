"""Idempotency keys: unique per project for 24 hours, each bound to the digest of the first request and to its reservation.

The key of a request that failed before any content, and was charged nothing, is free again: its caller is told to repeat it.
"""

from sqlalchemy import Connection, bindparam, delete, select

from llm_mesh_policy.ledger.domain.kept_answers import Place
from llm_mesh_policy.ledger.domain.ports import ReservationDraft
from llm_mesh_policy.ledger.domain.view import KEY_HOLDS, FirstRequest
from llm_mesh_policy.ledger.store.tables import idempotency
from llm_mesh_runtime.database import PreparedStatement, upsert

_KEY = ("domain", "project", "key")
_FIND = PreparedStatement(
    select(idempotency.c.digest, idempotency.c.reservation, idempotency.c.expire_time).where(
        *(idempotency.c[name] == bindparam(f"of_{name}") for name in _KEY)
    )
)


def find(connection: Connection, place: Place) -> FirstRequest | None:
    """The request that a key is bound to, whether or not it has expired."""
    row = _FIND.first(connection, of_domain=place.domain, of_project=place.project, of_key=place.key)
    return None if row is None else FirstRequest(bytes(row[0]), row[1], row[2], has_answer=False)


def bind(connection: Connection, place: Place, draft: ReservationDraft, now: int) -> None:
    """Binds the key to the reservation. Another one can hold it only where it was decided that this one may pass."""
    row = {"digest": draft.request_digest, "reservation": draft.reservation.id, "expire_time": now + KEY_HOLDS}
    upsert(connection, idempotency, place._asdict() | row, key=_KEY)


def forget(connection: Connection, now: int) -> int:
    """Removes keys that have expired."""
    return connection.execute(delete(idempotency).where(idempotency.c.expire_time <= now)).rowcount
