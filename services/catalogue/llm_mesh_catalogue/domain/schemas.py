"""JSON Schemas of variables: which are taken, and how far their references may expand.

A schema is a program of its tenant: `allOf` and `$ref` double work with every line. So a schema is measured before anything compiles it:
its depth, its subschemas, and how many there are once references are followed. What no bound of its text can foresee, such as a recursive
schema over a deep value, ends by the limits of the child process that validates.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

DEEPEST: Final = 32
MOST_SUBSCHEMAS: Final = 2048
MOST_EXPANDED: Final = 4096
_DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
_REFERENCE: Final = "#/$defs/"
_REFUSED: Final = frozenset(
    {"pattern", "patternProperties", "$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$id", "id", "$anchor"}
    | {"$vocabulary", "definitions", "dependencies"}
)
# Where subschemas stand. Those of the first kind are applied to the same value as the schema itself.
_SAME: Final = frozenset({"allOf", "anyOf", "oneOf", "not", "if", "then", "else", "dependentSchemas"})
_INSIDE: Final = frozenset(
    {"properties", "additionalProperties", "propertyNames", "unevaluatedProperties", "items", "prefixItems", "contains"}
    | {"unevaluatedItems", "contentSchema"}
)
_MAPS: Final = frozenset({"properties", "dependentSchemas", "$defs"})
_LISTS: Final = frozenset({"allOf", "anyOf", "oneOf", "prefixItems"})


class SchemaFaultError(Exception):
    """A schema that is not taken."""


def check(schema: object) -> None:
    """Raise `SchemaFaultError` where the schema is not one of an object, or has more than it may."""
    if not isinstance(schema, dict) or schema.get("type") != "object":
        raise SchemaFaultError('it must be of type "object"')
    if schema.get("$schema", _DRAFT).rstrip("#") != _DRAFT:
        raise SchemaFaultError(f"its $schema must be {_DRAFT}, or left out")
    for count, (place, part) in enumerate(_all(schema, "$")):
        if count >= MOST_SUBSCHEMAS:
            raise SchemaFaultError(f"it has more than {MOST_SUBSCHEMAS} subschemas")
        _check_keywords(place, part)
    _Expansion(schema).check()


def _check_keywords(place: str, part: Mapping[str, Any]) -> None:
    for keyword in part:
        if keyword in _REFUSED:
            raise SchemaFaultError(f"{place}: {keyword} is not allowed")
    reference = part.get("$ref")
    if reference is not None and _name_of(reference) is None:
        raise SchemaFaultError(f"{place}: a $ref must be {_REFERENCE} and a name in the schema's own $defs")


def _all(schema: Mapping[str, Any], place: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The schema and all that stand inside of it, each with its place."""
    yield place, schema
    for keyword in ("$defs", *_SAME, *_INSIDE):
        for key, part in _parts(schema, keyword):
            yield from _all(part, f"{place}.{keyword}{key}")


def _parts(schema: Mapping[str, Any], keyword: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The subschemas of a keyword; `true` and `false` are none. What is malformed is for the validator to say."""
    value = schema.get(keyword)
    if keyword in _MAPS and isinstance(value, dict):
        yield from ((f".{name}", each) for name, each in value.items() if isinstance(each, dict))
    elif keyword in _LISTS and isinstance(value, list):
        yield from ((f"[{number}]", each) for number, each in enumerate(value) if isinstance(each, dict))
    elif keyword not in _MAPS and isinstance(value, dict):
        yield "", value


def _name_of(reference: object) -> str | None:
    """The name in `$defs` that a reference leads to."""
    if not isinstance(reference, str) or not reference.startswith(_REFERENCE):
        return None
    name = reference.removeprefix(_REFERENCE)
    return None if not name or "/" in name or "%" in name else name.replace("~1", "/").replace("~0", "~")


class _Expansion:
    """Counts subschemas with references followed. Each definition is counted once, so counting is quick however large the result."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        definitions = schema.get("$defs")
        self._definitions: Mapping[str, Any] = definitions if isinstance(definitions, dict) else {}
        self._sizes: dict[str, int] = {}
        self._open: set[str] = set()

    def check(self) -> None:
        """Raise where the schema expands too far, or never ends."""
        self._check_loops()
        self._size(self._schema)
        for name in self._definitions:
            self._definition(name)

    def _size(self, schema: Mapping[str, Any]) -> int:
        size = 1 + sum(self._definition(name) for name in _references(schema))
        for keyword in (*_SAME, *_INSIDE):
            size += sum(self._size(part) for _, part in _parts(schema, keyword))
        if size > MOST_EXPANDED:
            raise SchemaFaultError(f"it has more than {MOST_EXPANDED} subschemas once its references are followed")
        return size

    def _definition(self, name: str) -> int:
        known = self._sizes.get(name)
        if known is not None or name in self._open:
            return known or 1  # a definition within itself ends with the value
        definition = self._definitions.get(name)
        if definition is None:
            raise SchemaFaultError(f"there is no {_REFERENCE}{name}")
        self._open.add(name)
        size = self._sizes[name] = self._size(definition) if isinstance(definition, dict) else 1
        self._open.discard(name)
        return size

    def _check_loops(self) -> None:
        """Refuse a definition that leads back to itself for the same value: checking it would never end."""
        leads = {name: set(_same_value(each)) for name, each in self._definitions.items() if isinstance(each, dict)}
        while ends := {name for name, others in leads.items() if not others & leads.keys()}:
            leads = {name: others for name, others in leads.items() if name not in ends}
        if leads:
            raise SchemaFaultError(f"{_REFERENCE}{min(leads)} leads back to itself without going into the value")


def _references(schema: Mapping[str, Any]) -> Iterator[str]:
    if "$ref" in schema:
        yield _name_of(schema["$ref"]) or ""


def _same_value(schema: Mapping[str, Any]) -> Iterator[str]:
    """The definitions that are applied to the same value as the schema."""
    yield from _references(schema)
    for keyword in _SAME:
        for _, part in _parts(schema, keyword):
            yield from _same_value(part)
