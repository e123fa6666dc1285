"""A resource as lines for people: every field that is set, in their words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict

from llm_mesh_cli.texts import amount, time_text

if TYPE_CHECKING:
    from collections.abc import Iterator

    from google.protobuf.message import Message

_WIDTH = 24


def lines(message: Message) -> Iterator[str]:
    """One line per field, and one per element of a list of messages."""
    for field, value in message.ListFields():
        if field.is_repeated and field.message_type is not None and not field.message_type.GetOptions().map_entry:
            yield from (f"{field.name:<{_WIDTH}} {_text(field, each)}" for each in value)
        else:
            yield f"{field.name:<{_WIDTH}} {_value(field, value)}"


def _value(field: Any, value: Any) -> str:  # noqa: ANN401 (any field, any value)
    if not field.is_repeated:
        return _text(field, value)
    if field.message_type is not None:
        return ", ".join(f"{key}={each}" for key, each in sorted(value.items()))
    return ", ".join(_text(field, each) for each in value)


def _text(field: Any, value: Any) -> str:  # noqa: ANN401 (likewise)
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return enum_text(field.enum_type, value)
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "yes" if value else "no"
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return _message(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def enum_text(kind: Any, number: int) -> str:  # noqa: ANN401 (protobuf has two types of descriptors that share no base)
    """`LIMIT_METRIC_INPUT_TOKENS` is `input tokens`."""
    value = kind.values_by_number.get(number)
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value.name.removeprefix(prefix).lower().replace("_", " ") if value is not None else str(number)


def _message(value: Any) -> str:  # noqa: ANN401 (likewise)
    kind = value.DESCRIPTOR.full_name
    if kind == "llm_mesh.mesh.v1.Money":
        return amount(value)
    if kind == "google.protobuf.Timestamp":
        return time_text(value)
    if kind == "google.protobuf.Duration":
        return str(MessageToDict(value))
    return "; ".join(f"{field.name} {_value(field, each)}" for field, each in value.ListFields())
