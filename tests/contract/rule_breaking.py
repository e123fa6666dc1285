"""Requests that break one rule each, made from the contracts: a valid request, and one field of it spoiled."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from google.protobuf import message_factory
from google.protobuf.descriptor import FieldDescriptor

from llm_mesh.mesh.v1 import rules_pb2
from llm_mesh_runtime.validation import expectations, rule_of

ONE_REQUIRED: Any = rules_pb2.one_required
ITEM_NAME: Any = rules_pb2.item_name
FITTING = ("a", "*", "a.b", "a/b", "domains/a")
"""Texts of which one is like each pattern of the contracts."""
STRANGE = ("A b!", "*a*", "..", "")
"""Texts of which one is unlike each pattern."""


@dataclass(frozen=True)
class Broken:
    """A request that breaks one rule."""

    rule: str
    request: Any
    field: str
    expected: frozenset[str]
    """What its error may say. Empty: a rule that all fields of the type keep."""


def is_map(field: Any) -> bool:
    return field.message_type is not None and bool(field.message_type.GetOptions().map_entry)


def is_ours(field: Any) -> bool:
    return field.message_type is not None and field.message_type.full_name.startswith("llm_mesh.") and not is_map(field)


def fitting(rule: rules_pb2.TextRule) -> str:
    if rule.one_of:
        return rule.one_of[0]
    if rule.resource:
        return re.sub(r"\{\w+\}", "a", rule.resource[0])
    return next(each for each in FITTING if not rule.pattern or re.fullmatch(rule.pattern, each))


def value_for(field: Any, rule: rules_pb2.FieldRule) -> Any:
    """A value that keeps the rule."""
    if field.message_type is not None:
        return valid(field.message_type) if is_ours(field) else new(field.message_type, seconds=1)
    if field.enum_type is not None:
        return field.enum_type.values[1].number
    if field.type in {FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES}:
        text = fitting(rule.text)
        return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
    return True if field.type == FieldDescriptor.TYPE_BOOL else max(1, rule.min)


def values_for(field: Any, rule: rules_pb2.FieldRule) -> list[Any]:
    """As many as the field needs."""
    return [value_for(field, rule) for _ in range(max(1, rule.min_items))]


def new(descriptor: Any, **fields: Any) -> Any:
    kind = message_factory.GetMessageClass(descriptor)
    return kind(**{name: value for name, value in fields.items() if name in descriptor.fields_by_name})


def put(message: Any, field: Any, *values: Any) -> str:
    """Sets a field. Answers how the path goes on to the value."""
    message.ClearField(field.name)
    if is_map(field):
        for number, value in enumerate(values):
            getattr(message, field.name)["a" if not number else f"a{number}"] = value
        return "[a]"
    if field.is_repeated:
        getattr(message, field.name).extend(values)
        return "[0]"
    if field.message_type is not None:
        getattr(message, field.name).CopyFrom(values[0])
    else:
        setattr(message, field.name, values[0])
    return ""


def valid(descriptor: Any) -> Any:
    """A message with all that is required."""
    message = new(descriptor)
    for field in descriptor.fields:
        rule = rule_of(field)
        if rule.required or rule.required_when:
            put(message, field, *values_for(field, rule))
    for group in descriptor.oneofs:
        if group.GetOptions().Extensions[ONE_REQUIRED]:
            put(message, group.fields[0], value_for(group.fields[0], rule_of(group.fields[0])))
    return message


@dataclass(frozen=True)
class Way:
    """How to come to a message in a request."""

    fields: tuple[Any, ...] = ()
    partial: bool = False

    def follow(self, root: Any) -> tuple[Any, Callable[[], str]]:
        """The message, which is made where it is missing, and its path, once it is spoiled."""
        message, steps = root, []
        for field in self.fields:
            if not getattr(message, field.name) if field.is_repeated else not message.HasField(field.name):
                put(message, field, *values_for(field, rule_of(field)))
            message = getattr(message, field.name)[0] if field.is_repeated else getattr(message, field.name)
            steps.append((field, message))
        return message, lambda: ".".join(named(*step) for step in steps)


def named(field: Any, message: Any) -> str:
    if not field.is_repeated:
        return str(field.name)
    template = field.message_type.GetOptions().Extensions[ITEM_NAME]
    item = template.format_map({each.name: getattr(message, each.name) for each in field.message_type.fields}) if template else "0"
    return f"{field.name}[{item}]"


def ways(root: Any) -> Iterator[tuple[Way, Any]]:
    """To each type of message in a request once, breadth first."""
    seen, waiting = {root.full_name}, [(Way(), root)]
    while waiting:
        way, descriptor = waiting.pop(0)
        yield way, descriptor
        for field in descriptor.fields:
            rule = rule_of(field)
            if is_ours(field) and field.message_type.full_name not in seen and not rule.checked_by_sender:
                seen.add(field.message_type.full_name)
                partial = rule.partial or (way.partial and not field.is_repeated)
                waiting.append((Way((*way.fields, field), partial), field.message_type))


def all_broken(root: Any, *, known_enums: bool) -> Iterator[Broken]:
    """Each rule of a request broken once, in each type of message."""
    for way, descriptor in ways(root):
        for field in descriptor.fields:
            rule = rule_of(field)
            if rule.checked_by_sender:
                continue
            for name, spoil in spoilers(field, rule, known_enums=known_enums, partial=way.partial):
                request = valid(root)
                message, path = way.follow(request)
                rest = spoil(message)
                own = frozenset({*expectations(rule), "is required"} if rule.ByteSize() else ())
                yield Broken(f"{name} of {field.full_name}", request, f"{path()}.{field.name}{rest}".lstrip("."), own)
        for group in descriptor.oneofs:
            if group.GetOptions().Extensions[ONE_REQUIRED] and not way.partial:
                request = valid(root)
                message, path = way.follow(request)
                message.ClearField(str(message.WhichOneof(group.name)))
                expected = f"must have one of {', '.join(field.name for field in group.fields)}"
                yield Broken(f"one of {group.full_name}", request, path() or group.name, frozenset({expected}))


Spoil = Callable[[Any], str]


def spoilers(field: Any, rule: rules_pb2.FieldRule, *, known_enums: bool, partial: bool) -> Iterator[tuple[str, Spoil]]:
    """What breaks the rules of a field: changes of its message that answer how the path goes on."""
    good = value_for(field.message_type.fields_by_name["value"] if is_map(field) else field, rule)

    def setting(*values: Any, at: str | None = None) -> Spoil:
        def spoil(message: Any) -> str:
            rest = put(message, field, *values)
            return rest if at is None else at

        return spoil

    if (rule.required and not partial) or rule.required_when:
        yield "required", clearing(field, rule.required_when)
    if rule.max_items:
        yield "max_items", setting(*[good] * (rule.max_items + 1), at="")
    if rule.min_items > 1:
        yield "min_items", setting(good, at="")
    if rule.unique_items:
        yield "unique_items", setting(good, good, at="")
    if rule.HasField("key"):
        key = "A b!" if rule.key.pattern else "k" * (rule.key.max_bytes + 1)
        yield "key", lambda message: getattr(message, field.name).update({key: good}) or f"[{key[:64]}]"
    if rule.max_depth:
        yield "max_depth", deepening(field, rule.max_depth)
    for name, value in bad_values(field, rule, known_enums=known_enums):
        yield name, setting(value, *[good] * (rule.min_items - 1))


def clearing(field: Any, condition: str) -> Spoil:
    """Of a field that is required: always, or where another field is set or has a value."""

    def spoil(message: Any) -> str:
        name, _, value = condition.partition("=")
        if name and not name.endswith("!"):
            other = field.containing_type.fields_by_name[name]
            put(message, other, other.enum_type.values_by_name[value].number if value else value_for(other, rule_of(other)))
        message.ClearField(field.name)
        return ""

    return spoil


def deepening(field: Any, most: int) -> Spoil:
    """Of `ToolResult.parts`: results of tools in results of tools."""

    def spoil(message: Any) -> str:
        rest = ""
        for _ in range(most):
            part = value_for(field, rule_of(field))
            way = next(each for each in field.message_type.fields if each.message_type is field.containing_type)
            put(part, way, valid(field.containing_type))
            put(message, field, part)
            message = getattr(getattr(message, field.name)[0], way.name)
            rest += f"[0].{way.name}.{field.name}"
        put(message, field, value_for(field, rule_of(field)))
        return rest

    return spoil


def bad_values(field: Any, rule: rules_pb2.FieldRule, *, known_enums: bool) -> Iterator[tuple[str, Any]]:
    """Values that the rule refuses, each by the part of the rule that refuses it."""
    if field.message_type is not None:
        yield from bad_times(field, rule)
    elif field.enum_type is not None:
        if known_enums:
            yield "known", 9999
    elif field.type == FieldDescriptor.TYPE_BYTES:
        yield from ((name, text.encode()) for name, text in bad_texts(field, rule.text))
        if rule.text.max_json_depth:
            yield "utf8", b"\xff"
    elif rule.HasField("text"):
        yield from bad_texts(field, rule.text)
    else:
        yield from bad_numbers(field, rule)


def bad_times(field: Any, rule: rules_pb2.FieldRule) -> Iterator[tuple[str, Any]]:
    if field.message_type.full_name in {"google.protobuf.Timestamp", "google.protobuf.Duration"}:
        yield "valid", new(field.message_type, seconds=1, nanos=-1)
    if rule.HasField("min_duration"):
        yield "min_duration", new(field.message_type)
    if rule.HasField("max_duration"):
        yield "max_duration", new(field.message_type, seconds=rule.max_duration.seconds + 1)


def bad_numbers(field: Any, rule: rules_pb2.FieldRule) -> Iterator[tuple[str, Any]]:
    if rule.HasField("min") and not (rule.above_min and not field.has_presence):
        yield "min", rule.min if rule.above_min else rule.min - 1
    if rule.HasField("max") and rule.max < 2**31 - 1:
        yield "max", rule.max + 1
    if rule.HasField("max") and field.cpp_type == FieldDescriptor.CPPTYPE_DOUBLE:
        yield "a number", float("nan")


def bad_texts(field: Any, rule: rules_pb2.TextRule) -> Iterator[tuple[str, str]]:
    if rule.min_bytes and (field.is_repeated or field.has_presence):
        yield "min_bytes", ""
    if rule.max_bytes:
        yield "max_bytes", "a" * (rule.max_bytes + 1)
    if rule.pattern:
        yield "pattern", next(each for each in STRANGE if not re.fullmatch(rule.pattern, each))
    if rule.one_of or rule.resource:
        yield "form", "none of these"
    if rule.max_json_depth:
        yield "max_json_depth", "[" * (rule.max_json_depth + 1)
