"""What a rule expects, in words: for errors and for the generated page of field rules."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from llm_mesh.mesh.v1 import rules_pb2

MISSING: Final = "is required"
UNIQUE: Final = "must have each item once"
VALID_TIME: Final = "must be a time of the years 1 to 9999"
VALID_DURATION: Final = "must be a duration of at most 10,000 years, its seconds and nanoseconds of one sign"


def expectations(rule: rules_pb2.FieldRule) -> Iterator[str]:
    """All that a rule says about a value, one expectation each, as they end the sentence that begins with the field."""
    if rule.required:
        yield MISSING
    if rule.required_when:
        yield required_when(rule)
    if rule.min_items or rule.max_items:
        yield items(rule)
    if rule.unique_items:
        yield UNIQUE
    if rule.HasField("key"):
        yield from (f"the key {each}" for each in _text(rule.key, ""))
    yield from values(rule)
    if rule.max_depth:
        yield depth(rule)


def values(rule: rules_pb2.FieldRule) -> Iterator[str]:
    """What a rule says about each value."""
    if rule.HasField("text"):
        yield from _text(rule.text, rule.expected)
    if rule.HasField("min") or rule.HasField("max"):
        yield number(rule)
    if rule.HasField("min_duration") or rule.HasField("max_duration"):
        yield duration(rule)


def required_when(rule: rules_pb2.FieldRule) -> str:
    """The condition."""
    if rule.expected:
        return f"must be {rule.expected}"
    other, unlike, value = rule.required_when.partition("!=")
    if unlike:
        return f"is required unless {other} is {value}"
    other, _, value = rule.required_when.partition("=")
    return f"is required where {other} is {value or 'set'}"


def items(rule: rules_pb2.FieldRule) -> str:
    """How many items or entries."""
    if not (rule.min_items or rule.max_items):
        return ""
    return f"must have {_range(rule.min_items or None, rule.max_items or None)}"


def depth(rule: rules_pb2.FieldRule) -> str:
    """How deep a field may hold itself."""
    return f"must be nested at most {rule.max_depth} deep"


def number(rule: rules_pb2.FieldRule) -> str:
    """The range of a number."""
    least = rule.min if rule.HasField("min") else None
    most = rule.max if rule.HasField("max") else None
    if rule.expected:
        return f"must be {rule.expected}"
    if rule.above_min:
        return f"must be above {least:,}" + ("" if most is None else f" and at most {most:,}")
    return f"must be {_range(least, most)}"


def duration(rule: rules_pb2.FieldRule) -> str:
    """The range of a duration."""
    if rule.expected:
        return f"must be {rule.expected}"
    least = _seconds(rule.min_duration) if rule.HasField("min_duration") else None
    most = _seconds(rule.max_duration) if rule.HasField("max_duration") else None
    if least is None:
        return f"must be at most {most} s"
    return f"must be at least {least} s" if most is None else f"must be {least} s to {most} s"


def size(rule: rules_pb2.TextRule) -> str:
    """The length of a text."""
    return f"must be {_range(rule.min_bytes or None, rule.max_bytes or None)} bytes"


def resource(rule: rules_pb2.TextRule) -> str:
    """The form of a resource name."""
    return f"must be of the form {' or '.join(rule.resource)}, with ids of 1 to 63 of a-z, 0-9 and -"


def json_depth(rule: rules_pb2.TextRule) -> str:
    """How deep JSON is nested, and that it can be read."""
    return f"must be JSON text in UTF-8 that is nested at most {rule.max_json_depth} deep"


def one_of(rule: rules_pb2.TextRule) -> str:
    """The texts that are allowed."""
    return f"must be one of {', '.join(rule.one_of)}"


def _text(rule: rules_pb2.TextRule, expected: str) -> Iterator[str]:
    if expected:
        yield f"must be {expected}"
        return
    if rule.min_bytes or rule.max_bytes:
        yield size(rule)
    if rule.pattern:
        yield f"must be like {rule.pattern}"
    if rule.one_of:
        yield one_of(rule)
    if rule.resource:
        yield resource(rule)
    if rule.max_json_depth:
        yield json_depth(rule)


def _range(least: int | None, most: int | None) -> str:
    if least is None:
        return f"at most {most:,}"
    if most is None:
        return f"at least {least:,}"
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _seconds(value: Any) -> str:  # noqa: ANN401 (a duration)
    return f"{value.ToNanoseconds() / 1e9:g}"
