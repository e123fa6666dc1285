"""Offers and what was accepted of them, on a connection; the stores compose these into transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import ColumnElement, Connection, Row, Select, and_, delete, insert, or_, select, update

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_registry.domain.acceptance import SHARED, Acceptance, instant
from llm_mesh_registry.domain.terms import Product, is_offered, is_usable, version_of
from llm_mesh_registry.store.rows import with_prices
from llm_mesh_registry.store.tables import ACCEPTED, MODELS, OFFERED_ROUTES, OFFERS, SUBSCRIPTIONS
from llm_mesh_runtime.outbox import Author, Notes
from llm_mesh_runtime.resources import domain_of

REGISTRY = Author("services/registry")
ACCEPT = "subscriptions.accept"
_COLLECTION = 2
_AT_ONCE = 500


class _Pair(NamedTuple):
    """A product that a subscription by publisher may accept."""

    subscription: str
    domain: str
    product: str


def products(connection: Connection, names: Collection[str], now: int) -> dict[str, Product]:
    """Products as they are now, by name: models with the price that holds, and routes that are offered."""
    products: dict[str, Product] = {}
    sorted_names = sorted(set(names))
    for start in range(0, len(sorted_names), _AT_ONCE):
        part = sorted_names[start : start + _AT_ONCE]
        models = connection.scalars(select(MODELS.c.body).where(MODELS.c.name.in_(part)))
        parsed = [registry_pb2.Model.FromString(body) for body in models]
        products.update((model.name, model) for model in with_prices(connection, parsed, now))
        routes = connection.scalars(select(OFFERED_ROUTES.c.body).where(OFFERED_ROUTES.c.name.in_(part)))
        products.update((route.name, route) for route in map(router_pb2.Route.FromString, routes))
    return products


def offered(connection: Connection, name: str, domain: str, now: int) -> Product | None:
    """The product, where it is offered to the domain."""
    product = products(connection, [name], now).get(name)
    return product if product is not None and is_offered(product, domain, instant(now)) else None


def index_offers(connection: Connection, product: Product) -> None:
    """Keeps to whom a product is offered. What `domains/shared` has serves all, and is no offer."""
    publisher = domain_of(product.name)
    receivers = set() if publisher == SHARED else set(product.shared_with) - {publisher}
    present = set(connection.scalars(select(OFFERS.c.receiver).where(OFFERS.c.product == product.name)))
    if gone := present - receivers:
        connection.execute(delete(OFFERS).where(OFFERS.c.product == product.name, OFFERS.c.receiver.in_(gone)))
    if new := receivers - present:
        rows = [{"product": product.name, "receiver": receiver, "publisher": publisher} for receiver in sorted(new)]
        connection.execute(insert(OFFERS), rows)


def acceptances(connection: Connection, *conditions: ColumnElement[bool]) -> list[Acceptance]:
    """What was accepted, under conditions over `ACCEPTED`."""
    statement: Select[tuple[object, ...]] = (
        select(ACCEPTED, SUBSCRIPTIONS.c.alias).join(SUBSCRIPTIONS, SUBSCRIPTIONS.c.name == ACCEPTED.c.subscription).where(*conditions)
    )
    return [_acceptance(row) for row in connection.execute(statement.order_by(ACCEPTED.c.domain, ACCEPTED.c.product))]


def acceptance(connection: Connection, domain: str, product: str) -> Acceptance | None:
    """What a domain accepted of a product."""
    return next(iter(acceptances(connection, ACCEPTED.c.domain == domain, ACCEPTED.c.product == product)), None)


def accept(connection: Connection, subscription: str, domain: str, product: Product, now: int) -> None:
    """Accepts a product as it is. One that was accepted before belongs to the subscription from now on."""
    row = {"subscription": subscription, "version": version_of(product), "body": product.SerializeToString()}
    place = and_(ACCEPTED.c.domain == domain, ACCEPTED.c.product == product.name)
    if connection.execute(update(ACCEPTED).where(place).values(**row)).rowcount == 0:
        connection.execute(insert(ACCEPTED).values(domain=domain, product=product.name, accepted=now, **row))


def accept_new(connection: Connection, notes: Notes, now: int, *, subscription: str = "", product: str = "") -> int:
    """Accepts for subscriptions by publisher what they have not accepted yet and is usable; answers how many. Empty: all.

    Each acceptance is noted: as the subscriber's where its subscription begins with it, else as the registry's own, because whoever made
    the publisher's change has accepted nothing for others.
    """
    pairs = _pending(connection, subscription, product)
    present = products(connection, {pair.product for pair in pairs}, now)
    time = instant(now)
    new = [
        pair
        for pair in pairs
        if (offered := present.get(pair.product)) is not None and is_usable(offered) and is_offered(offered, pair.domain, time)
    ]
    for pair in new:
        accept(connection, pair.subscription, pair.domain, present[pair.product], now)
        by, action = (None, "") if subscription else (REGISTRY, ACCEPT)
        notes.note(pair.subscription, None, present[pair.product], f"accepts {pair.product}", by=by, action=action)
    return len(new)


def release(connection: Connection, subscription: registry_pb2.Subscription) -> None:
    """Ends what a subscription accepted. What one of the publisher accepts too stays accepted, by that one."""
    mine = ACCEPTED.c.subscription == subscription.name
    if subscription.product:
        publisher = domain_of(subscription.product)
        whole = select(SUBSCRIPTIONS.c.name).where(
            SUBSCRIPTIONS.c.domain == domain_of(subscription.name), SUBSCRIPTIONS.c.publisher == publisher
        )
        if (other := connection.scalar(whole)) is not None:
            connection.execute(update(ACCEPTED).where(mine).values(subscription=other))
            return
    connection.execute(delete(ACCEPTED).where(mine))


def offered_products(connection: Connection, domain: str, publisher: str, after: str) -> Sequence[str]:
    """Names of products that are offered to a domain, or to any where it is empty; the next few."""
    statement = select(OFFERS.c.product).distinct().where(OFFERS.c.product > after).order_by(OFFERS.c.product).limit(_AT_ONCE)
    if domain:
        statement = statement.where(OFFERS.c.receiver.in_(("*", domain)), OFFERS.c.publisher != domain)
    if publisher:
        statement = statement.where(OFFERS.c.publisher == publisher)
    return connection.scalars(statement).all()


def _pending(connection: Connection, subscription: str, product: str) -> list[_Pair]:
    taken = select(ACCEPTED.c.domain).where(ACCEPTED.c.domain == SUBSCRIPTIONS.c.domain, ACCEPTED.c.product == OFFERS.c.product)
    statement = (
        select(SUBSCRIPTIONS.c.name, SUBSCRIPTIONS.c.domain, OFFERS.c.product)
        .distinct()
        .join(OFFERS, OFFERS.c.publisher == SUBSCRIPTIONS.c.publisher)
        .where(or_(OFFERS.c.receiver == "*", OFFERS.c.receiver == SUBSCRIPTIONS.c.domain), ~taken.exists())
    )
    if subscription:
        statement = statement.where(SUBSCRIPTIONS.c.name == subscription)
    if product:
        statement = statement.where(OFFERS.c.product == product)
    return [_Pair(*row) for row in connection.execute(statement)]


def _acceptance(row: Row[tuple[object, ...]]) -> Acceptance:
    kind: type[Product] = router_pb2.Route if row.product.split("/")[_COLLECTION] == "routes" else registry_pb2.Model
    return Acceptance(row.domain, kind.FromString(row.body), row.version, row.subscription, row.alias, row.accepted)


def by_name(acceptances: Iterable[Acceptance]) -> dict[str, Acceptance]:
    """Acceptances of one domain, by product."""
    return {one.product.name: one for one in acceptances}
