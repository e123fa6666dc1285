"""How many fields a message has, counted on the wire before it is parsed: two bytes of it can be an object of a hundred."""

from __future__ import annotations

from functools import cache
from typing import Any

_MORE = 0x80
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_LONGEST_VARINT = 10


def has_more_fields(raw: bytes, descriptor: Any, most: int) -> bool:  # noqa: ANN401 (protobuf's descriptors have no common type)
    """Whether a message and all messages in it have more fields than that. False for what is no message: its parser tells."""
    try:
        return _count(raw, descriptor, most) > most
    except (IndexError, ValueError):
        return False


def _count(raw: bytes, descriptor: Any, most: int) -> int:  # noqa: ANN401 (as above)
    count, at, end, known = 0, 0, len(raw), _messages_in(descriptor)
    outside: list[tuple[int, dict[int, Any]]] = []
    while count <= most:
        if at >= end:
            if not outside:
                break
            end, known = outside.pop()
            continue
        count += 1
        tag = raw[at]
        at += 1
        if tag & _MORE:
            tag, at = _varint(raw, at - 1)
        kind = tag & 7
        if kind == _BYTES:
            size = raw[at]
            at += 1
            if size & _MORE:
                size, at = _varint(raw, at - 1)
            inner = known.get(tag >> 3)
            if inner is None or not size:
                at += size
            else:
                outside.append((end, known))
                end, known = at + size, _messages_in(inner)
        elif kind == _VARINT:
            while raw[at] & _MORE:
                at += 1
            at += 1
        else:
            at += {_FIXED64: 8, _FIXED32: 4}[kind] if kind in {_FIXED64, _FIXED32} else 0  # groups are fields and their ends
    return count


def _varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for shift in range(0, 7 * _LONGEST_VARINT, 7):
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if not byte & _MORE:
            return value, at
    raise ValueError("a number of more than ten bytes")


@cache
def _messages_in(descriptor: Any) -> dict[int, Any]:  # noqa: ANN401 (as above)
    """The fields of a message that are messages, by number: as many entries as the contracts have messages."""
    return {field.number: field.message_type for field in descriptor.fields if field.message_type is not None}
