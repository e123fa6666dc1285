"""JSON Schemas that bind the model: what the provider takes of them.

Objects are closed, and keywords that the provider does not know move to the description, where the model reads them. The keywords are
those of the provider's own library (`anthropic.transform_schema`, anthropic 2.14).
"""

from __future__ import annotations

from typing import Any, Final

_FORMATS: Final = frozenset({"date-time", "time", "date", "duration", "email", "hostname", "uri", "ipv4", "ipv6", "uuid"})
_TAKEN: Final = frozenset({"$ref", "type", "enum", "const", "description", "title", "required", "default"})
_NAMED: Final = frozenset({"$defs", "definitions", "properties"})
_LISTS: Final = {"anyOf": "anyOf", "oneOf": "anyOf", "allOf": "allOf"}
_WORDS: Final = {
    "minimum": "at least {}",
    "maximum": "at most {}",
    "exclusiveMinimum": "more than {}",
    "exclusiveMaximum": "less than {}",
    "multipleOf": "a multiple of {}",
    "minLength": "at least {} characters",
    "maxLength": "at most {} characters",
    "pattern": "matching the regular expression {}",
    "format": "in the format {}",
    "minItems": "at least {} items",
    "maxItems": "at most {} items",
    "uniqueItems": "without repeated items",
    "minProperties": "at least {} properties",
    "maxProperties": "at most {} properties",
    "not": "and not {}",
}
_DEFINING: Final = frozenset({"$ref", "type", "enum", "const", *_LISTS})
_DEEPEST: Final = 64

Schema = dict[str, Any]


class UnbindableError(ValueError):
    """A schema that the provider cannot be bound to: it allows anything somewhere, or is nested too deeply."""


def bindable(schema: Any) -> Schema:  # noqa: ANN401 (JSON)
    """The schema as the provider takes it. Raises `UnbindableError`."""
    return _bindable(schema, 0)


def _bindable(schema: Any, depth: int) -> Schema:  # noqa: ANN401 (JSON)
    if not isinstance(schema, dict) or depth > _DEEPEST or not schema.keys() & _DEFINING:
        raise UnbindableError
    result: Schema = {}
    unknown: Schema = {}
    for key, value in schema.items():
        if key in _NAMED and isinstance(value, dict):
            result[key] = {name: _bindable(inner, depth + 1) for name, inner in value.items()}
        elif key in _LISTS and isinstance(value, list):
            result[_LISTS[key]] = [_bindable(inner, depth + 1) for inner in value]
        elif key == "items":
            result[key] = _bindable(value, depth + 1)
        elif _is_taken(key, value):
            result[key] = value
        elif key != "additionalProperties":
            unknown[key] = value
    if "properties" in result or schema.get("type") == "object":
        result.setdefault("properties", {})
        result["additionalProperties"] = False
    if unknown:
        bounds = ", ".join(_WORDS.get(key, key + ": {}").format(value) for key, value in unknown.items())
        result["description"] = "\n\n".join(filter(None, (schema.get("description", ""), bounds)))
    return result


def _is_taken(key: str, value: Any) -> bool:  # noqa: ANN401 (JSON)
    if key == "format":
        return isinstance(value, str) and value in _FORMATS
    return value in (0, 1) if key == "minItems" else key in _TAKEN
