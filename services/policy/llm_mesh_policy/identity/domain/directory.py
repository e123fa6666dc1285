"""Domains, projects and principals: created, shown, listed, changed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from google.protobuf.message import Message

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.domain import checks
from llm_mesh_policy.domain.kinds import DOMAINS, PRINCIPALS, PROJECTS, ResourceKind
from llm_mesh_policy.rules.ports import floor_in, save_domain, save_principal, save_project, with_floor
from llm_mesh_runtime.errors import already_exists, etag_mismatch
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import masked_update

if TYPE_CHECKING:
    from google.protobuf.field_mask_pb2 import FieldMask

    from llm_mesh_policy.domain.actor import Actor
    from llm_mesh_policy.domain.resources import ResourceStore, StoredResource, Transaction
    from llm_mesh_policy.rules.ports import Change, Changes, Live, Snapshot
    from llm_mesh_runtime.resources import Page

M = TypeVar("M", bound=Message)


class Directory:
    """Who and what there is."""

    def __init__(self, store: ResourceStore, changes: Changes, live: Live) -> None:
        self._store = store
        self._changes = changes
        self._live = live

    async def create_domain(self, actor: Actor, identity: str, domain: identity_pb2.Domain) -> identity_pb2.Domain:
        return await self._create(actor, DOMAINS, "", identity, domain)

    async def create_project(self, actor: Actor, parent: str, identity: str, project: identity_pb2.Project) -> identity_pb2.Project:
        """A new project of a domain."""
        return await self._create(actor, PROJECTS, parent, identity, project)

    async def create_principal(self, actor: Actor, parent: str, identity: str, principal: identity_pb2.Principal) -> identity_pb2.Principal:
        """A new principal of a domain."""
        return await self._create(actor, PRINCIPALS, parent, identity, principal)

    async def domain(self, name: str) -> identity_pb2.Domain:

        def reading(transaction: Transaction) -> identity_pb2.Domain:
            return with_floor(DOMAINS.get(transaction, name), floor_in(transaction, name))

        return await self._store.read(reading)

    async def project(self, name: str) -> identity_pb2.Project:
        return await self._store.read(lambda transaction: PROJECTS.get(transaction, name))

    async def update_domain(self, actor: Actor, changed: identity_pb2.Domain, mask: FieldMask) -> identity_pb2.Domain:
        """Changes fields of a domain."""
        return await self._update(actor, DOMAINS, changed, mask)

    async def update_project(self, actor: Actor, changed: identity_pb2.Project, mask: FieldMask) -> identity_pb2.Project:
        """Changes fields of a project."""
        return await self._update(actor, PROJECTS, changed, mask)

    async def update_principal(self, actor: Actor, changed: identity_pb2.Principal, mask: FieldMask) -> identity_pb2.Principal:
        """Changes fields of a principal. Who may do more than the actor is not theirs to disable or to let in again."""
        return await self._update(actor, PRINCIPALS, changed, mask)

    async def domains(self, actor: Actor, page: Page) -> tuple[Sequence[identity_pb2.Domain], str]:
        """The domains that the actor may get, by name."""
        snapshot = await self._live.refresh()
        shown: list[identity_pb2.Domain] = []
        after = page.after
        while len(shown) < page.limit:
            rows = await self._store.read(partial(_domains_after, after, page.limit))
            shown += await asyncio.to_thread(_visible, rows, actor, snapshot)
            if len(rows) < page.limit:
                break
            after = rows[-1].id
        return page.cut(shown[: page.limit], lambda domain: domain.name.rpartition("/")[2])

    async def projects(self, parent: str, page: Page) -> tuple[Sequence[identity_pb2.Project], str]:
        """The projects of a domain, by name."""
        return await self._page(PROJECTS, parent, page)

    async def principals(self, parent: str, page: Page) -> tuple[Sequence[identity_pb2.Principal], str]:
        """The principals of a domain, by name."""
        return await self._page(PRINCIPALS, parent, page)

    async def _create(self, actor: Actor, kind: ResourceKind[M], parent: str, identity: str, resource: M) -> M:
        checks.new_id(identity, f"{kind.noun}_id")
        if parent or kind.collection != "domains":
            DOMAINS.place(parent, "parent")
        name = f"{parent}/{kind.collection}/{identity}".lstrip("/")

        def work(change: Change) -> M:
            if parent:
                DOMAINS.get(change.transaction, parent, "parent")
            if kind.find(change.transaction, name):
                raise already_exists(name)
            created = _save(change, kind, _named(resource, name))
            change.note(f"{kind.collection}.create", name, after=kind.get(change.transaction, name))
            return created

        return (await self._changes.make(actor, work)).value

    async def _update(self, actor: Actor, kind: ResourceKind[M], changed: M, mask: FieldMask) -> M:
        fields: Any = changed
        name: str = fields.name
        kind.place(name, f"{kind.noun}.name")

        def work(change: Change) -> M:
            current: Any = kind.get(change.transaction, name)
            if fields.etag and fields.etag != current.etag:
                raise etag_mismatch(name)
            updated: M = masked_update(current, changed, mask, mutable=kind.mutable)
            if updated == current:
                return _shown(change, updated)
            saved = _save(change, kind, updated)
            detail = _changed(current, updated, kind.mutable)
            change.note(f"{kind.collection}.update", name, detail, before=current, after=kind.get(change.transaction, name))
            return saved

        return (await self._changes.make(actor, work)).value

    async def _page(self, kind: ResourceKind[M], parent: str, page: Page) -> tuple[Sequence[M], str]:
        domain, _ = DOMAINS.place(parent, "parent")
        rows = await self._store.read(lambda transaction: transaction.page(kind.collection, domain, page.after, page.limit))
        shown, token = page.cut(rows, lambda row: row.id)
        return [kind.unpack(row) for row in shown], token


def _save(change: Change, kind: ResourceKind[M], resource: M) -> M:
    """Saves by the rules of the kind."""
    saved: Any
    if isinstance(resource, identity_pb2.Domain):
        saved = _shown(change, save_domain(change, resource))
    elif isinstance(resource, identity_pb2.Project):
        saved = save_project(change, resource)
    elif isinstance(resource, identity_pb2.Principal):
        saved = save_principal(change, resource)
    else:
        raise TypeError(kind.noun)
    done: M = saved
    return done


def _shown(change: Change, saved: M) -> M:
    """As the contract shows it: a domain with its floor."""
    shown: Any = with_floor(saved, floor_in(change.transaction, saved.name)) if isinstance(saved, identity_pb2.Domain) else saved
    done: M = shown
    return done


def _visible(rows: Sequence[StoredResource], actor: Actor, snapshot: Snapshot) -> list[identity_pb2.Domain]:
    """In a thread: a page may have a thousand domains, each with a decision of its own."""
    pace, shown = Pace(), []
    for domain in map(DOMAINS.unpack, rows):
        pace.step()
        if actor.is_service or snapshot.rules.allows(actor.principal, "domains.get", domain.name):
            shown.append(with_floor(domain, snapshot.floor_of(domain.name)))
    return shown


def _domains_after(after: str, limit: int, transaction: Transaction) -> list[StoredResource]:
    return transaction.page(DOMAINS.collection, "", after, limit)


def _named(resource: M, name: str) -> M:
    named: Any = type(resource)()
    named.CopyFrom(resource)
    named.name = name
    done: M = named
    return done


def _changed(before: Message, after: Message, fields: frozenset[str]) -> str:
    return "changed " + ", ".join(sorted(field for field in fields if getattr(before, field) != getattr(after, field)))
