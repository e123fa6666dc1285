"""Facts about an endpoint belong to whoever operates it: a model of a domain can only narrow them.

`conflicts` is the one rule. A request that would make a conflict is refused with it; what is in effect is computed by it each time models
are read, so that an endpoint that becomes stricter binds the models that exist.
"""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.registry.v1 import errors_pb2, registry_pb2
from llm_mesh_figures.prices import Component, components, exceeds, figure
from llm_mesh_registry.domain.endpoints import endpoint_name
from llm_mesh_registry.domain.errors import RegistryError
from llm_mesh_registry.domain.token_floors import below, raise_to
from llm_mesh_runtime.resources import domain_of

OPERATORS = frozenset({"domains/shared", "domains/platform"})
"""Domains in which only operators write: what their models say is the operator's own word."""

DEFAULT_CLASSES = ("public", "internal")
"""What an endpoint or model is cleared for that names no class."""

_OUT_OF_USE = ("endpoint", "upstream_model", "credential")


def is_operators(name: str) -> bool:
    """Whether a model is an operator's own."""
    return domain_of(name) in OPERATORS


def conflicts(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None) -> dict[str, str]:
    """Why the model may not be as it is, by field; empty where it narrows the facts. None: the endpoint has none."""
    if is_operators(model.name):
        return {}
    name = endpoint_name(model)
    if endpoint is None:
        reason = f"the operator of {name} has declared no facts: ask a platform administrator to declare the endpoint"
        fields = _beyond(model, registry_pb2.Endpoint(name=name))
        return dict.fromkeys(fields, reason)
    owner = domain_of(model.name)
    fields = _beyond(model, endpoint)
    if endpoint.domains and owner not in endpoint.domains:
        fields["endpoint"] = f"{name} is not open to {owner}"
    patterns = endpoint.upstream_models
    if patterns and not any(_matches(pattern, model.upstream_model) for pattern in patterns):
        fields["upstream_model"] = f"{name} does not offer {model.upstream_model} to models of domains"
    return fields


def in_effect(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None) -> registry_pb2.Model:
    """Narrows the model to the facts of its endpoint, in place, and fills in those that it leaves unset."""
    if is_operators(model.name):
        _inherit(model, endpoint)
        return model
    fields = conflicts(model, endpoint)
    facts = endpoint or registry_pb2.Endpoint()
    cleared = facts.data_classes or DEFAULT_CLASSES
    classes = [each for each in model.data_classes or cleared if each in cleared]
    model.region, model.zero_retention = facts.region, facts.zero_retention
    model.free = model.free and "free" not in fields
    raise_to(model, facts)
    if "price" in fields:
        model.ClearField("price")
    del model.data_classes[:]
    model.data_classes.extend(classes)
    if not classes or not fields.keys().isdisjoint(_OUT_OF_USE):
        model.lifecycle, model.free = registry_pb2.LIFECYCLE_RETIRED, False
        model.ClearField("price")
    del model.conflicts[:]
    model.conflicts.extend(sorted(fields))
    return model


def check_facts(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None, field: str, *, only: str = "") -> None:
    """ESCALATION_DENIED where the model claims more than its endpoint's operator declares; of all fields, or of one."""
    for name, reason in sorted(conflicts(model, endpoint).items()):
        if only and name != only:
            continue
        message = f"{name}: a model of a domain claims no more than the operator of its endpoint declares; {reason}"
        place = f"{field}.{name}" if field else name
        raise RegistryError(errors_pb2.ERROR_REASON_ESCALATION_DENIED, message, field=place, resource=model.name)


def _inherit(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None) -> None:
    if endpoint is None:
        return
    model.region = model.region or endpoint.region
    model.zero_retention = model.zero_retention or endpoint.zero_retention
    if not model.data_classes:
        model.data_classes.extend(endpoint.data_classes)


def _beyond(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint) -> dict[str, str]:
    """Claims beyond facts; an endpoint without facts has the narrowest."""
    name, fields = endpoint.name, dict[str, str]()
    if model.region and model.region != endpoint.region:
        fields["region"] = f"{name} processes data in {endpoint.region or 'an unknown region'}"
    cleared = endpoint.data_classes or DEFAULT_CLASSES
    if more := [each for each in model.data_classes if each not in cleared]:
        fields["data_classes"] = f"{name} is not cleared for {', '.join(more)}"
    if model.zero_retention and not endpoint.zero_retention:
        fields["zero_retention"] = f"the provider at {name} keeps data"
    if model.credential and model.credential not in endpoint.credentials:
        fields["credential"] = f"models of domains may not name the credential {model.credential} at {name}"
    if model.free and not endpoint.free_allowed:
        fields["free"] = f"models at {name} are not free"
    if model.HasField("price") and not endpoint.free_allowed and (low := _below_floor(model.price, endpoint)):
        fields["price"] = low
    return fields | below(model, endpoint)


def _below_floor(price: registry_pb2.Price, endpoint: registry_pb2.Endpoint) -> str:
    """How a price is below what the endpoint's models cost at least; empty where it is not."""
    if not any(figure(price, each) for each in components(price)):
        return f"models at {endpoint.name} are not free, and need a price above zero"
    if not endpoint.HasField("price_floor"):
        return (
            f"{endpoint.name} has no least price, and its operator no model of this upstream: ask a platform administrator to declare one"
        )
    floor = endpoint.price_floor
    if floor.currency and price.currency != floor.currency:
        return f"the least price at {endpoint.name} is in {floor.currency}"
    low = exceeds(floor, price)
    return "" if low is None else f"the least {low} at {endpoint.name} is {figure(floor, low)}"


def wants_operators_word(model: registry_pb2.Model, endpoint: registry_pb2.Endpoint | None) -> bool:
    """Whether the least price or the least bounds of a model are those of the operator's own models of the same upstream."""
    if is_operators(model.name):
        return False
    return endpoint is None or not (endpoint.free_allowed or (endpoint.HasField("price_floor") and endpoint.HasField("token_floor")))


def least_price(models: Iterable[registry_pb2.Model]) -> registry_pb2.PriceFloor | None:
    """What the cheapest of an operator's models of one upstream costs, each component by itself; nothing where one is free.

    None: there is no model with a price.
    """
    priced = [registry_pb2.Price() if model.free else model.price for model in models if model.free or model.HasField("price")]
    if not priced:
        return None
    floor = registry_pb2.PriceFloor(currency=next((price.currency for price in priced if price.currency), ""))
    for component in components(*priced):
        _put(floor, component, min(figure(price, component) for price in priced))
    return floor


def _put(floor: registry_pb2.PriceFloor, component: Component, least: int) -> None:
    rated: registry_pb2.PriceFloor | registry_pb2.PriceVariant = floor
    if component.tier or component.upstream_model:
        place = (component.tier, component.upstream_model)
        rated = next((each for each in floor.variants if (each.tier, each.upstream_model) == place), None) or floor.variants.add(
            tier=component.tier, upstream_model=component.upstream_model
        )
    if component.rate:
        setattr(rated, component.rate, least)
    else:
        size, quality = component.image
        rated.images.add(size=size, quality=quality, image_nanos_per_million=least)


def _matches(pattern: str, upstream: str) -> bool:
    return upstream.startswith(pattern[:-1]) if pattern.endswith("*") else upstream == pattern
