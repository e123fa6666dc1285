"""How a change of identity or rules is made: decided by the newest rules, written with its audit row, and seen at once.

The work of a change runs while no other change can, and gets the snapshot of exactly that revision. What it decides by the
snapshot's rules therefore still holds when it is committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_policy.domain.audit import AuditEntry
from llm_mesh_policy.domain.errors import PolicyError, action_denied
from llm_mesh_runtime.errors import store_unavailable

if TYPE_CHECKING:
    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.identity.live import Live
    from llm_mesh_policy.domain.identity.ports import Store, Transaction
    from llm_mesh_policy.domain.identity.snapshot import Snapshot

T = TypeVar("T")

_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Change:
    """What the work of a change sees: the transaction, the rules that it is decided by, and who asks."""

    transaction: Transaction
    snapshot: Snapshot
    actor: Actor

    def note(self, action: str, resource: str, detail: str = "") -> None:
        """Adds the audit row of what was done."""
        self.transaction.audit(_entry(self.actor, action, resource, allowed=True, detail=detail))

    def require(self, action: str, resource: str) -> None:
        """ACTION_DENIED unless the actor may do this too, which the access rule of the method did not ask."""
        if not self.actor.is_service and not self.snapshot.rules.allows(self.actor.principal, action, resource):
            raise action_denied(action, resource)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of a change, and the revision from which it holds."""

    value: T
    revision: int


class Changes:
    """Makes changes."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._live = live
        self._turn = asyncio.Lock()

    async def make(self, actor: Actor, work: Callable[[Change], T]) -> Done[T]:
        """Runs the work in one transaction. Refusals for escalation are recorded too.

        Changes of one process take turns; with other replicas they compete, and those that lose try again.
        """
        async with self._turn:
            for _ in range(_ATTEMPTS):
                done = await self._attempt(actor, work)
                if done is not None:
                    await self._live.at_least(done.revision)
                    return done
        raise store_unavailable("policy store")

    async def _attempt(self, actor: Actor, work: Callable[[Change], T]) -> Done[T] | None:
        """None where another change came between."""
        snapshot = await self._live.refresh()
        try:
            return await self._store.change(partial(_run, snapshot, actor, work))
        except _StaleError:
            return None
        except PolicyError as error:
            if error.reason == errors_pb2.ERROR_REASON_ESCALATION_DENIED:
                await self._store.change(partial(_refused, actor, error))
            raise


class _StaleError(Exception):
    """Another change was committed between reading the snapshot and beginning the transaction."""


def _refused(actor: Actor, error: PolicyError, transaction: Transaction) -> None:
    transaction.audit(_entry(actor, "rules.escalate", error.metadata.get("resource", ""), allowed=False, detail=error.message))


def _run(snapshot: Snapshot, actor: Actor, work: Callable[[Change], T], transaction: Transaction) -> Done[T]:
    if transaction.revision() != snapshot.revision:
        raise _StaleError
    value = work(Change(transaction, snapshot, actor))
    return Done(value, transaction.revision())


def _entry(actor: Actor, action: str, resource: str, *, allowed: bool, detail: str) -> AuditEntry:
    return AuditEntry(
        domain=_domain_of(resource) or actor.domain,
        action=action,
        resource=resource,
        allowed=allowed,
        principal=actor.principal,
        key=actor.key,
        detail=detail,
        request_id=actor.request_id,
        reason=actor.reason,
    )


def _domain_of(resource: str) -> str:
    parts = resource.split("/")
    return "/".join(parts[:2]) if parts[0] == "domains" and len(parts) > 1 else ""
