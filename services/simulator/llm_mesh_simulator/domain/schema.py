"""JSON that is valid against a JSON schema, the same for the same seed: arguments of tool calls and structured output."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

from llm_mesh_simulator.domain.pattern import matching
from llm_mesh_simulator.domain.words import words

_DEPTH: Final = 12
_OPTIONAL_DEPTH: Final = 4
_FORMATS: Final = {
    "date-time": "2026-01-31T12:00:00Z",
    "date": "2026-01-31",
    "time": "12:00:00Z",
    "duration": "PT5M",
    "email": "simulator@example.com",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "uuid": "00000000-0000-4000-8000-000000000000",
    "uri": "https://example.com/",
}


def instance(schema: object, *seed: str | int) -> object:
    """A value that is valid against the schema, as far as the keywords that providers accept go."""
    return _Generator(schema, seed).value(schema, 0)


class _Generator:
    def __init__(self, root: object, seed: tuple[str | int, ...]) -> None:
        self._root = root
        self._seed = seed
        self._made = 0

    def value(self, schema: object, depth: int) -> object:
        if not isinstance(schema, Mapping) or depth > _DEPTH:
            return None
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        options = schema.get("enum")
        if isinstance(options, Sequence) and options:
            return options[self._next() % len(options)]
        kind = self._kind(schema, depth)
        match kind:
            case "object":
                made: object = self._object(schema, depth)
            case "array":
                made = self._array(schema, depth)
            case "string":
                made = self._string(schema)
            case "integer" | "number":
                made = self._number(schema, whole=kind == "integer")
            case _:
                made = True if kind == "boolean" else None
        return made

    def _resolved(self, schema: Mapping[str, object], depth: int) -> Mapping[str, object]:
        """The schema with its reference followed, `allOf` merged and an alternative chosen."""
        for _ in range(_DEPTH):
            reference = schema.get("$ref")
            if isinstance(reference, str):
                schema = _merged({key: value for key, value in schema.items() if key != "$ref"}, self._target(reference))
                continue
            every = schema.get("allOf")
            if isinstance(every, Sequence) and every:
                schema = {key: value for key, value in schema.items() if key != "allOf"}
                for part in every:
                    schema = _merged(schema, self._resolved(part, depth) if isinstance(part, Mapping) else {})
                continue
            keyword = "anyOf" if "anyOf" in schema else "oneOf"
            either = schema.get(keyword)
            if isinstance(either, Sequence) and either:
                # Deep down the plainest alternative ends a recursion; above, the first one is what the author thought of first.
                chosen = either[0] if depth < _OPTIONAL_DEPTH else min(either, key=_weight)
                schema = _merged(
                    {key: value for key, value in schema.items() if key != keyword}, chosen if isinstance(chosen, Mapping) else {}
                )
                continue
            break
        return schema

    def _target(self, reference: str) -> Mapping[str, object]:
        node = self._root
        for part in reference.removeprefix("#").strip("/").split("/"):
            key = part.replace("~1", "/").replace("~0", "~")
            if key and isinstance(node, Mapping):
                node = node.get(key)
        return node if isinstance(node, Mapping) else {}

    def _kind(self, schema: Mapping[str, object], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, Sequence) and not isinstance(kind, str):
            kind = "null" if "null" in kind and depth >= _OPTIONAL_DEPTH else next((each for each in kind if each != "null"), "null")
        if isinstance(kind, str):
            return kind
        for keyword, implied in (("properties", "object"), ("required", "object"), ("items", "array"), ("pattern", "string")):
            if keyword in schema:
                return implied
        return "string" if {"minLength", "maxLength", "format"} & schema.keys() else "object"

    def _object(self, schema: Mapping[str, object], depth: int) -> dict[str, object]:
        properties = schema.get("properties")
        properties = properties if isinstance(properties, Mapping) else {}
        required = schema.get("required")
        required = list(required) if isinstance(required, Sequence) else []
        names = [*properties, *(name for name in required if name not in properties)]
        if depth >= _OPTIONAL_DEPTH:
            names = [name for name in names if name in required]
        made = {str(name): self.value(properties.get(name, {"type": "string"}), depth + 1) for name in names}
        least = schema.get("minProperties")
        more = schema.get("additionalProperties")
        while isinstance(least, int) and len(made) < least:
            made[f"key{len(made)}"] = self.value(more if isinstance(more, Mapping) else {"type": "string"}, depth + 1)
        return made

    def _array(self, schema: Mapping[str, object], depth: int) -> list[object]:
        first = schema.get("prefixItems")
        made = [self.value(each, depth + 1) for each in first] if isinstance(first, Sequence) else []
        least, most = schema.get("minItems", 0), schema.get("maxItems", math.inf)
        count = max(least if isinstance(least, int) else 0, 1 if depth < _OPTIONAL_DEPTH else 0)
        items = schema.get("items", {"type": "string"})
        if items is False:
            return made
        tries = 0
        while len(made) < min(count, most if isinstance(most, int) else count) and tries < count * 20:
            tries += 1
            item = self.value(items, depth + 1)
            if not schema.get("uniqueItems") or item not in made:
                made.append(item)
        return made

    def _string(self, schema: Mapping[str, object]) -> str:
        pattern, form = schema.get("pattern"), schema.get("format")
        least, most = schema.get("minLength", 0), schema.get("maxLength")
        if isinstance(pattern, str):
            text = matching(pattern) or ""
        elif isinstance(form, str) and form in _FORMATS:
            text = _FORMATS[form]
        else:
            text = words(1, *self._seed, self._next())[0]
            while isinstance(least, int) and len(text) < least:
                text += " " + text
            text = text[:most] if isinstance(most, int) else text
        return text

    def _number(self, schema: Mapping[str, object], *, whole: bool) -> float:
        low, high = _bound(schema, "minimum"), _bound(schema, "maximum")
        above, below = _bound(schema, "exclusiveMinimum"), _bound(schema, "exclusiveMaximum")
        step = _bound(schema, "multipleOf") or (1 if whole else None)
        floor = max((each for each in (low, above) if each is not None), default=None)
        ceiling = min((each for each in (high, below) if each is not None), default=None)
        if floor is None:
            floor = min(0, ceiling) if ceiling is not None else 0
        value = self._next() % 10 + floor
        if ceiling is not None and value >= ceiling:
            value = floor
        if step:
            value = math.ceil(value / step) * step
        if above is not None and value <= above:
            value = value + step if step else (above + (ceiling if ceiling is not None else above + 1)) / 2
        if below is not None and value >= below:
            value = value - step if step else (floor + below) / 2
        return int(value) if whole or value == int(value) else value

    def _next(self) -> int:
        self._made += 1
        return self._made


def _bound(schema: Mapping[str, object], name: str) -> float | None:
    value = schema.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _weight(schema: object) -> int:
    return 0 if isinstance(schema, Mapping) and schema.get("type") == "null" else len(str(schema))


def _merged(one: Mapping[str, object], other: Mapping[str, object]) -> dict[str, object]:
    merged = {**other, **one}
    for keyword in ("properties", "$defs"):
        if isinstance(one.get(keyword), Mapping) and isinstance(other.get(keyword), Mapping):
            merged[keyword] = {**dict(other[keyword]), **dict(one[keyword])}  # type: ignore[call-overload]  # both are mappings
    if isinstance(one.get("required"), Sequence) and isinstance(other.get("required"), Sequence):
        merged["required"] = [*one["required"], *other["required"]]  # type: ignore[misc]  # both are sequences
    return merged
