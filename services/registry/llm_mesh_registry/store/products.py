"""Models, prices and adapters in SQLite or PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from sqlalchemy import Connection, select

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_registry.domain.endpoints import ENDPOINT_FIELDS
from llm_mesh_registry.domain.facts import check_facts
from llm_mesh_registry.domain.models import ADAPTER_FIELDS, APPLIED, OUTPUT_ONLY
from llm_mesh_registry.domain.ports import Check, Holdings
from llm_mesh_registry.domain.prices import same_terms
from llm_mesh_registry.domain.terms import Product
from llm_mesh_registry.store.accepting import accept_new, acceptances, index_offers
from llm_mesh_registry.store.endpoints import apply_endpoint
from llm_mesh_registry.store.rows import (
    accepted_in_effect,
    add_price,
    begin_change,
    check_claims,
    check_count,
    declared_model,
    facts_of,
    find_model,
    find_price,
    own_facts,
    parsed,
    put_model,
    with_prices,
)
from llm_mesh_registry.store.tables import ADAPTERS, ENDPOINTS, MODELS, OFFERED_ROUTES, PRICES, REVISION
from llm_mesh_runtime.database import Database, upsert
from llm_mesh_runtime.errors import already_exists, etag_mismatch, not_found
from llm_mesh_runtime.outbox import Notes, Outbox
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import Page, Quotas, applied, change_of

_NONE = resources_pb2.CHANGE_ACTION_NONE


class SqlProducts:
    """The store of data products."""

    def __init__(self, database: Database, outbox: Outbox, quotas: Quotas) -> None:
        self._database = database
        self._outbox = outbox
        self._quotas = quotas

    async def create_model(self, model: registry_pb2.Model) -> registry_pb2.Model:
        def work(connection: Connection, notes: Notes) -> registry_pb2.Model:
            now = self._begin_change(connection)
            if declared_model(connection, model.name, now) is not None:
                raise already_exists(model.name)
            check_claims(connection, model, "model", now)
            put_model(connection, notes, self._quotas, model, None, now)
            if model.HasField("price"):
                add_price(connection, notes, self._quotas, model.name, model.price, now)
            _offer(connection, notes, model.name, now)
            return self._read_back(connection, model.name)

        return await self._outbox.write(work, action="models.create")

    async def model(self, name: str) -> registry_pb2.Model:
        model = await self._database.read(lambda connection: find_model(connection, name, self._database.now(connection)))
        if model is None:
            raise not_found(name)
        return model

    async def models(self, domain: str, page: Page) -> Sequence[registry_pb2.Model]:
        statement = select(MODELS.c.body).where(MODELS.c.name > page.after).order_by(MODELS.c.name).limit(page.limit)
        if domain:
            statement = statement.where(MODELS.c.domain == domain)

        def work(connection: Connection) -> Sequence[registry_pb2.Model]:
            models = [registry_pb2.Model.FromString(body) for body in connection.scalars(statement)]
            return with_prices(connection, models, self._database.now(connection))

        return await self._database.read(work)

    async def declared(self, name: str) -> registry_pb2.Model:
        model = await self._database.read(lambda connection: declared_model(connection, name, self._database.now(connection)))
        if model is None:
            raise not_found(name)
        return model

    async def update_model(self, model: registry_pb2.Model, *, action: str = "models.update", claims: bool = True) -> registry_pb2.Model:
        def work(connection: Connection, notes: Notes) -> registry_pb2.Model:
            now = self._begin_change(connection)
            present = declared_model(connection, model.name, now)
            if present is None:
                raise not_found(model.name)
            if model.etag != present.etag:
                raise etag_mismatch(model.name)
            if claims:
                check_claims(connection, model, "model", now)
            put_model(connection, notes, self._quotas, model, present, now)
            _offer(connection, notes, model.name, now)
            return self._read_back(connection, model.name)

        return await self._outbox.write(work, action=action)

    async def create_price(self, model: str, price: registry_pb2.Price) -> registry_pb2.Price:
        def work(connection: Connection, notes: Notes) -> registry_pb2.Price:
            now = self._begin_change(connection)
            present = declared_model(connection, model, now)
            if present is None:
                raise not_found(model)
            _check_price(connection, present, price, now)
            added = add_price(connection, notes, self._quotas, model, price, now)
            accept_new(connection, notes, now, product=model)
            return added

        return await self._outbox.write(work, action="prices.create")

    async def price(self, name: str) -> registry_pb2.Price:
        model, _, number = name.partition("/prices/")
        known = number.isdecimal() and len(number) < 10  # noqa: PLR2004 - what an integer column holds
        price = await self._database.read(lambda connection: find_price(connection, model, int(number))) if known else None
        if price is None:
            raise not_found(name)
        return price

    async def prices(self, model: str, page: Page) -> Sequence[registry_pb2.Price]:
        statement = select(PRICES.c.body).where(PRICES.c.model == model).order_by(PRICES.c.number.desc()).limit(page.limit)
        if page.after.isdecimal():
            statement = statement.where(PRICES.c.number < int(page.after))
        return await self._database.read(lambda connection: parsed(connection.scalars(statement)))

    async def adapters(self, page: Page) -> Sequence[registry_pb2.Adapter]:
        statement = select(ADAPTERS.c.body).where(ADAPTERS.c.name > page.after).order_by(ADAPTERS.c.name).limit(page.limit)
        return await self._database.read(
            lambda connection: [registry_pb2.Adapter.FromString(body) for body in connection.scalars(statement)]
        )

    async def put_adapter(self, adapter: registry_pb2.Adapter) -> registry_pb2.Adapter:
        await self._outbox.write(lambda connection, notes: _put_adapter(connection, notes, self._quotas, adapter), action="adapters.put")
        return adapter

    async def apply(self, request: registry_pb2.ApplyModelsRequest, check: Check) -> Sequence[resources_pb2.Change]:
        def work(connection: Connection, notes: Notes | None) -> list[resources_pb2.Change]:
            now = self._database.now(connection) if notes is None else self._begin_change(connection)
            masks, pace = request.update_masks, Pace()
            facts: dict[str, registry_pb2.Endpoint] = {}
            declared, models, adapters = [], [], []
            for index, endpoint in enumerate(request.endpoints):
                before = facts_of(connection, [endpoint.name]).get(endpoint.name)
                desired = facts[endpoint.name] = applied(before, endpoint, masks, mutable=ENDPOINT_FIELDS)
                check(desired, before, f"endpoints[{index}]")
                declared.append(apply_endpoint(connection, notes, self._quotas, desired, before, now))
            for index, model in enumerate(request.models):
                pace.step()
                present = declared_model(connection, model.name, now)
                model = applied(present, model, masks, mutable=APPLIED)  # noqa: PLW2901 (what becomes of it)
                check(model, present, f"models[{index}]")
                check_claims(connection, model, f"models[{index}]", now, facts)
                models.append(_apply_model(connection, notes, self._quotas, model, present, now))
            for index, adapter in enumerate(request.adapters):
                known = _adapter(connection, adapter.name)
                adapter = applied(known, adapter, masks, mutable=ADAPTER_FIELDS)  # noqa: PLW2901 (likewise)
                check(adapter, known, f"adapters[{index}]")
                adapters.append(_apply_adapter(connection, notes, self._quotas, adapter, known))
            return [*models, *adapters, *declared]

        if request.dry_run:
            return await self._database.read(lambda connection: work(connection, None))
        return await self._outbox.write(work, action="models.apply")

    async def revision(self) -> int:
        return await self._database.read(lambda connection: connection.execute(select(REVISION.c.revision)).scalar_one())

    async def everything(self) -> Holdings:
        def work(connection: Connection) -> Holdings:
            now = self._database.now(connection)
            models = [registry_pb2.Model.FromString(body) for body in _paced(connection.scalars(select(MODELS.c.body)))]
            prices = parsed(_paced(connection.scalars(select(PRICES.c.body))))
            revision = connection.execute(select(REVISION.c.revision)).scalar_one()
            priced = with_prices(connection, models, now)
            present: dict[str, Product] = {model.name: model for model in priced}
            for body in connection.scalars(select(OFFERED_ROUTES.c.body)):
                route = router_pb2.Route.FromString(body)
                present[route.name] = route
            served = (one.served(present.get(one.product.name), now) for one in acceptances(connection))
            accepted = accepted_in_effect(connection, [one for one in served if one is not None], now)
            endpoints = [registry_pb2.Endpoint.FromString(body) for body in connection.scalars(select(ENDPOINTS.c.body))]
            return Holdings(revision, priced, prices, accepted, now, endpoints)

        return await self._database.read(work)

    def _begin_change(self, connection: Connection) -> int:
        """Takes the turn among changes; answers with the store's time."""
        begin_change(connection)
        return self._database.now(connection)

    def _read_back(self, connection: Connection, name: str) -> registry_pb2.Model:
        model = find_model(connection, name, self._database.now(connection))
        if model is None:
            raise not_found(name)
        return model


