"""Reading and writing single products on a connection; the store composes them into transactions."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import groupby

from sqlalchemy import Connection, Table, func, insert, select, update

from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_registry.domain.acceptance import SERVES_ALL, SHARED
from llm_mesh_registry.domain.endpoints import endpoint_name
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_registry.domain.facts import OPERATORS, check_facts, in_effect, least_price, wants_operators_word
from llm_mesh_registry.domain.prices import begin_of, in_force
from llm_mesh_registry.domain.token_floors import least_bounds
from llm_mesh_registry.store.tables import ENDPOINTS, MODELS, PRICES, REVISION, SUBSCRIPTIONS
from llm_mesh_runtime.database import from_micros
from llm_mesh_runtime.outbox import Notes
from llm_mesh_runtime.pace import Pace
from llm_mesh_runtime.resources import Quotas, domain_of, etag_of


def find_model(connection: Connection, name: str, now: int) -> registry_pb2.Model | None:
    """The model as it is in effect, with the price that holds."""
    body = connection.scalar(select(MODELS.c.body).where(MODELS.c.name == name))
    return None if body is None else next(iter(with_prices(connection, [registry_pb2.Model.FromString(body)], now)))


def declared_model(connection: Connection, name: str, now: int) -> registry_pb2.Model | None:
    """The model as its domain wrote it, with the price that holds: what a change of it begins from."""
    body = connection.scalar(select(MODELS.c.body).where(MODELS.c.name == name))
    return None if body is None else next(iter(_priced(connection, [registry_pb2.Model.FromString(body)], now)))


def with_prices(connection: Connection, models: list[registry_pb2.Model], now: int) -> list[registry_pb2.Model]:
    """The models as they are in effect, each with the price that holds."""
    facts = facts_of(connection, {endpoint_name(model) for model in models})
    priced = _priced(connection, models, now)
    return [in_effect(model, own) for model, own in zip(priced, facts_for(connection, priced, facts, now), strict=True)]


def facts_of(connection: Connection, names: Collection[str]) -> dict[str, registry_pb2.Endpoint]:
    """The endpoints of these names that have facts."""
    bodies = connection.scalars(select(ENDPOINTS.c.body).where(ENDPOINTS.c.name.in_(names)))
    return {facts.name: facts for facts in map(registry_pb2.Endpoint.FromString, bodies)}


def facts_for(
    connection: Connection, models: Sequence[registry_pb2.Model], facts: Mapping[str, registry_pb2.Endpoint], now: int
) -> list[registry_pb2.Endpoint | None]:
    """The facts that bind each model. Least prices and bounds that an endpoint does not declare are those of its operator's models."""
    own = [facts.get(endpoint_name(model)) for model in models]
    wanting = {
        (endpoint_name(model), model.upstream_model)
        for model, endpoint in zip(models, own, strict=True)
        if wants_operators_word(model, endpoint)
    }
    if not wanting:
        return own
    floors = _operators_floors(connection, wanting, now)
    return [
        _with_floor(model, endpoint, floors) if wants_operators_word(model, endpoint) else endpoint
        for model, endpoint in zip(models, own, strict=True)
    ]


def _operators_floors(
    connection: Connection, wanting: Collection[tuple[str, str]], now: int
) -> dict[tuple[str, str], registry_pb2.Endpoint]:
    pace = Pace()
    endpoint_models: dict[tuple[str, str], list[registry_pb2.Model]] = {}
    for body in connection.scalars(select(MODELS.c.body).where(MODELS.c.domain.in_(OPERATORS))):
        pace.step()
        model = registry_pb2.Model.FromString(body)
        place = (endpoint_name(model), model.upstream_model)
        if place in wanting:
            endpoint_models.setdefault(place, []).append(model)
    return {
        place: registry_pb2.Endpoint(price_floor=least_price(_priced(connection, models, now)), token_floor=least_bounds(models))
        for place, models in endpoint_models.items()
    }


def _with_floor(
    model: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None, floors: Mapping[tuple[str, str], registry_pb2.Endpoint]
) -> registry_pb2.Endpoint | None:
    name = endpoint_name(model)
    floor = floors.get((name, model.upstream_model))
    if floor is None:
        return endpoint
    result = registry_pb2.Endpoint(name=name)
    if endpoint is not None:
        result.CopyFrom(endpoint)
    for field in ("price_floor", "token_floor"):
        if floor.HasField(field) and not result.HasField(field):
            getattr(result, field).CopyFrom(getattr(floor, field))
    return result


def accepted_in_effect(
    connection: Connection, accepted: list[registry_pb2.AcceptedProduct], now: int
) -> list[registry_pb2.AcceptedProduct]:
    """Products as they were accepted, narrowed to what their endpoints' operators declare by now."""
    models = [one.model for one in accepted if one.HasField("model")]
    facts = facts_of(connection, {endpoint_name(model) for model in models})
    for model, own in zip(models, facts_for(connection, models, facts, now), strict=True):
        in_effect(model, own)
    return accepted


