"""Typed reading of JSON, with the complaints of each dialect about what is missing or of a wrong type."""

from collections.abc import Iterator, Mapping
from typing import Protocol

from llm_mesh_simulator.domain.errors import RefusedError

_KINDS: Mapping[type, str] = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


class Phrasing(Protocol):
    """How a dialect names fields and complains about them."""

    def at(self, path: str, key: str | int) -> str:
        """The path of a member."""
        ...

    def missing(self, path: str) -> RefusedError:
        """A required field is absent."""
        ...

    def wrong(self, path: str, expected: str, got: str) -> RefusedError:
        """A field has a wrong type."""
        ...


class RequestFields:
    """A JSON object that knows where in the request it stands."""

    __slots__ = ("_path", "_say", "values")

    def __init__(self, values: Mapping[str, object], say: Phrasing, path: str = "") -> None:
        self.values = values
        self._say = say
        self._path = path

    def path(self, key: str) -> str:
        """The path of a member, as the dialect writes it."""
        return self._say.at(self._path, key)

    def text(self, key: str) -> str:
        """A required string."""
        return self._required(key, self.text_or(key))

    def text_or(self, key: str) -> str | None:
        """A string, or None when the field is absent or null."""
        value = self.values.get(key)
        if value is None or isinstance(value, str):
            return value
        raise self._wrong(key, value, "a string")

    def integer(self, key: str) -> int | None:
        """A whole number, or None."""
        value = self.values.get(key)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise self._wrong(key, value, "an integer")

    def flag(self, key: str, *, default: bool = False) -> bool:
        """A boolean."""
        value = self.values.get(key)
        if value is None:
            return default
        if isinstance(value, bool):
            return value
        raise self._wrong(key, value, "a boolean")

    def member(self, key: str) -> "RequestFields | None":
        """An object, or None."""
        value = self.values.get(key)
        if value is None:
            return None
        if isinstance(value, dict):
            return RequestFields(value, self._say, self.path(key))
        raise self._wrong(key, value, "an object")

    def array(self, key: str) -> list[object] | None:
        """An array, or None."""
        value = self.values.get(key)
        if value is None or isinstance(value, list):
            return value
        raise self._wrong(key, value, "an array")

    def objects(self, key: str) -> "Iterator[RequestFields]":
        """The objects of an array; none when it is absent."""
        path = self.path(key)
        for index, value in enumerate(self.array(key) or ()):
            at = self._say.at(path, index)
            if not isinstance(value, dict):
                raise self._say.wrong(at, "an object", _kind(value))
            yield RequestFields(value, self._say, at)

    def texts(self, key: str) -> tuple[str, ...]:
        """A string or an array of strings; nothing when it is absent."""
        value = self.values.get(key)
        if value is None:
            return ()
        if isinstance(value, str):
            return (value,)
        if isinstance(value, list) and all(isinstance(each, str) for each in value):
            return tuple(value)
        raise self._wrong(key, value, "a string or an array of strings")

    def missing(self, key: str) -> RefusedError:
        """The complaint that a field is required."""
        return self._say.missing(self.path(key))

    def _required(self, key: str, value: str | None) -> str:
        if value is None:
            raise self.missing(key)
        return value

    def _wrong(self, key: str, value: object, expected: str) -> RefusedError:
        return self._say.wrong(self.path(key), expected, _kind(value))


def _kind(value: object) -> str:
    name = "null" if value is None else _KINDS.get(type(value), type(value).__name__)
    return ("an " if name[0] in "aio" else "a ") + name
