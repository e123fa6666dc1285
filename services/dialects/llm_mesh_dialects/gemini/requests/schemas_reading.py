"""Google's own form of schemas, `parameters` and `responseSchema`, as JSON Schema: https://ai.google.dev/api/caching#Schema."""

from __future__ import annotations

import re
from typing import Any, Final

from llm_mesh_dialects.errors import DialectError

_TYPES: Final = frozenset({"string", "number", "integer", "boolean", "array", "object", "null"})
_COUNTS: Final = frozenset({"minItems", "maxItems", "minLength", "maxLength", "minProperties", "maxProperties"})
_ONE: Final = frozenset({"items", "additionalProperties"})
_NAMED: Final = frozenset({"properties", "defs"})
_WORDS: Final = {"defs": "$defs", "ref": "$ref"}
_WHOLE: Final = re.compile(r"[0-9]{1,18}")
_DEEPEST: Final = 100


def json_schema(schema: Any, path: str, depth: int = 0) -> Any:  # noqa: ANN401 (JSON)
    """The schema in JSON Schema's words. Raises `DialectError` where it is none."""
    if depth > _DEEPEST:
        raise DialectError(path, f"expected a schema that is nested at most {_DEEPEST} deep")
    if not isinstance(schema, dict):
        raise DialectError(path, "expected a schema: an object")
    made = {_WORDS.get(key, key): _value(key, value, f"{path}.{key}", depth) for key, value in schema.items() if value is not None}
    kind, nullable = made.pop("type", None), made.pop("nullable", None)
    if kind is not None:
        kind = _type(kind, f"{path}.type")
        if kind:
            made = {"type": [kind, "null"] if nullable is True and kind != "null" else kind, **made}
    if nullable is True and not kind and isinstance(made.get("anyOf"), list):
        made["anyOf"] = [*made["anyOf"], {"type": "null"}]
    if nullable is True and isinstance(made.get("enum"), list) and None not in made["enum"]:
        made["enum"] = [*made["enum"], None]
    return made


def _type(kind: Any, path: str) -> str:  # noqa: ANN401 (JSON)
    word = kind.lower() if isinstance(kind, str) else ""
    if word == "type_unspecified":
        return ""
    if word not in _TYPES:
        raise DialectError(path, "expected one of " + ", ".join(each.upper() for each in sorted(_TYPES)))
    return word


def _value(key: str, value: Any, path: str, depth: int) -> Any:  # noqa: ANN401 (JSON)
    if key in _NAMED and isinstance(value, dict):
        return {name: json_schema(inner, f"{path}.{name}", depth + 1) for name, inner in value.items()}
    if key in _ONE and isinstance(value, dict):
        return json_schema(value, path, depth + 1)
    if key == "anyOf" and isinstance(value, list):
        return [json_schema(inner, f"{path}[{index}]", depth + 1) for index, inner in enumerate(value)]
    if key in _COUNTS and isinstance(value, str) and _WHOLE.fullmatch(value):
        return int(value)  # numbers of 64 bits are texts in Google's JSON
    return value
