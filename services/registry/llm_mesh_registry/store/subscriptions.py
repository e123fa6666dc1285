"""Subscriptions in SQLite or PostgreSQL, with what was accepted by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from google.protobuf.field_mask_pb2 import FieldMask
from sqlalchemy import Connection, delete, func, insert, select, update

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_registry.domain.terms import version_of
from llm_mesh_registry.store.accepting import accept, accept_new, acceptance, offered, release
from llm_mesh_registry.store.rows import begin_change, check_alias
from llm_mesh_registry.store.subscription_rows import find, shown, shown_all
from llm_mesh_registry.store.tables import SUBSCRIPTIONS
from llm_mesh_runtime.database import Database, from_micros
from llm_mesh_runtime.errors import MeshError, already_exists, etag_mismatch, invalid, not_found, quota_exceeded
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.resources import Page, applied, domain_of, etag_of

_APPLIED = ("publisher", "product", "alias", "accepted_version")


class _SubscriptionDryRunError(Exception):
    """Carries what an apply would change out of the transaction, which therefore keeps nothing."""

    def __init__(self, changes: Sequence[resources_pb2.Change]) -> None:
        super().__init__()
        self.changes = changes


class SqlSubscriptions:
    """The store of subscriptions. `most` is how many a domain may have."""

    def __init__(self, database: Database, outbox: Outbox, most: int) -> None:
        self._database = database
        self._outbox = outbox
        self._most = most

    async def create(self, subscription: registry_pb2.Subscription) -> registry_pb2.Subscription:
        def work(connection: Connection, notes: Notes) -> registry_pb2.Subscription:
            now = self._begin_change(connection)
            self._create(connection, notes, subscription, now, "subscription")
            return shown(connection, subscription.name, now)

        return await self._outbox.write(work, action="subscriptions.create")

    async def get(self, name: str) -> registry_pb2.Subscription:
        return await self._database.read(lambda connection: shown(connection, name, self._database.now(connection)))

    async def page(self, domain: str, page: Page) -> Sequence[registry_pb2.Subscription]:
        statement = select(SUBSCRIPTIONS.c.body).where(SUBSCRIPTIONS.c.name > page.after).order_by(SUBSCRIPTIONS.c.name).limit(page.limit)
        if domain:
            statement = statement.where(SUBSCRIPTIONS.c.domain == domain)

        def work(connection: Connection) -> Sequence[registry_pb2.Subscription]:
            subscriptions = [registry_pb2.Subscription.FromString(body) for body in connection.scalars(statement)]
            return shown_all(connection, subscriptions, self._database.now(connection))

        return await self._database.read(work)

    async def update(
        self, name: str, etag: str, alias: str | None, accept: Sequence[registry_pb2.ProductVersion]
    ) -> registry_pb2.Subscription:
        def work(connection: Connection, notes: Notes) -> registry_pb2.Subscription:
            now = self._begin_change(connection)
            present = find(connection, name)
            if present is None:
                raise not_found(name)
            if etag != present.etag:
                raise etag_mismatch(name)
            self._change(connection, notes, present, alias, accept, now, "subscription")
            return shown(connection, name, now)

        return await self._outbox.write(work, action="subscriptions.update")

    async def delete(self, name: str, etag: str) -> None:
        def work(connection: Connection, notes: Notes) -> None:
            self._begin_change(connection)
            present = find(connection, name)
            if present is None:
                raise not_found(name)
            if etag and etag != present.etag:
                raise etag_mismatch(name)
            release(connection, present)
            connection.execute(delete(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.name == name))
            notes.note(name, present, None)

        await self._outbox.write(work, action="subscriptions.delete")

    async def apply(
        self, desired: Sequence[registry_pb2.Subscription], masks: Mapping[str, FieldMask], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        def work(connection: Connection, notes: Notes) -> list[resources_pb2.Change]:
            now = self._begin_change(connection)
            changes = [self._apply(connection, notes, one, masks, now, f"subscriptions[{index}]") for index, one in enumerate(desired)]
            if dry_run:
                raise _SubscriptionDryRunError(changes)
            return changes

        try:
            return await self._outbox.write(work, action="subscriptions.apply")
        except _SubscriptionDryRunError as done:
            return done.changes

    def _begin_change(self, connection: Connection) -> int:
        begin_change(connection)
        return self._database.now(connection)

    def _create(self, connection: Connection, notes: Notes, desired: registry_pb2.Subscription, now: int, field: str) -> None:
        domain = domain_of(desired.name)
        if find(connection, desired.name) is not None:
            raise already_exists(desired.name)
        same = (SUBSCRIPTIONS.c.publisher == desired.publisher, SUBSCRIPTIONS.c.product == desired.product)
        if (other := connection.scalar(select(SUBSCRIPTIONS.c.name).where(SUBSCRIPTIONS.c.domain == domain, *same))) is not None:
            source = "publisher" if desired.publisher else "product"
            message = f"{other} subscribes to {desired.publisher or desired.product} already"
            reason = errors_pb2.ERROR_REASON_ALREADY_SUBSCRIBED
            raise RegistryError(reason, message, field=f"{field}.{source}", subscription=other)
        if (connection.scalar(select(func.count()).where(SUBSCRIPTIONS.c.domain == domain)) or 0) >= self._most:
            raise quota_exceeded(domain, "subscriptions", self._most, "LLM_MESH_REGISTRY_MOST_SUBSCRIPTIONS")
        if desired.alias:
            check_alias(connection, domain, desired.alias, desired.name, f"{field}.alias")
        stored = registry_pb2.Subscription(name=desired.name, publisher=desired.publisher, product=desired.product, alias=desired.alias)
        stored.create_time.FromDatetime(from_micros(now))
        self._put(connection, notes, stored, now, before=None)
        if desired.product:
            self._accept(connection, notes, stored, desired.product, desired.accepted_version, now, field)
        else:
            accept_new(connection, notes, now, subscription=stored.name)

    def _change(  # noqa: PLR0917 (a change of a subscription has this many parts)
        self,
        connection: Connection,
        notes: Notes,
        present: registry_pb2.Subscription,
        alias: str | None,
        versions: Sequence[registry_pb2.ProductVersion],
        now: int,
        field: str,
    ) -> None:
        domain, before = domain_of(present.name), registry_pb2.Subscription()
        before.CopyFrom(present)
        if alias is not None:
            if alias and present.publisher:
                raise invalid(f"{field}.alias", "must be empty with `publisher`")
            if alias:
                check_alias(connection, domain, alias, present.name, f"{field}.alias")
            present.alias = alias
        for version in versions:
            product = version.product or present.product
            if not product:
                raise invalid("accept.product", "must be set with a subscription by publisher")
            one = acceptance(connection, domain, product)
            if one is None or one.subscription != present.name:
                raise not_found(product)
            self._accept(connection, notes, present, product, version.version, now, field)
        self._put(connection, notes, present, now, before=before)

    def _apply(
        self,
        connection: Connection,
        notes: Notes,
        desired: registry_pb2.Subscription,
        masks: Mapping[str, FieldMask],
        now: int,
        field: str,
    ) -> resources_pb2.Change:
        present = find(connection, desired.name)
        if present is None:
            self._create(connection, notes, desired, now, field)
            return resources_pb2.Change(resource=desired.name, action=resources_pb2.CHANGE_ACTION_CREATE)
        for source in ("publisher", "product"):
            if getattr(present, source) != getattr(desired, source):
                raise invalid(f"{field}.{source}", f"never changes, and is {getattr(present, source) or 'empty'}; delete the subscription")
        one = acceptance(connection, domain_of(desired.name), present.product) if present.product else None
        version = one.version if one is not None else ""
        desired = applied(present, desired, masks, mutable=_APPLIED)
        changes = [("alias", present.alias, desired.alias)]
        if desired.accepted_version:
            changes.append(("accepted_version", version, desired.accepted_version))
        fields = [resources_pb2.FieldChange(path=path, before=old, after=new) for path, old, new in changes if old != new]
        if not fields:
            return resources_pb2.Change(resource=desired.name, action=resources_pb2.CHANGE_ACTION_NONE)
        accepts = [registry_pb2.ProductVersion(version=desired.accepted_version)] if fields[-1].path == "accepted_version" else []
        self._change(connection, notes, present, desired.alias, accepts, now, field)
        return resources_pb2.Change(resource=desired.name, action=resources_pb2.CHANGE_ACTION_UPDATE, fields=fields)

    def _accept(  # noqa: PLR0917 (likewise)
        self,
        connection: Connection,
        notes: Notes,
        subscription: registry_pb2.Subscription,
        name: str,
        version: str,
        now: int,
        field: str,
    ) -> None:
        domain = domain_of(subscription.name)
        product = offered(connection, name, domain, now)
        if product is None:
            raise _about(not_found(name), f"{field}.product")
        if version and version_of(product) != version:
            raise _about(etag_mismatch(name), f"{field}.accepted_version")
        before = acceptance(connection, domain, name)
        accept(connection, subscription.name, domain, product, now)
        notes.note(subscription.name, before.product if before is not None else None, product, f"accepts {name}")

    def _put(
        self,
        connection: Connection,
        notes: Notes,
        subscription: registry_pb2.Subscription,
        now: int,
        *,
        before: registry_pb2.Subscription | None,
    ) -> None:
        subscription.update_time.FromDatetime(from_micros(now))
        subscription.etag = etag_of(subscription, ignore=("etag",))
        row = {"alias": subscription.alias, "body": subscription.SerializeToString()}
        if before is None:
            source = {"domain": domain_of(subscription.name), "publisher": subscription.publisher, "product": subscription.product}
            connection.execute(insert(SUBSCRIPTIONS).values(name=subscription.name, **source, **row))
        else:
            connection.execute(update(SUBSCRIPTIONS).where(SUBSCRIPTIONS.c.name == subscription.name).values(**row))
        notes.note(subscription.name, before, subscription)


def _about(error: MeshError, field: str) -> MeshError:
    """The error, with the field of the request that it is about."""
    error.field = field
    return error
