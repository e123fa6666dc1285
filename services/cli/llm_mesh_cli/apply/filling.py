"""Fills messages from the file by their descriptors, so that every field of a contract can be written without code of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from llm_mesh_cli.apply.reading import FileNode
from llm_mesh_cli.failures import CommandError
from llm_mesh_cli.texts import duration, moment, money
from llm_mesh_runtime.resources import is_open

OUTPUT_ONLY = (
    "name",
    "etag",
    "create_time",
    "update_time",
    "built_in",
    "conflicts",
    "spent",
    "held",
    "period_end_time",
    "close_time",
    "state",
    "floor",
    "effective",
    "conflicts",
)
_INTEGERS = {FieldDescriptor.CPPTYPE_INT32, FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT32, FieldDescriptor.CPPTYPE_UINT64}
Field = Any
"""A descriptor; protobuf has two types of it that share no base."""
_RATE = "_nanos_per_million"
_PRICES = frozenset({"llm_mesh.registry.v1.Price", "llm_mesh.registry.v1.PriceFloor"})
_RATED = _PRICES | {"llm_mesh.registry.v1.PriceVariant", "llm_mesh.registry.v1.ImagePrice"}


def names(message: Message, *, without: Iterable[str] = ()) -> list[str]:
    """The keys that may be written of a message."""
    left_out = {*OUTPUT_ONLY, *without}
    return [key_of(message, field) for field in message.DESCRIPTOR.fields if field.name not in left_out]


def fill(message: Message, fields: dict[str, FileNode], currency: str) -> list[str]:
    """Set what is written, and answer the paths of it: those of `null` too, which unsets. Other keys than fields are not looked at."""
    paths: list[str] = []
    for field in message.DESCRIPTOR.fields:
        place = fields.get(key_of(message, field))
        if place is None or field.name in OUTPUT_ONLY:
            continue
        inner: list[str] = []
        if place.is_null:
            pass
        elif field.is_repeated:
            _fill_list(message, field, place, currency)
        elif field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            inner = _fill_message(getattr(message, field.name), place, currency)
        else:
            setattr(message, field.name, _scalar(field, place))
        paths += [f"{field.name}.{path}" for path in inner] if is_open(field) and inner else [field.name]
    return paths


def _fill_list(message: Message, field: Field, place: FileNode, currency: str) -> None:
    values: Any = getattr(message, field.name)
    for item in place.items():
        if field.cpp_type == FieldDescriptor.CPPTYPE_MESSAGE:
            one = values.add()
            fill(one, item.fields(*names(one)), currency)
        else:
            values.append(_scalar(field, item))


def _fill_message(message: Any, place: FileNode, currency: str) -> list[str]:  # noqa: ANN401 (a field of any message type)
    convert = _CONVERSIONS.get(message.DESCRIPTOR.full_name)
    if convert is not None:
        with_problem(place, lambda: convert(message, place, currency))
        return []
    fields = place.fields(*names(message))
    paths = fill(message, fields, currency)
    if message.DESCRIPTOR.full_name in _PRICES:
        message.currency = currency
        paths.append("currency")
    message.SetInParent()
    return paths


def with_problem(place: FileNode, work: Callable[[], object]) -> None:
    """A conversion that fails is a problem of its place."""
    try:
        work()
    except (CommandError, ValueError) as error:
        place.problem(str(error))


def _scalar(field: Field, place: FileNode) -> Any:  # noqa: ANN401 (a field of any scalar type)
    if field.name.endswith(_RATE):
        incomplete: list[int] = []
        with_problem(place, lambda: incomplete.append(money(place.text()).nanos))
        return incomplete[0] if incomplete else 0
    if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
        return place.flag()
    if field.cpp_type in _INTEGERS:
        return place.integer()
    if field.cpp_type == FieldDescriptor.CPPTYPE_ENUM:
        return _enum(field, place)
    return place.text()


def _enum(field: Field, place: FileNode) -> int:
    """`monthly` is BUDGET_PERIOD_MONTHLY."""
    zero = field.enum_type.values_by_number[0].name
    prefix = zero.removesuffix("UNSPECIFIED")
    known = {value.name.removeprefix(prefix).lower(): value.number for value in field.enum_type.values if value.number}
    text = place.text().lower().replace("-", "_")
    if text not in known:
        place.problem(f"expected one of {', '.join(known)}")
    return int(known.get(text, 0))


def key_of(message: Message, field: Field) -> str:
    """How a field is written: prices leave their unit out, and limits say `per`."""
    if message.DESCRIPTOR.full_name in _RATED:
        return str(field.name.removesuffix(_RATE))
    return "per" if field.name == "window" else str(field.name)


def _money(message: Any, place: FileNode, currency: str) -> None:  # noqa: ANN401 (Money)
    message.CopyFrom(money(place.text(), currency))


def _time(message: Any, place: FileNode, _currency: str) -> None:  # noqa: ANN401 (Timestamp)
    message.FromDatetime(moment(place.text()))


def _duration(message: Any, place: FileNode, _currency: str) -> None:  # noqa: ANN401 (Duration)
    message.FromTimedelta(duration(place.text()))


_CONVERSIONS: dict[str, Callable[[Any, FileNode, str], None]] = {
    "llm_mesh.mesh.v1.Money": _money,
    "google.protobuf.Timestamp": _time,
    "google.protobuf.Duration": _duration,
}
