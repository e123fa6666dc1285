"""What domains offer to each other, in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, delete, func, insert, select

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_registry.domain.acceptance import Acceptance, instant, offer_of, public
from llm_mesh_registry.domain.terms import Product, is_offered
from llm_mesh_registry.store.accepting import (
    ACCEPT,
    REGISTRY,
    accept_new,
    acceptance,
    acceptances,
    by_name,
    index_offers,
    offered_products,
    products,
)
from llm_mesh_registry.store.rows import accepted_in_effect, begin_change
from llm_mesh_registry.store.tables import ACCEPTED, NOTICES, OFFERED_ROUTES, OFFERS
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.resources import Page

_NOTICE = "offers-not-accepted"
_MOST_NOTICED = 1_000


class SqlOffers:
    """The store of offers."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    async def page(self, domain: str, page: Page, publisher: str, state: registry_pb2.OfferState) -> Sequence[registry_pb2.Offer]:
        def work(connection: Connection) -> Sequence[registry_pb2.Offer]:
            now = self._database.now(connection)
            matching: list[registry_pb2.Offer] = []
            names = offered_products(connection, domain, publisher, page.after)
            while names and len(matching) < page.limit:
                offers = _to_domain(connection, names, domain, now) if domain else _to_any(connection, names, now)
                matching += (offer for offer in offers if _is_in(offer, state))
                names = offered_products(connection, domain, publisher, names[-1])
            return matching[: page.limit]

        return await self._database.read(work)

    async def accepted(self, domain: str, product: str) -> registry_pb2.AcceptedProduct | None:
        def work(connection: Connection) -> registry_pb2.AcceptedProduct | None:
            now = self._database.now(connection)
            one = acceptance(connection, domain, product)
            served = None if one is None else one.served(products(connection, [product], now).get(product), now)
            return None if served is None else accepted_in_effect(connection, [served], now)[0]

        return await self._database.read(work)

    async def put_routes(self, routes: Sequence[router_pb2.Route], after: str, through: str) -> bool:
        bodies = {route.name: route.SerializeToString(deterministic=True) for route in routes}

        def present(connection: Connection) -> dict[str, bytes]:
            statement = select(OFFERED_ROUTES).where(OFFERED_ROUTES.c.name > after)
            if through:
                statement = statement.where(OFFERED_ROUTES.c.name <= through)
            return {row.name: row.body for row in connection.execute(statement)}

        def work(connection: Connection, notes: Notes) -> None:
            begin_change(connection)
            now, before = self._database.now(connection), present(connection)
            changed = {name: body for name, body in bodies.items() if before.get(name) != body}
            replaced = [*changed, *(before.keys() - bodies.keys())]
            for table, column in ((OFFERED_ROUTES, OFFERED_ROUTES.c.name), (OFFERS, OFFERS.c.product)):
                connection.execute(delete(table).where(column.in_(replaced)))
            if changed:
                connection.execute(insert(OFFERED_ROUTES), [{"name": name, "body": body} for name, body in changed.items()])
            for name, body in changed.items():
                index_offers(connection, router_pb2.Route.FromString(body))
                accept_new(connection, notes, now, product=name)

        if await self._database.read(present) == bodies:
            return False
        await self._outbox.write(work, action=ACCEPT, by=REGISTRY)
        return True

    async def accept_new(self) -> None:
        def work(connection: Connection, notes: Notes) -> None:
            if accept_new(connection, notes, self._database.now(connection)):
                begin_change(connection)

        await self._outbox.write(work, action=ACCEPT, by=REGISTRY)

    async def not_accepted_once(self) -> Sequence[str]:
        def work(connection: Connection) -> Sequence[str]:
            if connection.scalar(select(NOTICES.c.name).where(NOTICES.c.name == _NOTICE)) is not None:
                return ()
            connection.execute(insert(NOTICES).values(name=_NOTICE))
            taken = select(ACCEPTED.c.domain).where(ACCEPTED.c.product == OFFERS.c.product)
            statement = select(OFFERS.c.product).distinct().where(~taken.exists()).order_by(OFFERS.c.product).limit(_MOST_NOTICED)
            return connection.scalars(statement).all()

        return await self._database.write(work)


def _to_domain(connection: Connection, names: Sequence[str], domain: str, now: int) -> Iterator[registry_pb2.Offer]:
    accepted = by_name(acceptances(connection, ACCEPTED.c.domain == domain, ACCEPTED.c.product.in_(names)))
    for product in _present(connection, names, domain, now):
        yield _offer(product, accepted.get(product.name), now)


def _offer(product: Product, accepted: Acceptance | None, now: int) -> registry_pb2.Offer:
    proposal = accepted.proposal(product, now) if accepted is not None else None
    offer = proposal if proposal is not None else offer_of(product)
    served = accepted.served(product, now) if accepted is not None else None
    if served is not None:
        offer.accepted.CopyFrom(public(served))
    return offer


def _to_any(connection: Connection, names: Sequence[str], now: int) -> Iterator[registry_pb2.Offer]:
    statement = select(ACCEPTED.c.product, func.count()).where(ACCEPTED.c.product.in_(names)).group_by(ACCEPTED.c.product)
    subscribers: dict[str, int] = {row[0]: row[1] for row in connection.execute(statement)}
    for product in _present(connection, names, "", now):
        offer = offer_of(product)
        offer.offered_to.extend(product.shared_with)
        offer.subscribers = subscribers.get(product.name, 0)
        yield offer


def _present(connection: Connection, names: Sequence[str], domain: str, now: int) -> Iterator[Product]:
    """Products that are offered to the domain, or to any where it is empty, by name."""
    present, time = products(connection, names, now), instant(now)
    for name in names:
        product = present.get(name)
        if product is not None and any(is_offered(product, receiver, time) for receiver in ([domain] if domain else product.shared_with)):
            yield product


def _is_in(offer: registry_pb2.Offer, state: registry_pb2.OfferState) -> bool:
    accepted = offer.HasField("accepted") or offer.subscribers > 0
    if state == registry_pb2.OFFER_STATE_NOT_ACCEPTED:
        return not accepted
    if state == registry_pb2.OFFER_STATE_ACCEPTED:
        return accepted
    return state != registry_pb2.OFFER_STATE_PROPOSED or len(offer.proposed_fields) > 0
