"""Reads JSON that strangers wrote: each value by its type, each complaint with the path to it.

An absent key and a `null` are the same. `rest` is what nobody asked for: the keys that the typed payload does not model. The
functions do for one value what `Fields` does for an object: for what every request and answer has, where an object more would count.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from typing import Any, Self, TypeVar

from llm_mesh_dialects.errors import DialectError

T = TypeVar("T")
_INT64 = 2**63


class Fields:
    """One JSON object at its path."""

    __slots__ = ("_path", "_taken", "_values")

    def __init__(self, value: object, path: str = "") -> None:
        if not isinstance(value, dict):
            raise DialectError(path, "expected an object")
        self._values: dict[str, Any] = value
        self._path = path
        self._taken: set[str] = set()

    def at(self, key: str) -> str:
        """The path of a key."""
        return f"{self._path}.{key}" if self._path else key

    def wrong(self, key: str, expected: str) -> DialectError:
        """The complaint about a key."""
        return DialectError(self.at(key), expected)

    def raw(self, key: str) -> Any:  # noqa: ANN401 (JSON)
        """Whatever stands there; None where nothing does."""
        self._taken.add(key)
        return self._values.get(key)

    def peek(self, key: str) -> Any:  # noqa: ANN401 (JSON)
        """Likewise, without counting it as read."""
        return self._values.get(key)

    def text(self, key: str) -> str | None:
        self._taken.add(key)
        value = self._values.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self.wrong(key, "expected a string")

    def required_text(self, key: str) -> str:
        """A text that must be there and not be empty."""
        value = self.text(key)
        if not value:
            raise self.wrong(key, "required: expected a string")
        return value

    def truth(self, key: str) -> bool | None:
        """True or false."""
        return self._of(key, bool, "expected true or false")

    def whole(self, key: str, least: int = -_INT64, most: int = _INT64 - 1) -> int | None:
        """A whole number; `2.0` is one too."""
        value = self.raw(key)
        return None if value is None else a_whole(value, self.at(key), least, most)

    def number(self, key: str) -> float | None:
        value = self.raw(key)
        return None if value is None else a_number(value, self.at(key))

    def items(self, key: str) -> list[Any]:
        """A list; empty where nothing is."""
        return self._of(key, list, "expected a list") or []

    def texts(self, key: str) -> list[str]:
        """A list of texts; one text counts as a list of one."""
        value = self.raw(key)
        return [] if value is None else some_texts(value, self.at(key))

    def inner(self, key: str) -> Self | None:
        """The object inside."""
        self._taken.add(key)
        value = self._values.get(key)
        return None if value is None else type(self)(value, self.at(key))

    def required(self, key: str) -> Self:
        """The object inside, which must be there."""
        inner = self.inner(key)
        if inner is None:
            raise self.wrong(key, "required: expected an object")
        return inner

    def each(self, key: str) -> Iterator[Self]:
        """The objects of a list."""
        values = self.items(key)
        if values:
            path = self.at(key)
            for index, value in enumerate(values):
                yield type(self)(value, f"{path}[{index}]")

    def rest(self) -> dict[str, Any]:
        """What was not read."""
        if len(self._taken) >= len(self._values) and self._taken >= self._values.keys():
            return {}
        return {key: value for key, value in self._values.items() if key not in self._taken}

    def whole_object(self) -> dict[str, Any]:
        """All of it, as it came."""
        return self._values

    def _of(self, key: str, kind: type[T], expected: str) -> T | None:
        value = self.raw(key)
        if value is None:
            return None
        if not isinstance(value, kind):
            raise self.wrong(key, expected)
        return value


def a_text(value: object, path: str) -> str:
    """A text; empty where nothing is."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    raise DialectError(path, "expected a string")


def a_truth(value: object, path: str) -> bool:
    """True or false; false where nothing is."""
    if value is None or isinstance(value, bool):
        return bool(value)
    raise DialectError(path, "expected true or false")


def a_whole(value: object, path: str, least: int = -_INT64, most: int = _INT64 - 1) -> int:
    """A whole number; `2.0` is one too."""
    if type(value) is not int:  # as nearly all are; a truth value is none, though Python counts it among them
        if not isinstance(value, float) or not value.is_integer():
            raise DialectError(path, "expected a whole number")
        value = int(value)
    if not least <= value <= most:
        raise DialectError(path, f"expected a whole number from {least} to {most}")
    return value


def a_number(value: object, path: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise DialectError(path, "expected a number")
    try:
        return float(value)
    except OverflowError:
        raise DialectError(path, "expected a number that 64 bits can hold") from None


def some_texts(value: object, path: str) -> list[str]:
    """A list of texts; one text counts as a list of one."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise DialectError(path, "expected a string or a list of strings")
    return value


def unread(values: dict[str, Any], known: AbstractSet[str]) -> dict[str, Any]:
    """The keys that are not among the known ones."""
    return {} if values.keys() <= known else {key: value for key, value in values.items() if key not in known}
