"""Checks of single values: a text, a number, an enum, a time. Each raises what it expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from google.protobuf.descriptor import FieldDescriptor

from llm_mesh.mesh.v1 import rules_pb2
from llm_mesh_runtime.nesting import deeper_than
from llm_mesh_runtime.validation import words
from llm_mesh_runtime.validation.broken import BrokenRule

Check = Callable[[Any], None]
_Holds = Callable[[Any], bool]
_ID = r"[a-z0-9-]{1,63}"
_FIRST_SECOND, _LAST_SECOND = -62_135_596_800, 253_402_300_799
"""From the year 1 to the year 9999, as `google.protobuf.Timestamp` has them."""
_LONGEST_SECONDS = 315_576_000_000
_SECOND = 1_000_000_000


def check_of_value(field: Any, rule: rules_pb2.FieldRule, *, known_enums: bool) -> Check | None:  # noqa: ANN401 (a descriptor)
    """The check of one value of a field that is no message of ours; None where every value is right."""
    checks = [_raising(holds, expected) for holds, expected in _conditions(field, rule, known_enums=known_enums)]
    return _together(checks)


def check_of_text(rule: rules_pb2.TextRule) -> Check | None:
    """The check of a key of a map."""
    return _together([_raising(holds, f"the key {expected}") for holds, expected in _text(rule, "", of_bytes=False)])


def resource_pattern(template: str, segment: str = _ID) -> re.Pattern[str]:
    """`domains/{domain}/routes/{route}` as an expression with a group per id."""
    return re.compile("/".join(f"({segment})" if part.startswith("{") else re.escape(part) for part in template.split("/")))


def _conditions(field: Any, rule: rules_pb2.FieldRule, *, known_enums: bool) -> Iterator[tuple[_Holds, str]]:  # noqa: ANN401 (a descriptor)
    if field.message_type is not None:
        yield from _well_known(field.message_type.full_name, rule)
    elif field.enum_type is not None:
        if known_enums:
            zero = () if field.has_presence else (0,)  # of a list: alone it would be unset, which `required` looks at
            yield frozenset(field.enum_type.values_by_number).difference(zero).__contains__, _names(field.enum_type)
    elif rule.HasField("text"):
        yield from _text(rule.text, rule.expected, of_bytes=field.type == FieldDescriptor.TYPE_BYTES)
    elif rule.HasField("min") or rule.HasField("max"):
        yield _range(rule), words.number(rule)


def _well_known(name: str, rule: rules_pb2.FieldRule) -> Iterator[tuple[_Holds, str]]:
    if name == "google.protobuf.Timestamp":
        yield _valid_time, words.VALID_TIME
    if name == "google.protobuf.Duration":
        yield _valid_duration, words.VALID_DURATION
        if rule.HasField("min_duration") or rule.HasField("max_duration"):
            least = rule.min_duration.ToNanoseconds() if rule.HasField("min_duration") else None
            most = rule.max_duration.ToNanoseconds() if rule.HasField("max_duration") else None
            yield _between(least, most, above=rule.above_min), words.duration(rule)


def _text(rule: rules_pb2.TextRule, expected: str, *, of_bytes: bool) -> Iterator[tuple[_Holds, str]]:
    in_words = f"must be {expected}" if expected else ""
    if rule.min_bytes or rule.max_bytes:
        yield (_size(rule) if of_bytes else _text_size(rule)), in_words or words.size(rule)
    if rule.pattern:
        matches = re.compile(rule.pattern).fullmatch
        yield (lambda text: matches(text) is not None), in_words or f"must be like {rule.pattern}"
    if rule.one_of:
        yield frozenset(rule.one_of).__contains__, in_words or words.one_of(rule)
    if rule.resource:
        patterns = [resource_pattern(template).fullmatch for template in rule.resource]
        yield (lambda name: any(matches(name) is not None for matches in patterns)), in_words or words.resource(rule)
    if rule.max_json_depth:
        most = rule.max_json_depth
        yield (lambda text: _is_text(text) and not deeper_than(text, most)), words.json_depth(rule)


def _size(rule: rules_pb2.TextRule) -> _Holds:
    least, most = rule.min_bytes, rule.max_bytes or float("inf")
    return lambda raw: least <= len(raw) <= most


def _text_size(rule: rules_pb2.TextRule) -> _Holds:
    least, most = rule.min_bytes, rule.max_bytes or float("inf")

    def fits(text: str) -> bool:
        size = len(text)
        return least <= size <= most if text.isascii() else size <= most and least <= len(text.encode()) <= most

    return fits


def _is_text(value: str | bytes) -> bool:
    if isinstance(value, str):
        return True
    try:
        value.decode()
    except UnicodeDecodeError:
        return False
    return True


def _range(rule: rules_pb2.FieldRule) -> _Holds:
    return _within(rule.min if rule.HasField("min") else None, rule.max if rule.HasField("max") else None, above=rule.above_min)


def _between(least: int | None, most: int | None, *, above: bool) -> _Holds:
    holds = _within(least, most, above=above)
    return lambda duration: holds(duration.ToNanoseconds())


def _within(least: int | None, most: int | None, *, above: bool) -> _Holds:
    low = float("-inf") if least is None else least
    high = float("inf") if most is None else most
    if above:
        return lambda value: low < value <= high
    return lambda value: low <= value <= high


def _valid_time(time: Any) -> bool:  # noqa: ANN401 (a timestamp)
    return bool(_FIRST_SECOND <= time.seconds <= _LAST_SECOND and 0 <= time.nanos < _SECOND)


def _valid_duration(duration: Any) -> bool:  # noqa: ANN401 (a duration)
    seconds, nanos = duration.seconds, duration.nanos
    return bool(-_LONGEST_SECONDS <= seconds <= _LONGEST_SECONDS and -_SECOND < nanos < _SECOND and seconds * nanos >= 0)


def _names(enum: Any) -> str:  # noqa: ANN401 (a descriptor)
    return "must be one of " + ", ".join(value.name for value in enum.values if value.number)


def _raising(holds: _Holds, expected: str) -> Check:
    def check(value: Any) -> None:  # noqa: ANN401 (any value)
        if not holds(value):
            raise BrokenRule(expected)

    return check


def _together(checks: list[Check]) -> Check | None:
    if len(checks) <= 1:
        return checks[0] if checks else None

    def check(value: Any) -> None:  # noqa: ANN401 (any value)
        for each in checks:
            each(value)

    return check
