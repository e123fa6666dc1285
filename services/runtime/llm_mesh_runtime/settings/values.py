"""From text or TOML to the type that a setting declares.

The environment only knows text, a file has types of its own; both end in the same value. A `ValueError` says what was
expected and never what was given.
"""

import math
from collections.abc import Mapping
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from types import NoneType, UnionType
from typing import Literal, Union, get_args, get_origin

from llm_mesh_runtime.secret import Secret

_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off"})


def convert(type_: object, value: object) -> object:
    """The value of type `type_` that `value` (text, or what TOML made of it) stands for."""
    if get_origin(type_) in {Union, UnionType}:
        return _optional(type_, value)
    if get_origin(type_) is Literal:
        return _one_of(get_args(type_), value)
    if get_origin(type_) is tuple:
        return _words(value)
    if isinstance(type_, type):
        return _plain(type_, value)
    raise TypeError(f"settings cannot be of type {type_}")


def described(type_: object) -> str:
    """The type in words, for error messages and the generated tables."""
    if get_origin(type_) in {Union, UnionType}:
        return " or ".join(described(option) for option in get_args(type_) if option is not NoneType) + ", or empty"
    if get_origin(type_) is Literal:
        return "one of " + ", ".join(f"`{option}`" for option in get_args(type_))
    if get_origin(type_) is tuple:
        return "comma-separated list"
    if isinstance(type_, type) and issubclass(type_, StrEnum):
        return "one of " + ", ".join(f"`{option}`" for option in type_)
    if get_origin(type_) is Mapping:
        return "one whole number per name" if get_args(type_)[1] is int else "one text per name"
    names: dict[object, str] = {
        str: "text", int: "whole number", float: "number", bool: "`true` or `false`",
        Secret: "secret", timedelta: "seconds", Path: "path",
    }  # fmt: skip
    return names[type_]


def _plain(type_: type, value: object) -> object:
    if type_ is bool:
        return _truth(value)
    if type_ is int:
        return _whole(value)
    if type_ is float:
        return _number(value)
    if type_ is timedelta:
        return _seconds(value)
    if issubclass(type_, StrEnum):
        return type_(str(_one_of(tuple(type_), value)))
    if type_ in {str, Secret, Path}:
        text = _text(value)
        return Path(text).expanduser() if type_ is Path else type_(text)
    raise TypeError(f"settings cannot be of type {type_.__name__}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("expected text")  # noqa: TRY004 (one kind of error for every wrong value)
    return value


def _truth(value: object) -> bool:
    if isinstance(value, bool):
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if word not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return word in _TRUE


def _whole(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    try:
        return int(_text(value).strip())
    except ValueError:
        raise ValueError("expected a whole number") from None


def _number(value: object) -> float:
    try:
        number = math.nan if isinstance(value, bool) else float(value if isinstance(value, int | float) else _text(value))
    except ValueError:
        raise ValueError("expected a number") from None
    if not math.isfinite(number):
        raise ValueError("expected a number")
    return number


def _seconds(value: object) -> timedelta:
    text = value.strip().removesuffix("s") if isinstance(value, str) else value
    try:
        seconds = _number(text)
    except ValueError:
        raise ValueError("expected seconds, such as 2.5") from None
    if seconds < 0 or seconds > timedelta(days=36_500).total_seconds():
        raise ValueError("expected seconds that are not negative and not above a century")
    return timedelta(seconds=seconds)


def _words(value: object) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(word) for word in value)
    return tuple(word.strip() for word in _text(value).split(",") if word.strip())


def _one_of(options: tuple[object, ...], value: object) -> object:
    for option in options:
        if value == option or str(value) == str(option):
            return option
    raise ValueError("expected one of " + ", ".join(str(option) for option in options))


def _optional(type_: object, value: object) -> object:
    inner = [option for option in get_args(type_) if option is not NoneType]
    if value is None or value == "":
        return None
    return convert(inner[0], value)
