"""Bodies that come packed although nothing but `identity` was asked for: some proxies pack all the same."""

from __future__ import annotations

import zlib

from llm_mesh_adapter_kit.http import READ_AHEAD, BrokenError

_GZIP_OR_ZLIB = zlib.MAX_WBITS | 32
_KNOWN = frozenset({"gzip", "x-gzip", "deflate"})


class Inflation:
    """Unpacks one body, a bounded piece at a time: few bytes can hold many."""

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        self._unpacker = zlib.decompressobj(_GZIP_OR_ZLIB)

    @property
    def whole(self) -> bool:
        """Whether the packed body has come to its end."""
        return self._unpacker.eof

    def feed(self, data: bytes) -> tuple[bytes, bytes]:
        """What the bytes hold, at most `READ_AHEAD` of it, and the bytes whose turn is still to come."""
        if self._encoding not in _KNOWN:
            raise BrokenError(f"packed as {self._encoding[:32]}, which was not asked for")
        try:
            unpacked = self._unpacker.decompress(data, READ_AHEAD)
        except zlib.error:
            raise BrokenError("what is packed cannot be unpacked") from None
        if self._unpacker.unused_data:
            raise BrokenError("more than one packed body")
        return unpacked, self._unpacker.unconsumed_tail


def inflation(encoding: bytes) -> Inflation | None:
    """How to unpack a body of that `content-encoding`; None where it is not packed."""
    name = encoding.decode("latin-1").strip().lower()
    return None if name in {"", "identity"} else Inflation(name)
