"""What is valid in the fields that people set. Each refusal names the field and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from llm_mesh.policy.v1 import floors_pb2, identity_pb2, rules_pb2
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import checked_id

_DISPLAY_NAME_BYTES = 255
_DESCRIPTION_BYTES = 1024
_REGION = re.compile(r"[a-z0-9-]{1,63}")
_DATA_CLASS = re.compile(r"[a-z0-9_-]{1,63}")
_MODEL = re.compile(r"[A-Za-z0-9._:/-]{0,128}\*?")
_ACTION = re.compile(r"\*|[A-Za-z]{1,63}\.(\*|[A-Za-z]{1,63})")
_RESOURCE = re.compile(r"[A-Za-z0-9._:/@+-]{0,255}\*?")
_ADAPTER = re.compile(r"[a-z0-9-]{1,63}")
_ENDPOINT = re.compile(r"[a-z0-9-]{1,63}/[a-z0-9-]{1,63}")
_DOMAIN = re.compile(r"domains/[a-z0-9-]{1,63}")
_MODEL_NAME = re.compile(r"domains/[a-z0-9/-]{0,191}\*?")
_MODEL_NAME_OR_UPSTREAM = re.compile(rf"{_MODEL_NAME.pattern}|upstream:[A-Za-z0-9._:/@+-]{{0,255}}\*?")
_DETECTOR = re.compile(r"[a-z_]{1,63}")
_MOST_MODELS = 256
_MOST_MODEL_BYTES = 16_384
_MOST_OF_FLOOR = 64
_MOST_DOMAINS = 256
_MOST_REGIONS = 64
_MOST_PERMISSIONS = 256
_MOST_PATTERNS = 64
_MOST_RULES = 512
"""Of one role: each action on each resource that a permission names."""
_MOST_OUTPUT_TOKENS = 2**31 - 1
_WILDCARD = "-"


def new_id(value: str, field: str) -> str:
    """An id for a resource to be created; `-` stands for all of them elsewhere."""
    if checked_id(value, field) == _WILDCARD:
        raise invalid(field, "must not be `-`, which stands for all")
    return value


def domain(message: identity_pb2.Domain, field: str) -> None:
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)
    _each(message.regions, _REGION, f"{field}.regions", _MOST_REGIONS, "a region, 1 to 63 of a-z, 0-9 and -")
    if message.default_data_class and not _DATA_CLASS.fullmatch(message.default_data_class):
        raise invalid(f"{field}.default_data_class", "must be 1 to 63 of a-z, 0-9, _ and -")
    _each(message.allowed_adapters, _ADAPTER, f"{field}.allowed_adapters", _MOST_OF_FLOOR, "an adapter, 1 to 63 of a-z, 0-9 and -")
    for name in ("regions", "allowed_adapters"):
        if _WILDCARD in getattr(message, name):
            raise invalid(f"{field}.{name}", "must not name `-`; to allow nothing disable the domain's keys")


def floor(message: floors_pb2.Floor, field: str) -> None:
    for name, (form, most, expected) in _FLOOR_LISTS.items():
        values = getattr(message, name)
        if list(values) != [_WILDCARD]:
            _each(values, form, f"{field}.{name}", most, expected)
            if _WILDCARD in values:
                raise invalid(f"{field}.{name}", "must be `-` alone to allow nothing")
    _each(message.minimum_data_classes, _DATA_CLASS, f"{field}.minimum_data_classes", _MOST_OF_FLOOR, "1 to 63 of a-z, 0-9, _ and -")
    _each(
        message.denied_models, _MODEL_NAME_OR_UPSTREAM, f"{field}.denied_models", _MOST_OF_FLOOR,
        "a model's resource name, or `upstream:` and adapter/endpoint/model, whole or as a prefix ending in `*`",
    )  # fmt: skip
    if not 0 <= message.max_output_tokens <= _MOST_OUTPUT_TOKENS:
        raise invalid(f"{field}.max_output_tokens", f"must be 0 to {_MOST_OUTPUT_TOKENS}")
    _screening(message, field)


def project(message: identity_pb2.Project, field: str) -> None:
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)
    models(message.allowed_models, f"{field}.allowed_models")
    if not 0 <= message.max_output_tokens <= _MOST_OUTPUT_TOKENS:
        raise invalid(f"{field}.max_output_tokens", f"must be 0 to {_MOST_OUTPUT_TOKENS}")


def principal(message: identity_pb2.Principal, field: str) -> None:
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)


def key(message: identity_pb2.Key, field: str) -> None:
    """What people say about a key."""
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)
    models(message.allowed_models, f"{field}.allowed_models")
    if len(message.projects) > _MOST_PATTERNS:
        raise invalid(f"{field}.projects", f"at most {_MOST_PATTERNS}")


def role(message: rules_pb2.Role, field: str) -> None:
    _text(message.description, f"{field}.description", _DESCRIPTION_BYTES)
    if len(message.permissions) > _MOST_PERMISSIONS:
        raise invalid(f"{field}.permissions", f"at most {_MOST_PERMISSIONS}")
    rules = sum(len(permission.actions) * max(1, len(permission.resources)) for permission in message.permissions)
    if rules > _MOST_RULES:
        raise invalid(f"{field}.permissions", f"at most {_MOST_RULES} rules, counting each action on each resource, not {rules}")
    for number, permission in enumerate(message.permissions):
        place = f"{field}.permissions[{number}]"
        if not permission.actions:
            raise invalid(f"{place}.actions", "at least one action")
        _each(permission.actions, _ACTION, f"{place}.actions", _MOST_PATTERNS, "an action such as `models.get`, `models.*` or `*`")
        expected = "a resource relative to the scope, whole or as a prefix ending in `*`"
        _each(permission.resources, _RESOURCE, f"{place}.resources", _MOST_PATTERNS, expected)
        if "" in permission.resources:
            raise invalid(f"{place}.resources", "must not be empty texts; no resources at all stand for every one")


def binding(message: rules_pb2.Binding, field: str) -> None:
    """A binding; its names are checked where they are resolved."""
    for name in ("principal", "role"):
        if not getattr(message, name):
            raise invalid(f"{field}.{name}", "is required")


def models(aliases: Iterable[str], field: str) -> None:
    """A list of aliases and prefixes."""
    _each(aliases, _MODEL, field, _MOST_MODELS, "an alias, or a prefix ending in `*`")
    if "" in aliases:
        raise invalid(field, "must not be empty texts; no models at all stand for every one")
    if sum(len(alias) for alias in aliases) > _MOST_MODEL_BYTES:
        raise invalid(field, f"at most {_MOST_MODEL_BYTES} bytes in all")


def _screening(message: floors_pb2.Floor, field: str) -> None:
    _each((rule.detector for rule in message.screening), _DETECTOR, f"{field}.screening", _MOST_OF_FLOOR, "a detector's name")
    seen: set[str] = set()
    for number, rule in enumerate(message.screening):
        place = f"{field}.screening[{number}]"
        if rule.detector in seen:
            raise invalid(f"{place}.detector", f"must name {rule.detector} once")
        if rule.action not in _SCREENING_ACTIONS:
            raise invalid(f"{place}.action", "must be LOG, MASK or BLOCK")
        seen.add(rule.detector)


_SCREENING_ACTIONS = frozenset({floors_pb2.SCREENING_ACTION_LOG, floors_pb2.SCREENING_ACTION_MASK, floors_pb2.SCREENING_ACTION_BLOCK})
_FLOOR_LISTS: Mapping[str, tuple[re.Pattern[str], int, str]] = {
    "regions": (_REGION, _MOST_REGIONS, "a region, 1 to 63 of a-z, 0-9 and -"),
    "data_classes": (_DATA_CLASS, _MOST_OF_FLOOR, "a data class, 1 to 63 of a-z, 0-9, _ and -"),
    "allowed_adapters": (_ADAPTER, _MOST_OF_FLOOR, "an adapter, 1 to 63 of a-z, 0-9 and -"),
    "allowed_endpoints": (_ENDPOINT, _MOST_OF_FLOOR, "`{adapter}/{endpoint}`"),
    "may_publish_to": (_DOMAIN, _MOST_DOMAINS, "a domain by name"),
    "may_accept_from": (_DOMAIN, _MOST_DOMAINS, "a domain by name"),
    "allowed_models": (_MODEL_NAME, _MOST_OF_FLOOR, "a model's resource name, whole or as a prefix ending in `*`"),
}


def _text(value: str, field: str, most: int) -> None:
    if len(value.encode()) > most:
        raise invalid(field, f"at most {most} bytes")


def _each(values: Iterable[str], form: re.Pattern[str], field: str, most: int, expected: str) -> None:
    for number, value in enumerate(values):
        if number >= most:
            raise invalid(field, f"at most {most}")
        if not form.fullmatch(value):
            raise invalid(f"{field}[{number}]", f"must be {expected}")
