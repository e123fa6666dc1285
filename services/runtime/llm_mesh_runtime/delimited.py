"""Fields of protobuf messages put together on the wire, where large bytes would be copied or taken apart to go through a message.

The encoding is described at https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

_LENGTH_FOLLOWS = 2
_LOW, _MORE = 0x7F, 0x80


def before(field: int, size: int) -> bytes:
    """What stands before the bytes of a field: its number, from 1 to 15, and how many bytes follow."""
    encoded = bytearray([field << 3 | _LENGTH_FOLLOWS])
    while size > _LOW:
        encoded.append(size & _LOW | _MORE)
        size >>= 7
    encoded.append(size)
    return bytes(encoded)
