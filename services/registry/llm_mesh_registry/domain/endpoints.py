"""What the facts of an endpoint must be like, and who may see them."""

from __future__ import annotations

import re

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.connections import check_connection
from llm_mesh_registry.domain.prices import check_figures
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern
from llm_mesh_runtime.validation import check_message

ENDPOINT = NamePattern("adapters/{adapter}/endpoints/{endpoint}")
ENDPOINT_FIELDS = frozenset(field.name for field in registry_pb2.Endpoint.DESCRIPTOR.fields) - {
    "name",
    "etag",
    "create_time",
    "update_time",
}
"""What an apply may change."""
PLATFORM = "domains/platform"

_CURRENCY = re.compile(r"[A-Z]{3}")
_HIGHEST_RATE = 10**18


def endpoint_name(model: registry_pb2.Model) -> str:
    """The name of the endpoint that a model uses."""
    return ENDPOINT.format(model.adapter, model.endpoint)


def checked_endpoint(endpoint: registry_pb2.Endpoint, field: str) -> registry_pb2.Endpoint:
    """The endpoint, where all of it is of its documented form."""
    ENDPOINT.parse(endpoint.name, f"{field}.name")
    check_message(endpoint, field)
    if endpoint.HasField("price_floor"):
        _check_floor(endpoint.price_floor, f"{field}.price_floor")
    if endpoint.HasField("connection"):
        check_connection(endpoint.connection, f"{field}.connection")
    return endpoint


def seen_by(endpoint: registry_pb2.Endpoint, domain: str) -> registry_pb2.Endpoint | None:
    """The endpoint as a domain may see it; None where it is not open to the domain. Whole for the platform, else only facts."""
    if domain == PLATFORM:
        return endpoint
    if endpoint.domains and domain not in endpoint.domains:
        return None
    seen = registry_pb2.Endpoint()
    seen.CopyFrom(endpoint)
    seen.ClearField("connection")
    if endpoint.domains:
        del seen.domains[:]
        seen.domains.append(domain)
    return seen


def _check_floor(floor: registry_pb2.PriceFloor, field: str) -> None:
    if _CURRENCY.fullmatch(floor.currency) is None:
        raise invalid(f"{field}.currency", "must be three capital letters, such as USD")
    check_figures(floor, field)
