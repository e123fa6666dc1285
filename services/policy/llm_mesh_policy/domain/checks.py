"""What is valid in the fields that people set. Each refusal names the field and what was expected."""

from __future__ import annotations

import re
from collections.abc import Iterable

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import checked_id

_DISPLAY_NAME_BYTES = 255
_DESCRIPTION_BYTES = 1024
_REGION = re.compile(r"[a-z0-9-]{1,63}")
_DATA_CLASS = re.compile(r"[a-z0-9_-]{1,63}")
_MODEL = re.compile(r"[A-Za-z0-9._:/-]{0,128}\*?")
_ACTION = re.compile(r"\*|[A-Za-z]{1,63}\.(\*|[A-Za-z]{1,63})")
_RESOURCE = re.compile(r"[A-Za-z0-9._:/@+-]{0,255}\*?")
_MOST_MODELS = 256
_MOST_REGIONS = 64
_MOST_PERMISSIONS = 256
_MOST_PATTERNS = 64
_MOST_OUTPUT_TOKENS = 2**31 - 1
_WILDCARD = "-"


def new_id(value: str, field: str) -> str:
    """An id for a resource to be created; `-` stands for all of them elsewhere."""
    if checked_id(value, field) == _WILDCARD:
        raise invalid(field, "must not be `-`, which stands for all")
    return value


def domain(message: identity_pb2.Domain, field: str) -> None:
    """A domain."""
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)
    _each(message.regions, _REGION, f"{field}.regions", _MOST_REGIONS, "a region, 1 to 63 of a-z, 0-9 and -")
    if message.default_data_class and not _DATA_CLASS.fullmatch(message.default_data_class):
        raise invalid(f"{field}.default_data_class", "must be 1 to 63 of a-z, 0-9, _ and -")


def project(message: identity_pb2.Project, field: str) -> None:
    """A project."""
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)
    models(message.allowed_models, f"{field}.allowed_models")
    if not 0 <= message.max_output_tokens <= _MOST_OUTPUT_TOKENS:
        raise invalid(f"{field}.max_output_tokens", f"must be 0 to {_MOST_OUTPUT_TOKENS}")


def principal(message: identity_pb2.Principal, field: str) -> None:
    """A principal."""
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)


def key(message: identity_pb2.Key, field: str) -> None:
    """What people say about a key."""
    _text(message.display_name, f"{field}.display_name", _DISPLAY_NAME_BYTES)
    models(message.allowed_models, f"{field}.allowed_models")
    if len(message.projects) > _MOST_PATTERNS:
        raise invalid(f"{field}.projects", f"at most {_MOST_PATTERNS}")


def role(message: rules_pb2.Role, field: str) -> None:
    """A role."""
    _text(message.description, f"{field}.description", _DESCRIPTION_BYTES)
    if len(message.permissions) > _MOST_PERMISSIONS:
        raise invalid(f"{field}.permissions", f"at most {_MOST_PERMISSIONS}")
    for number, permission in enumerate(message.permissions):
        place = f"{field}.permissions[{number}]"
        if not permission.actions:
            raise invalid(f"{place}.actions", "at least one action")
        _each(permission.actions, _ACTION, f"{place}.actions", _MOST_PATTERNS, "an action such as `models.get`, `models.*` or `*`")
        wanted = "a resource relative to the scope, whole or as a prefix ending in `*`"
        _each(permission.resources, _RESOURCE, f"{place}.resources", _MOST_PATTERNS, wanted)
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


def _text(value: str, field: str, most: int) -> None:
    if len(value.encode()) > most:
        raise invalid(field, f"at most {most} bytes")


def _each(values: Iterable[str], form: re.Pattern[str], field: str, most: int, expected: str) -> None:
    for number, value in enumerate(values):
        if number >= most:
            raise invalid(field, f"at most {most}")
        if not form.fullmatch(value):
            raise invalid(f"{field}[{number}]", f"must be {expected}")
