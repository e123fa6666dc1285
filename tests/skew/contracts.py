"""Contracts of other versions than today's, as descriptors: the released one, and one that is yet to come.

Messages and calls of another version are built from its descriptors alone, as a peer of that version would have them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor, MethodDescriptor

from llm_mesh.mesh.v1 import access_pb2

GEN = Path(__file__).resolve().parents[2] / "gen"
Version = Literal["released", "today", "future"]
Member = Literal["first", "last"]
_OURS = "llm_mesh/"
_FUTURE_FIELD = 536_870_000
_FUTURE_MEMBER = 536_870_100
_FUTURE_VALUE = 1_000_000
_MOST_DEPTH = 8
_SCALARS: dict[int, object] = {
    FieldDescriptor.CPPTYPE_INT32: 7,
    FieldDescriptor.CPPTYPE_INT64: 7_000_000_007,
    FieldDescriptor.CPPTYPE_UINT32: 7,
    FieldDescriptor.CPPTYPE_UINT64: 7_000_000_007,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.5,
    FieldDescriptor.CPPTYPE_FLOAT: 0.5,
    FieldDescriptor.CPPTYPE_BOOL: True,
}


@dataclass(frozen=True)
class Rpc:
    """One method as a version has it."""

    path: str
    contract: str
    name: str
    request: type[Any]
    response: type[Any]
    streams_in: bool
    streams_out: bool
    public: bool


class Contracts:
    """Everything of one version, in a pool of its own."""

    def __init__(self, files: descriptor_pb2.FileDescriptorSet) -> None:
        self._pool = descriptor_pool.DescriptorPool()
        self._files = [file for file in files.file if file.name.startswith(_OURS)]
        for file in files.file:
            self._pool.Add(file)

    def message(self, name: str) -> type[Any]:
        """The class of a message; KeyError where this version does not have it."""
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(name))

    def messages(self) -> Iterator[str]:
        """The full names of all messages of ours."""
        for file in self._files:
            for message in file.message_type:
                yield from _nested(file.package, message)

    def rpcs(self) -> Iterator[Rpc]:
        """All methods of all services."""
        for file in self._files:
            for service in file.service:
                found = self._pool.FindServiceByName(f"{file.package}.{service.name}")
                for method in found.methods:
                    yield self._rpc(found.full_name, method, service.method[method.index])

    def _rpc(self, contract: str, method: MethodDescriptor, declared: descriptor_pb2.MethodDescriptorProto) -> Rpc:
        options: Any = declared.options
        rule = options.Extensions[access_pb2.access]
        return Rpc(
            path=f"/{contract}/{method.name}",
            contract=contract,
            name=method.name,
            request=message_factory.GetMessageClass(method.input_type),
            response=message_factory.GetMessageClass(method.output_type),
            streams_in=method.client_streaming,
            streams_out=method.server_streaming,
            public=rule.level == access_pb2.ACCESS_LEVEL_PUBLIC,
        )


@cache
def contracts(version: Version) -> Contracts:
    """The contracts of a version. `future` is today's with something new wherever something new may come."""
    name = "released.binpb" if version == "released" else "llm_mesh.binpb"
    files = descriptor_pb2.FileDescriptorSet.FromString((GEN / name).read_bytes())
    if version == "future":
        for file in files.file:
            if file.name.startswith(_OURS):
                extend(file)
    return Contracts(files)


def extend(file: descriptor_pb2.FileDescriptorProto) -> None:
    """Adds a field to every message, a member to every oneof and a value to every enum."""
    for enum in file.enum_type:
        _extend_enum(enum)
    for message in file.message_type:
        _extend_message(message)


def _extend_enum(enum: descriptor_pb2.EnumDescriptorProto) -> None:
    enum.value.add(name=f"FROM_THE_FUTURE_OF_{enum.name.upper()}", number=_FUTURE_VALUE)


def _extend_message(message: descriptor_pb2.DescriptorProto) -> None:
    if message.options.map_entry:
        return
    optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    text = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
    synthetic = {field.oneof_index for field in message.field if field.proto3_optional}
    message.field.add(name="from_the_future", number=_FUTURE_FIELD, type=text, label=optional)
    for index, oneof in enumerate(message.oneof_decl):
        if index not in synthetic:
            name, number = f"future_{oneof.name}", _FUTURE_MEMBER + index
            message.field.add(name=name, number=number, type=text, label=optional, oneof_index=index)
    for enum in message.enum_type:
        _extend_enum(enum)
    for inner in message.nested_type:
        _extend_message(inner)


def filled(message_class: type[Any], member: Member = "first", value: Member = "first") -> Any:
    """A message with every field set, to what depends on the field's name and type alone, so that versions agree.

    `member` says which member of a oneof is set, `value` which of an enum's values: the last ones may be the future's.
    """
    message = message_class()
    _fill(message, _Choice(member, value), _MOST_DEPTH)
    return message


@dataclass(frozen=True)
class _Choice:
    member: Member
    value: Member


def _fill(message: Any, choice: _Choice, depth: int) -> None:
    descriptor: Descriptor = message.DESCRIPTOR
    for field in descriptor.fields:
        oneof = field.containing_oneof
        if oneof is not None and len(oneof.fields) > 1 and field is not oneof.fields[0 if choice.member == "first" else -1]:
            continue
        _set(message, field, choice, depth)


def _set(message: Any, field: FieldDescriptor, choice: _Choice, depth: int) -> None:
    inner = field.message_type
    if inner is not None and depth == 0:
        return
    if inner is not None and inner.GetOptions().map_entry:
        entries, held = getattr(message, field.name), inner.fields_by_name["value"]
        if held.message_type is None:
            entries[_scalar(inner.fields_by_name["key"], choice)] = _scalar(held, choice)
        else:
            _fill(entries[_scalar(inner.fields_by_name["key"], choice)], choice, depth - 1)
    elif inner is not None:
        place = getattr(message, field.name)
        _fill(place.add() if field.is_repeated else place, choice, depth - 1)
        if not field.is_repeated:
            place.SetInParent()
    elif field.is_repeated:
        getattr(message, field.name).append(_scalar(field, choice))
    else:
        setattr(message, field.name, _scalar(field, choice))


def _scalar(field: FieldDescriptor, choice: _Choice) -> object:
    if field.enum_type is not None:
        values = sorted(each.number for each in field.enum_type.values)
        return values[-1] if choice.value == "last" else values[min(1, len(values) - 1)]
    if field.cpp_type == FieldDescriptor.CPPTYPE_STRING:
        return field.name.encode() if field.type == FieldDescriptor.TYPE_BYTES else field.name
    return _SCALARS[field.cpp_type]


def _nested(scope: str, message: descriptor_pb2.DescriptorProto) -> Iterator[str]:
    if message.options.map_entry:
        return
    name = f"{scope}.{message.name}"
    yield name
    for inner in message.nested_type:
        yield from _nested(name, inner)
