"""What is valid in the resources that people set: the rules of their fields, and what depends on several fields at once."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, rules_pb2
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import checked_id
from llm_mesh_runtime.validation import check_message

_MOST_MODEL_BYTES = 16_384
_MOST_RULES = 512
"""Of one role: each action on each resource that a permission names."""
_WILDCARD = "-"


def new_id(value: str, field: str) -> str:
    """An id for a resource to be created; `-` stands for all of them elsewhere."""
    if checked_id(value, field) == _WILDCARD:
        raise invalid(field, "must not be `-`, which stands for all")
    return value


def domain(message: identity_pb2.Domain, field: str) -> None:
    check_message(message, field)
    for name in ("regions", "allowed_adapters"):
        if _WILDCARD in getattr(message, name):
            raise invalid(f"{field}.{name}", "must not name `-`; to allow nothing disable the domain's keys")


def floor(message: floors_pb2.Floor, field: str) -> None:
    check_message(message, field)
    for name in _FLOOR_LISTS:
        values = getattr(message, name)
        if _WILDCARD in values and len(values) > 1:
            raise invalid(f"{field}.{name}", "must be `-` alone to allow nothing")
    detectors: set[str] = set()
    for number, rule in enumerate(message.screening):
        if rule.detector in detectors:
            raise invalid(f"{field}.screening[{number}].detector", f"must name {rule.detector} once")
        detectors.add(rule.detector)


def project(message: identity_pb2.Project, field: str) -> None:
    check_message(message, field)
    models(message.allowed_models, f"{field}.allowed_models")


def principal(message: identity_pb2.Principal, field: str) -> None:
    check_message(message, field)


def key(message: identity_pb2.Key, field: str) -> None:
    """What people say about a key."""
    check_message(message, field)
    models(message.allowed_models, f"{field}.allowed_models")


def role(message: rules_pb2.Role, field: str) -> None:
    check_message(message, field)
    rules = sum(len(permission.actions) * max(1, len(permission.resources)) for permission in message.permissions)
    if rules > _MOST_RULES:
        raise invalid(f"{field}.permissions", f"at most {_MOST_RULES} rules, counting each action on each resource, not {rules}")


def binding(message: rules_pb2.Binding, field: str) -> None:
    """A binding; its names are checked where they are resolved."""
    check_message(message, field)


def models(aliases: Iterable[str], field: str) -> None:
    """How long a list of aliases and prefixes is in all."""
    if sum(len(alias) for alias in aliases) > _MOST_MODEL_BYTES:
        raise invalid(field, f"at most {_MOST_MODEL_BYTES} bytes in all")


_FLOOR_LISTS = (
    "regions", "data_classes", "allowed_adapters", "allowed_endpoints", "may_publish_to", "may_accept_from", "allowed_models",
)  # fmt: skip
"""Which allow nothing where they are `-` alone."""