def check_claims(
    connection: Connection,
    model: registry_pb2.Model,
    field: str,
    now: int,
    desired_facts: Mapping[str, registry_pb2.Endpoint] | None = None,
) -> None:
    """ESCALATION_DENIED where a model claims more than the facts of its endpoint, those that are `desired_facts` first."""
    check_facts(model, own_facts(connection, model, now, desired_facts), field)


def own_facts(
    connection: Connection, model: registry_pb2.Model, now: int, desired_facts: Mapping[str, registry_pb2.Endpoint] | None = None
) -> registry_pb2.Endpoint | None:
    """The facts that bind a model, those that are `desired_facts` first."""
    name = endpoint_name(model)
    facts = desired_facts if desired_facts and name in desired_facts else facts_of(connection, [name])
    return facts_for(connection, [model], facts, now)[0]


def _priced(connection: Connection, models: list[registry_pb2.Model], now: int) -> list[registry_pb2.Model]:
    names = [model.name for model in models]
    statement = select(PRICES.c.model, PRICES.c.body).where(PRICES.c.model.in_(names)).order_by(PRICES.c.model)
    of_model = {
        name: [registry_pb2.Price.FromString(row.body) for row in rows]
        for name, rows in groupby(connection.execute(statement), key=lambda row: row.model)
    }
    for model in models:
        price = in_force(of_model.get(model.name, ()), now)
        if price is not None:
            model.price.CopyFrom(price)
    return models


def put_model(
    connection: Connection, notes: Notes, quotas: Quotas, desired: registry_pb2.Model, present: registry_pb2.Model | None, now: int
) -> None:
    """Writes a model without its price; ALIAS_TAKEN where another model or subscription of its domain has the alias."""
    domain = desired.name.split("/models/", 1)[0]
    check_alias(connection, domain, desired.alias, desired.name, "model.alias")
    stored = registry_pb2.Model()
    stored.CopyFrom(desired)
    stored.ClearField("price")
    stored.ClearField("conflicts")
    stored.update_time.FromDatetime(from_micros(now))
    stored.create_time.CopyFrom(stored.update_time if present is None else present.create_time)
    stored.etag = etag_of(stored, ignore=("etag",))
    row = {"domain": domain, "alias": stored.alias, "etag": stored.etag, "body": stored.SerializeToString(), "updated": now}
    if present is None:
        connection.execute(insert(MODELS).values(name=stored.name, **row))
        check_count(connection, quotas, MODELS, domain, domain=domain)
    else:
        connection.execute(update(MODELS).where(MODELS.c.name == stored.name).values(**row))
    notes.note(stored.name, None if present is None else _without_price(present), stored, SERVES_ALL if domain == SHARED else "")


def begin_change(connection: Connection) -> None:
    """Takes the turn among changes."""
    connection.execute(update(REVISION).values(revision=REVISION.c.revision + 1))


def check_alias(connection: Connection, domain: str, alias: str, name: str, field: str) -> None:
    """ALIAS_TAKEN where another model or subscription of the domain has the alias."""
    for table in (MODELS, SUBSCRIPTIONS):
        taken = select(table.c.name).where(table.c.domain == domain, table.c.alias == alias, table.c.name != name)
        if (other := connection.scalar(taken)) is not None:
            message = f"{other} has the alias {alias}"
            raise RegistryError(errors_pb2.ERROR_REASON_ALIAS_TAKEN, message, field=field, alias=alias, model=other)


def _without_price(model: registry_pb2.Model) -> registry_pb2.Model:
    bare = registry_pb2.Model()
    bare.CopyFrom(model)
    bare.ClearField("price")
    return bare


def check_count(connection: Connection, quotas: Quotas, table: Table, place: str, *, domain: str = "") -> None:
    """QUOTA_EXCEEDED where a table has more rows than its quota, of the domain where one is named."""
    count = select(func.count()).select_from(table)
    quotas.check(place, table.name, connection.scalar(count.where(table.c.domain == domain) if domain else count) or 0)


def add_price(connection: Connection, notes: Notes, quotas: Quotas, model: str, price: registry_pb2.Price, now: int) -> registry_pb2.Price:
    """Adds a price version after the newest one."""
    number = connection.scalar(select(func.max(PRICES.c.number)).where(PRICES.c.model == model))
    quotas.check(model, "prices", (number or 0) + 1)
    newest = None if number is None else find_price(connection, model, number)
    stored = registry_pb2.Price()
    stored.CopyFrom(price)
    stored.valid_from.FromMicroseconds(begin_of(price, newest, now))
    stored.name = f"{model}/prices/{(number or 0) + 1}"
    stored.create_time.FromDatetime(from_micros(now))
    connection.execute(insert(PRICES).values(model=model, number=(number or 0) + 1, body=stored.SerializeToString()))
    notes.note(stored.name, None, stored, SERVES_ALL if domain_of(model) == SHARED else "")
    return stored


def find_price(connection: Connection, model: str, number: int) -> registry_pb2.Price | None:
    """A price version."""
    body = connection.scalar(select(PRICES.c.body).where(PRICES.c.model == model, PRICES.c.number == number))
    return None if body is None else registry_pb2.Price.FromString(body)


def parsed(bodies: Iterable[bytes]) -> list[registry_pb2.Price]:
    """Price versions from their rows."""
    return [registry_pb2.Price.FromString(body) for body in bodies]