def _paced(bodies: Iterable[bytes]) -> Iterator[bytes]:
    """Rows, without taking the interpreter from the event loop for long."""
    pace = Pace()
    for body in bodies:
        pace.step()
        yield body


def _offer(connection: Connection, notes: Notes, name: str, now: int) -> None:
    """A model is new or changed: who may accept it, and who does by a subscription of its publisher."""
    model = find_model(connection, name, now)
    if model is not None:
        index_offers(connection, model)
        accept_new(connection, notes, now, product=name)


def _check_price(connection: Connection, model: registry_pb2.Model, price: registry_pb2.Price, now: int) -> None:
    """ESCALATION_DENIED where the model may not have the price, whenever it begins."""
    priced = registry_pb2.Model()
    priced.CopyFrom(model)
    priced.price.CopyFrom(price)
    check_facts(priced, own_facts(connection, priced, now), "", only="price")


def _apply_model(
    connection: Connection,
    notes: Notes | None,
    quotas: Quotas,
    desired: registry_pb2.Model,
    present: registry_pb2.Model | None,
    now: int,
) -> resources_pb2.Change:
    """Brings a model to a wanted state; without notes it only compares."""
    change = change_of(desired.name, present, desired, ignore=OUTPUT_ONLY)
    reprice = desired.HasField("price") and (present is None or not same_terms(present.price, desired.price))
    if notes is not None:
        if change.action != _NONE:
            put_model(connection, notes, quotas, desired, present, now)
        if reprice:
            add_price(connection, notes, quotas, desired.name, desired.price, now)
        if reprice or change.action != _NONE:
            _offer(connection, notes, desired.name, now)
    if reprice and present is not None:
        terms = change_of("", present.price, desired.price, ignore=("name", "create_time", "valid_from"))
        change.fields.extend(resources_pb2.FieldChange(path=f"price.{f.path}", before=f.before, after=f.after) for f in terms.fields)
        change.action = resources_pb2.CHANGE_ACTION_UPDATE
    return change


def _apply_adapter(
    connection: Connection, notes: Notes | None, quotas: Quotas, desired: registry_pb2.Adapter, present: registry_pb2.Adapter | None
) -> resources_pb2.Change:
    change = change_of(desired.name, present, desired)
    if change.action != _NONE and notes is not None:
        _put_adapter(connection, notes, quotas, desired)
    return change


def _put_adapter(connection: Connection, notes: Notes, quotas: Quotas, adapter: registry_pb2.Adapter) -> None:
    present = _adapter(connection, adapter.name)
    notes.note(adapter.name, present, adapter)
    upsert(connection, ADAPTERS, {"name": adapter.name, "body": adapter.SerializeToString()}, key=["name"])
    if present is None:
        check_count(connection, quotas, ADAPTERS, "the mesh")


def _adapter(connection: Connection, name: str) -> registry_pb2.Adapter | None:
    body = connection.scalar(select(ADAPTERS.c.body).where(ADAPTERS.c.name == name))
    return None if body is None else registry_pb2.Adapter.FromString(body)
