"""Values of fields as people write them: `25 USD`, `1m30s`, `monthly`, `a, b`; never as protobuf prints them."""

from __future__ import annotations

from datetime import UTC
from typing import Any, Final

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_figures import money

VALUES: Final = (Timestamp.DESCRIPTOR.full_name, Duration.DESCRIPTOR.full_name, resources_pb2.Money.DESCRIPTOR.full_name)
"""Messages that are one value each."""
_UNITS = (("d", 86_400), ("h", 3_600), ("m", 60))
_NANOS = 1_000_000_000
_RATE = "_nanos_per_million"


def value_text(field: Any, value: Any) -> str:  # noqa: ANN401 (a descriptor, of which protobuf has two kinds, and any value)
    """The value of a field, whatever its kind. Empty where nothing is set."""
    if not field.is_repeated:
        return _text(field, value)
    if field.message_type is not None and field.message_type.GetOptions().map_entry:
        return ", ".join(f"{key}={each}" for key, each in sorted(value.items()))
    return ("; " if field.message_type is not None else ", ").join(_text(field, each) for each in value)


def enum_text(kind: Any, number: int) -> str:  # noqa: ANN401 (likewise)
    """`LIMIT_METRIC_INPUT_TOKENS` is `input tokens`."""
    value = kind.values_by_number.get(number)
    prefix = kind.values_by_number[0].name.removesuffix("UNSPECIFIED")
    return value.name.removeprefix(prefix).lower().replace("_", " ") if value is not None else str(number)


def span_text(duration: Duration) -> str:
    """`90s` is `1m30s`; what is less than a second is a fraction of it."""
    sign, whole = ("-", -duration.ToNanoseconds()) if duration.ToNanoseconds() < 0 else ("", duration.ToNanoseconds())
    seconds, nanos = divmod(whole, _NANOS)
    parts = []
    for unit, length in _UNITS:
        count, seconds = divmod(seconds, length)
        if count:
            parts.append(f"{count}{unit}")
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    if seconds or fraction or not parts:
        parts.append(f"{seconds}{fraction}s")
    return sign + "".join(parts)


def _text(field: Any, value: Any) -> str:  # noqa: ANN401 (likewise)
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return enum_text(field.enum_type, value) if value else ""
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return "yes" if value else "no"
    if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
        return message_text(value)
    return value.hex() if isinstance(value, bytes) else str(value)


def message_text(value: Message) -> str:
    """A message that is one value, or its fields in their order."""
    if isinstance(value, Timestamp):
        return value.ToDatetime(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
    if isinstance(value, Duration):
        return span_text(value)
    if isinstance(value, resources_pb2.Money):
        return money.text(value.nanos, value.currency)
    return ", ".join(" ".join(field_text(field, each)) for field, each in value.ListFields())


def field_text(field: Any, value: Any) -> tuple[str, str]:  # noqa: ANN401 (likewise)
    """The name and the value of a field. A rate is what it is per million, under the name that files give it."""
    if field.name.endswith(_RATE):
        return field.name.removesuffix(_RATE), f"{money.text(value, '')} per million"
    return field.name, value_text(field, value)
