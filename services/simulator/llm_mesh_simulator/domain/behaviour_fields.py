"""Behaviours from and to plain values: the JSON of the admin API and the options in a model id are read by the same rules."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from enum import StrEnum
from typing import Final, TypeVar

from llm_mesh_simulator.domain.behaviour import Behaviour, Fault, Quirk, Style, ToolHabit, UsageReport
from llm_mesh_simulator.domain.errors import UnknownScriptError

_E = TypeVar("_E", bound=StrEnum)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("a string")  # noqa: TRY004  one type tells what was expected
    return value


def _number(value: object) -> float:
    if isinstance(value, str):
        value = float(value.removesuffix("ms").removesuffix("/s"))
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1e12:  # noqa: PLR2004  finite and sane
        raise ValueError("a number from 0 up")
    return value


def _integer(value: object) -> int:
    number = _number(value)
    if number != int(number):
        raise ValueError("a whole number from 0 up")
    return int(number)


def _flag(value: object) -> bool:
    known = {True: True, False: False, "": True, "1": True, "0": False, "true": True, "false": False}
    if not isinstance(value, bool | str) or value not in known:
        raise ValueError("true or false")
    return known[value]


def _one_of(choices: type[_E]) -> Callable[[object], _E]:
    def read(value: object) -> _E:
        try:
            return choices(_text(value))
        except ValueError as error:
            raise ValueError("one of " + ", ".join(choices)) from error

    return read


def _quirks(value: object) -> frozenset[Quirk]:
    names = value.split(".") if isinstance(value, str) else value
    if not isinstance(names, list | tuple | frozenset):
        raise ValueError("a list of quirks")  # noqa: TRY004  likewise
    return frozenset(_one_of(Quirk)(name) for name in names)


def _status(value: object) -> int:
    status = _integer(value)
    if status and not 400 <= status <= 599:  # noqa: PLR2004  the range of HTTP errors
        raise ValueError("0 or an HTTP status from 400 to 599")
    return status


_READERS: Final[Mapping[str, Callable[[object], object]]] = {
    "answer": _one_of(Style), "text": _text, "tokens": _integer, "tools": _one_of(ToolHabit), "calls": _integer, "refusal": _flag,
    "finish": _text, "headers_ms": _integer, "ttft_ms": _integer, "rate": _number, "status": _status, "error": _text,
    "retry_after": _number, "fault": _one_of(Fault), "after": _integer, "stall_ms": _integer, "first": _integer, "wire": _quirks,
    "drip_ms": _integer, "usage": _one_of(UsageReport), "prompt_tokens": _integer, "completion_tokens": _integer, "overbill": _number,
    "cached": _integer, "reasoning": _integer, "reasoning_content": _flag,
}  # fmt: skip
_NULLABLE: Final = frozenset({"headers_ms", "retry_after", "prompt_tokens", "completion_tokens"})


def changed(behaviour: Behaviour, values: Mapping[str, object]) -> Behaviour:
    """The behaviour with some fields set. Fails with what is expected when a field is unknown or its value wrong."""
    read: dict[str, object] = {}
    for name, value in values.items():
        reader = _READERS.get(name)
        if reader is None:
            raise UnknownScriptError(f"no behaviour has a field {name!r}; there are {', '.join(_READERS)}")
        if value is None and name in _NULLABLE:
            read[name] = None
            continue
        try:
            read[name] = reader(value)
        except ValueError as error:
            raise UnknownScriptError(f"{name!r} must be {error}, not {value!r}") from error
    return replace(behaviour, **read)  # type: ignore[arg-type]  # each reader returns its field's type


def plain(behaviour: Behaviour) -> dict[str, object]:
    """The fields that differ from the defaults, as JSON has them."""
    shown: dict[str, object] = {}
    for field in fields(behaviour):
        value = getattr(behaviour, field.name)
        if value != field.default:
            shown[field.name] = sorted(value) if isinstance(value, frozenset) else value
    return shown
