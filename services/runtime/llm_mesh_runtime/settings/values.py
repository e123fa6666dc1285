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


def convert(wanted: object, given: object) -> object:
    """The value of type `wanted` that `given` (text, or what TOML made of it) stands for."""
    if get_origin(wanted) in {Union, UnionType}:
        return _optional(wanted, given)
    if get_origin(wanted) is Literal:
        return _one_of(get_args(wanted), given)
    if get_origin(wanted) is tuple:
        return _words(given)
    if isinstance(wanted, type):
        return _plain(wanted, given)
    raise TypeError(f"settings cannot be of type {wanted}")


def described(wanted: object) -> str:
    """The type in words, for error messages and the generated tables."""
    if get_origin(wanted) in {Union, UnionType}:
        return " or ".join(described(option) for option in get_args(wanted) if option is not NoneType) + ", or empty"
    if get_origin(wanted) is Literal:
        return "one of " + ", ".join(f"`{option}`" for option in get_args(wanted))
    if get_origin(wanted) is tuple:
        return "comma-separated list"
    if isinstance(wanted, type) and issubclass(wanted, StrEnum):
        return "one of " + ", ".join(f"`{option}`" for option in wanted)
    if get_origin(wanted) is Mapping:
        return "one whole number per name" if get_args(wanted)[1] is int else "one text per name"
    names: dict[object, str] = {
        str: "text", int: "whole number", float: "number", bool: "`true` or `false`",
        Secret: "secret", timedelta: "seconds", Path: "path",
    }  # fmt: skip
    return names[wanted]


def _plain(wanted: type, given: object) -> object:
    if wanted is bool:
        return _truth(given)
    if wanted is int:
        return _whole(given)
    if wanted is float:
        return _number(given)
    if wanted is timedelta:
        return _seconds(given)
    if issubclass(wanted, StrEnum):
        return wanted(str(_one_of(tuple(wanted), given)))
    if wanted in {str, Secret, Path}:
        text = _text(given)
        return Path(text).expanduser() if wanted is Path else wanted(text)
    raise TypeError(f"settings cannot be of type {wanted.__name__}")


def _text(given: object) -> str:
    if not isinstance(given, str):
        raise ValueError("expected text")  # noqa: TRY004 (one kind of error for every wrong value)
    return given


def _truth(given: object) -> bool:
    if isinstance(given, bool):
        return given
    word = given.strip().lower() if isinstance(given, str) else ""
    if word not in _TRUE | _FALSE:
        raise ValueError("expected true or false")
    return word in _TRUE


def _whole(given: object) -> int:
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    try:
        return int(_text(given).strip())
    except ValueError:
        raise ValueError("expected a whole number") from None


def _number(given: object) -> float:
    try:
        number = math.nan if isinstance(given, bool) else float(given if isinstance(given, int | float) else _text(given))
    except ValueError:
        raise ValueError("expected a number") from None
    if not math.isfinite(number):
        raise ValueError("expected a number")
    return number


def _seconds(given: object) -> timedelta:
    text = given.strip().removesuffix("s") if isinstance(given, str) else given
    try:
        seconds = _number(text)
    except ValueError:
        raise ValueError("expected seconds, such as 2.5") from None
    if seconds < 0 or seconds > timedelta(days=36_500).total_seconds():
        raise ValueError("expected seconds that are not negative and not above a century")
    return timedelta(seconds=seconds)


def _words(given: object) -> tuple[str, ...]:
    if isinstance(given, list):
        return tuple(_text(word) for word in given)
    return tuple(word.strip() for word in _text(given).split(",") if word.strip())


def _one_of(options: tuple[object, ...], given: object) -> object:
    for option in options:
        if given == option or str(given) == str(option):
            return option
    raise ValueError("expected one of " + ", ".join(str(option) for option in options))


def _optional(wanted: object, given: object) -> object:
    inner = [option for option in get_args(wanted) if option is not NoneType]
    if given is None or given == "":
        return None
    return convert(inner[0], given)
