"""Numbers and truth values of forms, where every field is a text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import orjson

from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.fields import Fields

_TRUTHS: Final = {"true": True, "false": False}


def fields_of_form(form: object, *, numbers: Iterable[str], truths: Iterable[str]) -> Fields:
    """The fields of a form, those that are numbers or truth values as such."""
    values = dict(Fields(form).whole_object())
    for key in numbers:
        if isinstance(text := values.get(key), str):
            values[key] = _number(text, key)
    for key in truths:
        if isinstance(text := values.get(key), str):
            values[key] = _truth(text, key)
    return Fields(values)


def _truth(text: str, key: str) -> bool:
    if text not in _TRUTHS:
        raise DialectError(key, "expected true or false")
    return _TRUTHS[text]


def _number(text: str, key: str) -> float:
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DialectError(key, "expected a number")
    return value
