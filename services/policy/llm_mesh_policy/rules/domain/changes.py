"""How a change of identity or rules is made: decided by the newest rules, written with its audit row, and seen at once.

The work of a change runs while no other change can, and gets the snapshot of exactly that revision. What it decides by the
snapshot's rules therefore still holds when it is committed. Works of many changes are decided on paper first (`draft`), so that the
store is only held while they are written.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from llm_mesh.policy.v1 import errors_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.errors import PolicyError, action_denied
from llm_mesh_policy.rules.domain.draft import Draft
from llm_mesh_runtime.errors import store_unavailable
from llm_mesh_runtime.resources import digest_of
from llm_mesh_runtime.turns import Turns

if TYPE_CHECKING:
    from google.protobuf.message import Message

    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.resources import ResourceStore, Transaction
    from llm_mesh_policy.rules.domain.live import Live
    from llm_mesh_policy.rules.domain.snapshot import Snapshot
    from llm_mesh_runtime.resources import Quotas

T = TypeVar("T")

_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class Change:
    """What the work of a change sees: the transaction, the rules that it is decided by, and who asks."""

    transaction: Transaction
    snapshot: Snapshot
    actor: Actor
    quotas: Quotas
    bound: Counter[str] = field(default_factory=Counter)
    """How many bindings this change gives, by principal."""

    def note(self, action: str, resource: str, detail: str = "", *, before: Message | None = None, after: Message | None = None) -> None:
        """Adds the audit row of what was done. `before` and `after` are the resource; None: it does not exist."""
        entry = _entry(self.actor, action, resource, allowed=True, detail=detail)
        entry.before, entry.after = digest_of(before), digest_of(after)
        self.transaction.audit(entry)

    def require(self, action: str, resource: str) -> None:
        """ACTION_DENIED unless the actor may do this too, which the access rule of the method did not ask."""
        if not self.actor.is_service and not self.snapshot.rules.allows(self.actor.principal, action, resource):
            raise action_denied(action, resource)


@dataclass(frozen=True, slots=True)
class Done(Generic[T]):
    """What came of a change, and the revision from which it holds."""

    value: T
    revision: int


Attempt = Callable[["Snapshot"], Coroutine[Any, Any, Done[T]]]


class Changes:
    """Makes changes."""

    def __init__(self, store: ResourceStore, live: Live, quotas: Quotas) -> None:
        self._store = store
        self._live = live
        self._quotas = quotas
        self._turns = Turns()

    async def make(self, actor: Actor, work: Callable[[Change], T]) -> Done[T]:
        """Runs the work in one transaction. Refusals for escalation are recorded too.

        Changes of one process take turns, domain by domain; with other replicas they compete, and those that lose try again.
        """
        return await self._made(actor, lambda snapshot: self._store.change(partial(_run, snapshot, actor, self._quotas, work)))

    async def make_many(self, actor: Actor, work: Callable[[Change], T], finish: Callable[[Change, T], T]) -> Done[T]:
        """The same for a work of many changes: it runs in a thread, against a draft in memory; its result is written in one transaction.

        `finish` does within that transaction what cannot be decided by the snapshot, and answers with what came of both.
        """

        async def attempt(snapshot: Snapshot) -> Done[T]:
            draft = Draft(snapshot, self._live.now())
            # A work reads and saves resources, and no more: a draft offers that.
            change = Change(cast("Transaction", draft), snapshot, actor, self._quotas)
            value = await asyncio.to_thread(work, change)
            return await self._store.change(partial(_written, draft, change, lambda made: finish(made, value)))

        return await self._made(actor, attempt)

    async def _made(self, actor: Actor, attempt: Attempt[T]) -> Done[T]:
        async with self._turns.of(actor.domain):
            for _ in range(_ATTEMPTS):
                snapshot = await self._live.refresh()
                try:
                    done = await attempt(snapshot)
                except _StaleError:
                    continue
                except PolicyError as error:
                    if error.reason == errors_pb2.ERROR_REASON_ESCALATION_DENIED:
                        await self._store.change(partial(_refused, actor, error))
                    raise
                await self._live.at_least(done.revision)
                return done
        raise store_unavailable("policy store")


class _StaleError(Exception):
    """Another change was committed between reading the snapshot and beginning the transaction."""


def _refused(actor: Actor, error: PolicyError, transaction: Transaction) -> None:
    transaction.audit(_entry(actor, "rules.escalate", error.metadata.get("resource", ""), allowed=False, detail=error.message))


def _run(snapshot: Snapshot, actor: Actor, quotas: Quotas, work: Callable[[Change], T], transaction: Transaction) -> Done[T]:
    if transaction.revision() != snapshot.revision:
        raise _StaleError
    value = work(Change(transaction, snapshot, actor, quotas))
    return Done(value, transaction.revision())


def _written(draft: Draft, change: Change, finish: Callable[[Change], T], transaction: Transaction) -> Done[T]:
    if transaction.revision() != change.snapshot.revision:
        raise _StaleError
    draft.write(transaction)
    value = finish(replace(change, transaction=transaction))
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
