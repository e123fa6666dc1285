"""The shape of a request of the typed contract, from its descriptor: as the JSON that protobuf reads."""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor import Descriptor, FieldDescriptor, OneofDescriptor

from tests.conformance.sdk_shapes import Samples
from tests.conformance.shapes import Choice, Leaf, Listing, Record, Shape

_DEEPEST = 2
"""How often a message may stand within itself."""
_NUMBERS = {
    FieldDescriptor.CPPTYPE_INT32: 7,
    FieldDescriptor.CPPTYPE_INT64: 7,
    FieldDescriptor.CPPTYPE_DOUBLE: 0.5,
}


class ContractShape:
    """Reads descriptors."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def of(self, descriptor: Descriptor, path: str = "", within: tuple[str, ...] = ()) -> Shape | None:
        """The shape of a message."""
        if within.count(descriptor.full_name) >= _DEEPEST:
            return None
        within = (*within, descriptor.full_name)
        kinds = [each for each in descriptor.oneofs if not _is_presence(each)]
        fields = {field.name: made for field in descriptor.fields if (made := self._field(field, path, within)) is not None}
        if not kinds:
            return Record(fields, self._required(path, fields))
        (kind,) = kinds
        alternatives = [field.name for field in kind.fields if field.name in fields]
        beside = {name: made for name, made in fields.items() if name not in {field.name for field in kind.fields}}
        required = self._required(path, beside)
        return Choice({name: Record({name: fields[name], **beside}, required | {name}) for name in alternatives})

    def _field(self, field: Any, path: str, within: tuple[str, ...]) -> Shape | None:
        place = f"{path}.{field.name}" if path else field.name
        for end, value in self._samples.items():
            if place == end or place.endswith(f".{end}"):
                return Leaf(value if isinstance(value, tuple) else (value,))
        made = self._single(field, f"{place}[]" if field.is_repeated else place, within)
        return Listing(made) if field.is_repeated and made is not None else made

    def _single(self, field: Any, place: str, within: tuple[str, ...]) -> Shape | None:
        if field.message_type is not None:
            return self.of(field.message_type, place, within)
        if field.enum_type is not None:
            return Leaf(tuple(value.name for value in field.enum_type.values if value.number))
        if field.cpp_type == FieldDescriptor.CPPTYPE_BOOL:
            return Leaf((True, False) if field.has_presence else (True,))
        return Leaf((_NUMBERS.get(field.cpp_type, "sample"),))

    def _required(self, path: str, fields: dict[str, Shape]) -> frozenset[str]:
        """What the samples name as required where it stands, by `+`."""
        named = self._samples.get(f"{path}+", ()) or self._samples.get(f"*{path.rpartition('.')[2]}+", ())
        return frozenset(named) & fields.keys()


def _is_presence(oneof: OneofDescriptor) -> bool:
    """`optional` is a oneof of one field to descriptors."""
    return len(oneof.fields) == 1 and oneof.name.startswith("_")
