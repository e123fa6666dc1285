"""Reads an answer with vectors. It has those of 96 texts at most, some megabytes, so that it is read whole."""

from __future__ import annotations

from typing import Final

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_kit.values import MOST_VALUES, check_values
from llm_mesh_dialects.bedrock.embeddings import InvokedAnswer
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.fields import Fields

_MOST_BYTES: Final = 16 * 1024 * 1024
_NUMBER: Final = 4


class InvokedVectors:
    """Implements `VectorReader` of the kit."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._text = bytearray()
        self._read: InvokedAnswer | None = None

    @property
    def dimensions(self) -> int:
        """See the protocol."""
        return len(self._read.vectors[0]) // _NUMBER if self._read is not None and self._read.vectors else 0

    def feed(self, data: bytes) -> None:
        """See the protocol."""
        self._text += data
        if len(self._text) > _MOST_BYTES:
            raise malformed(self._endpoint.name, f"more than {_MOST_BYTES} bytes")

    def finish(self) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
        """See the protocol."""
        text = self._endpoint.redaction.bytes_of(bytes(self._text))
        check_values(self._endpoint.name, text, MOST_VALUES)
        try:
            self._read = read = InvokedAnswer(Fields(parsed(text)))
        except DialectError as error:
            raise malformed(self._endpoint.name, str(error)) from None
        return read.output, read.vectors
