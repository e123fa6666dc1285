"""Idempotency keys: unique per project for 24 hours, each bound to the digest of the first request and to its reservation.

The key of a request that failed before any content, and was charged nothing, is free again: its caller is told to repeat it.
"""

from sqlalchemy import Connection, bindparam, delete, select

from llm_mesh_policy.domain.errors import invalid_credential
from llm_mesh_policy.ledger.domain import repetition
from llm_mesh_policy.ledger.domain.kept_answers import Place, key_reused
from llm_mesh_policy.ledger.domain.ports import Draft
from llm_mesh_policy.ledger.store import answer_rows
from llm_mesh_policy.ledger.store.group import Group
from llm_mesh_policy.ledger.store.tables import idempotency
from llm_mesh_runtime.database import PreparedStatement, upsert
from llm_mesh_runtime.errors import MeshError

KEPT = 24 * 3600 * 1_000_000
_KEY = ("domain", "project", "key")
_FIND = PreparedStatement(
    select(idempotency.c.digest, idempotency.c.reservation, idempotency.c.expire_time).where(
        *(idempotency.c[name] == bindparam(f"of_{name}") for name in _KEY)
    )
)


def refusal(group: Group, draft: Draft) -> MeshError | None:
    """Why the key does not let the request through: another request, one in progress, or one that has ended."""
    reservation, now = draft.reservation, group.now
    row = _FIND.first(group.connection, of_domain=reservation.domain, of_project=reservation.project, of_key=draft.idempotency_key)
    if row is None:
        return None
    digest, reservation_id, expire_time = row
    if expire_time <= now or reservation_id == reservation.id:
        return None
    if not group.counts(reservation.key):
        return invalid_credential()
    if bytes(digest) != draft.request_digest:
        return key_reused()
    return _refused_by(group, draft, reservation_id)


def _refused_by(group: Group, draft: Draft, reservation_id: str) -> MeshError | None:
    """What the first request's entry says to its repetition."""
    first = group.find(reservation_id)
    if first is None or repetition.is_free(first.entry):
        return None
    if repetition.in_progress(first.entry):
        return repetition.still_in_progress(first.entry)
    place = Place(draft.reservation.domain, draft.reservation.project, draft.idempotency_key)
    return repetition.completed(first.entry, kept=answer_rows.has(group.connection, place, reservation_id, group.now))


def keep(connection: Connection, draft: Draft, now: int) -> None:
    """Binds the key to the reservation. Another one can hold it only where `refusal` let this one pass."""
    reservation = draft.reservation
    row = {
        "domain": reservation.domain,
        "project": reservation.project,
        "key": draft.idempotency_key,
        "digest": draft.request_digest,
        "reservation": reservation.id,
        "expire_time": now + KEPT,
    }
    upsert(connection, idempotency, row, key=_KEY)


def forget(connection: Connection, now: int) -> int:
    """Removes keys that have expired."""
    return connection.execute(delete(idempotency).where(idempotency.c.expire_time <= now)).rowcount
