"""Calls of tools, as models write them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import orjson


class ModelCall(NamedTuple):
    """A call of a tool, as a model wrote it."""

    name: str
    arguments_json: str


def call_of(text: str) -> ModelCall | None:
    """The call that an object of JSON with `name` and `arguments` or `parameters` is. None: it is none."""
    try:
        value = orjson.loads(text.strip())
    except orjson.JSONDecodeError:
        return None
    return _call(value)


def calls_of(text: str) -> Sequence[ModelCall] | None:
    """The calls of a list of such objects. None: it is no such list."""
    try:
        values = orjson.loads(text.strip())
    except orjson.JSONDecodeError:
        return None
    calls = [_call(value) for value in values] if isinstance(values, list) else [None]
    whole = [call for call in calls if call is not None]
    return whole if len(whole) == len(calls) else None


def _call(value: object) -> ModelCall | None:
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    arguments = value.get("arguments", value.get("parameters", {}))
    return ModelCall(value["name"], arguments if isinstance(arguments, str) else orjson.dumps(arguments).decode())
