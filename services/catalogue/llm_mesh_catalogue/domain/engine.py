"""Templates and values in the engine. Runs in a child process only: nothing here may be trusted to end by itself."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from minijinja import Environment, TemplateError

LARGEST_OUTPUT: Final = 1024 * 1024
FUEL: Final = 1_000_000
_WIDEST: Final = 10**38
_GLOBALS: Final = ("cycler", "debug", "dict", "joiner", "namespace", "lipsum")


class UnfitError(Exception):
    """The template cannot use the values. `variable` is the one that it lacks; empty where it is about something else."""

    def __init__(self, why: str, variable: str = "") -> None:
        super().__init__(why)
        self.why = why
        self.variable = variable


class TooMuchError(Exception):
    """A rendering has used more than it may."""


class SyntaxFaultError(Exception):
    """A template that the engine does not understand."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line
        self.message = message


class Templates:
    """The templates of one version. Each version has an engine of its own, so that none can name another's."""

    def __init__(self, sources: list[str]) -> None:
        self._environment = Environment(
            debug=True,  # the names of variables that are missing
            fuel=FUEL,
            undefined_behavior="strict",
            auto_escape_callback=_never,
            keep_trailing_newline=True,
            trim_blocks=True,
            lstrip_blocks=True,
            pycompat=False,
            filters=_FILTERS,
        )
        for name in _GLOBALS:
            self._environment.remove_global(name)
        self._names = [str(number) for number in range(len(sources))]
        self.faults: dict[int, SyntaxFaultError] = {}
        for name, source in zip(self._names, sources, strict=True):
            try:
                self._environment.add_template(name, source)
            except TemplateError as error:
                self.faults[int(name)] = SyntaxFaultError(error.line or 1, error.detail or error.message)

    def render(self, values: Mapping[str, Any]) -> list[str]:
        """The texts with the values, which are any JSON, in place."""
        absent: list[str] = []
        variables = {name: _wrapped(value, absent) for name, value in values.items()}
        texts = [self._rendered(name, variables) for name in self._names]
        if absent:
            raise UnfitError("the template needs it", absent[0])
        if sum(map(len, texts)) > LARGEST_OUTPUT:
            raise TooMuchError("output")
        return texts

    def _rendered(self, name: str, values: Mapping[str, Any]) -> str:
        try:
            return self._environment.render_template(name, **values)
        except TemplateError as error:
            if error.kind == "OutOfFuel":
                raise TooMuchError("steps") from error
            variable = _named_in(error.detail or "")
            if error.kind == "UndefinedError":
                raise UnfitError("the template needs it", variable) from error
            raise UnfitError(f"line {error.line}: {error.detail or error.message}") from error
        except (ValueError, TypeError, ArithmeticError, LookupError, AttributeError) as error:
            raise UnfitError(str(error)) from error


def _wrapped(value: Any, absent: list[str]) -> Any:  # noqa: ANN401 (any JSON)
    """A value as templates see it: what it holds, and no methods of Python's. `absent` is told of keys that are not there."""
    if isinstance(value, dict):
        return _Mapping({key: _wrapped(each, absent) for key, each in value.items()}, absent)
    if isinstance(value, list):
        return _List([_wrapped(each, absent) for each in value])
    if isinstance(value, int) and not -_WIDEST < value < _WIDEST:
        raise UnfitError("a whole number has at most 38 digits")
    return value


class _Mapping(dict[str, Any]):
    """A mapping without attributes, but for the one by which the engine reads it."""

    __slots__ = ("_absent",)

    def __init__(self, values: dict[str, Any], absent: list[str]) -> None:
        super().__init__(values)
        self._absent = absent

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 (as the base)
        if name in _HIDDEN_OF_MAPPINGS:
            raise AttributeError(name)
        return _Pairs(self, self._absent) if name == "items" else super().__getattribute__(name)


class _Pairs:
    """What the engine calls for the pairs of a mapping. A template that puts it out has named a key that is not there."""

    __slots__ = ("_absent", "_mapping")

    def __init__(self, mapping: dict[str, Any], absent: list[str]) -> None:
        self._mapping = mapping
        self._absent = absent

    def __call__(self) -> Any:  # noqa: ANN401 (as the method of a mapping)
        return dict.items(self._mapping)

    def __str__(self) -> str:
        self._absent.append("items")
        return ""

    def __bool__(self) -> bool:
        self._absent.append("items")
        return False


class _List(list[Any]):
    """A list without attributes."""

    __slots__ = ()

    def __getattribute__(self, name: str) -> Any:  # noqa: ANN401 (as the base)
        if name in _HIDDEN_OF_LISTS:
            raise AttributeError(name)
        return super().__getattribute__(name)


_HIDDEN_OF_MAPPINGS: Final = frozenset(name for name in dir(dict) if not name.startswith("_")) - {"items"}
_HIDDEN_OF_LISTS: Final = frozenset(name for name in dir(list) if not name.startswith("_"))


def _never(_name: str) -> bool:
    return False


def _named_in(detail: str) -> str:
    """The variable that the engine's message names between backticks."""
    parts = detail.split("`")
    return parts[1] if len(parts) > 2 else ""  # noqa: PLR2004 (text, name, text)


def _int(value: Any, default: int = 0) -> Any:  # noqa: ANN401 (as templates call it)
    try:
        return int(value)
    except (TypeError, ValueError):
        try:
            return int(float(value))
        except (TypeError, ValueError, OverflowError):
            return default


def _float(value: Any, default: float = 0.0) -> Any:  # noqa: ANN401 (see above)
    try:
        return float(value)
    except (TypeError, ValueError):
        return default


def _round(value: float, precision: int = 0, method: str = "common") -> float:
    if method == "common":
        return round(value, precision)
    if method not in {"ceil", "floor"}:
        raise ValueError("round knows the methods common, ceil and floor")
    scale: float = 10**precision
    return float(getattr(math, method)(value * scale)) / scale


def _tojson(value: Any) -> str:  # noqa: ANN401 (any JSON)
    return json.dumps(value, ensure_ascii=False)


def _truncate(value: str, length: int = 255, killwords: bool = False, end: str = "...", leeway: int = 5) -> str:  # noqa: FBT001, FBT002 (as templates call it)
    text = str(value)
    if len(text) <= length + leeway:
        return text
    if length < len(end):
        raise ValueError(f"truncate needs a length of at least {len(end)}")
    cut = text[: length - len(end)]
    return (cut if killwords else cut.rsplit(" ", 1)[0]) + end


_FILTERS: Final[Mapping[str, Callable[..., Any]]] = {
    "int": _int,
    "float": _float,
    "round": _round,
    "tojson": _tojson,
    "truncate": _truncate,
}
"""Filters that the engine has with another meaning than Jinja."""
