"""Idempotency keys: unique per project for 24 hours, each bound to the digest of the first request and to its reservation."""

from sqlalchemy import Connection, bindparam, delete, select

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.ledger.ports import Draft
from llm_mesh_policy.domain.ledger.reservation import HELD, RELEASED
from llm_mesh_policy.store.ledger_group import Group
from llm_mesh_policy.store.ledger_tables import idempotency
from llm_mesh_runtime.database import Prepared, upsert
from llm_mesh_runtime.errors import MeshError

KEPT = 24 * 3600 * 1_000_000
_KEY = ("domain", "project", "key")
_FIND = Prepared(
    select(idempotency.c.digest, idempotency.c.reservation, idempotency.c.expire_time).where(
        *(idempotency.c[name] == bindparam(f"of_{name}") for name in _KEY)
    )
)


def refusal(group: Group, draft: Draft) -> MeshError | None:
    """Why the key does not let the request through: another request, one in progress, or one that has ended."""
    wanted, now = draft.reservation, group.now
    row = _FIND.first(group.connection, of_domain=wanted.domain, of_project=wanted.project, of_key=draft.idempotency_key)
    if row is None:
        return None
    digest, reservation_id, expire_time = row
    if expire_time > now and bytes(digest) != draft.request_digest:
        return PolicyError(
            errors_pb2.ERROR_REASON_IDEMPOTENCY_KEY_REUSED,
            "the idempotency key was used with another request",
            field="options.idempotency_key",
        )
    if expire_time <= now or reservation_id == wanted.id:
        return None
    first = group.find(reservation_id)
    if first is None or first.entry.state == RELEASED:
        return None
    if first.entry.state == HELD:
        return PolicyError(errors_pb2.ERROR_REASON_IDEMPOTENCY_IN_PROGRESS, "the first request with this idempotency key is in progress")
    return PolicyError(
        errors_pb2.ERROR_REASON_IDEMPOTENCY_COMPLETED,
        "the first request with this idempotency key has ended",
        reservation=first.entry.name,
        charged_nanos=str(first.entry.charged.nanos),
    )


def keep(connection: Connection, draft: Draft, now: int) -> None:
    """Binds the key to the reservation. Another one can hold it only where `refusal` let this one pass."""
    wanted = draft.reservation
    row = {
        "domain": wanted.domain,
        "project": wanted.project,
        "key": draft.idempotency_key,
        "digest": draft.request_digest,
        "reservation": wanted.id,
        "expire_time": now + KEPT,
    }
    upsert(connection, idempotency, row, key=_KEY)


def forget(connection: Connection, now: int) -> int:
    """Removes keys that have expired."""
    return connection.execute(delete(idempotency).where(idempotency.c.expire_time <= now)).rowcount
