"""What the facts of an endpoint must be like, and who may see them."""

from __future__ import annotations

import re

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_registry.domain.models import DOMAIN, MOST_TOKENS, check_words
from llm_mesh_registry.domain.prices import check_figures
from llm_mesh_registry.domain.terms import HIDING
from llm_mesh_registry.domain.token_floors import BOUNDS
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import NamePattern

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
_LONGEST_DESCRIPTION = 1024
_LONGEST_PROCESSOR = 255
_LONGEST_PATTERN = 256
_MOST_PATTERNS = 256
_MOST_DOMAINS = 1024
_HIGHEST_RATE = 10**18


def endpoint_name(model: registry_pb2.Model) -> str:
    """The name of the endpoint that a model uses."""
    return ENDPOINT.format(model.adapter, model.endpoint)


def checked_endpoint(endpoint: registry_pb2.Endpoint, field: str) -> registry_pb2.Endpoint:
    """The endpoint, where all of it is of its documented form."""
    ENDPOINT.parse(endpoint.name, f"{field}.name")
    DOMAIN.parse(endpoint.operator, f"{field}.operator")
    for name, most in (("description", _LONGEST_DESCRIPTION), ("processor", _LONGEST_PROCESSOR)):
        if len(getattr(endpoint, name).encode()) > most:
            raise invalid(f"{field}.{name}", f"must be at most {most} bytes")
    if endpoint.region:
        check_words([endpoint.region], f"{field}.region")
    for name in ("data_classes", "credentials"):
        check_words(list(getattr(endpoint, name)), f"{field}.{name}")
    _check_patterns(list(endpoint.upstream_models), f"{field}.upstream_models")
    if len(endpoint.domains) > _MOST_DOMAINS or len(set(endpoint.domains)) != len(endpoint.domains):
        raise invalid(f"{field}.domains", f"must be at most {_MOST_DOMAINS} different domains")
    for index, domain in enumerate(endpoint.domains):
        DOMAIN.parse(domain, f"{field}.domains[{index}]")
    if endpoint.HasField("price_floor"):
        _check_floor(endpoint.price_floor, f"{field}.price_floor")
    _check_bounds(endpoint.token_floor, f"{field}.token_floor")
    return endpoint


def seen_by(endpoint: registry_pb2.Endpoint, domain: str) -> registry_pb2.Endpoint | None:
    """The endpoint as a domain may see it: whole for the platform, else without other domains; None where it is not open to the domain."""
    if domain == PLATFORM:
        return endpoint
    if endpoint.domains and domain not in endpoint.domains:
        return None
    seen = registry_pb2.Endpoint()
    seen.CopyFrom(endpoint)
    if endpoint.domains:
        del seen.domains[:]
        seen.domains.append(domain)
    return seen


def _check_patterns(patterns: list[str], field: str) -> None:
    if len(patterns) > _MOST_PATTERNS or len(set(patterns)) != len(patterns):
        raise invalid(field, f"must be at most {_MOST_PATTERNS} different patterns")
    for index, pattern in enumerate(patterns):
        if not 1 <= len(pattern.encode()) <= _LONGEST_PATTERN or "*" in pattern[:-1]:
            raise invalid(f"{field}[{index}]", f"must be 1 to {_LONGEST_PATTERN} bytes, with `*` at the end only")


def _check_floor(floor: registry_pb2.PriceFloor, field: str) -> None:
    if _CURRENCY.fullmatch(floor.currency) is None:
        raise invalid(f"{field}.currency", "must be three capital letters, such as USD")
    check_figures(floor, field)


def _check_bounds(floor: registry_pb2.TokenFloor, field: str) -> None:
    for bound in BOUNDS:
        if not 0 <= getattr(floor, bound) <= MOST_TOKENS:
            raise invalid(f"{field}.{bound}", f"must be 0 to {MOST_TOKENS:,}")
    hidden = list(floor.hidden_output)
    if not HIDING.issuperset(hidden) or len(set(hidden)) != len(hidden):
        raise invalid(f"{field}.hidden_output", f"must be of {', '.join(sorted(HIDING))}, each once")
