"""Reads the vectors of an answer: one message for each item."""

from __future__ import annotations

import sys
from array import array
from collections.abc import Sequence

from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_engine.provider.failures import of_status
from llm_mesh_adapter_engine.provider.wire.values import Wire
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import malformed
from llm_mesh_adapter_kit.framing import FramingError
from llm_mesh_adapter_kit.rpc.framing import RpcParser
from llm_mesh_adapter_kit.rpc.statuses import checked


class EngineVectors:
    """Implements `VectorReader` of the kit."""

    def __init__(self, endpoint: Endpoint, wire: Wire, model: str) -> None:
        self._endpoint = endpoint.name
        self._wire = wire
        self._model = model
        self._parser = RpcParser()
        self._vectors: list[bytes] = []
        self._tokens = 0
        self.dimensions = 0

    def feed(self, data: bytes) -> None:
        """More of the answer."""
        try:
            for frame in self._parser.feed(data):
                self._take(*self._wire.vector(checked(self._endpoint, frame, of_status)))
        except (FramingError, ValueError) as error:
            raise malformed(self._endpoint, str(error)) from None

    def finish(self) -> tuple[embed_pb2.EmbedOutput, list[bytes]]:
        """Everything but the vectors, and these in the order of the items."""
        output = embed_pb2.EmbedOutput(model=self._model)
        if self._tokens:
            output.usage.input_tokens = self._tokens
        return output, self._vectors

    def _take(self, values: Sequence[float], tokens: int) -> None:
        vector = array("f", values)
        if not vector or (self.dimensions and len(vector) != self.dimensions):
            raise ValueError(f"a vector of {len(vector)} numbers")
        if sys.byteorder == "big":
            vector.byteswap()
        self.dimensions = len(vector)
        self._vectors.append(vector.tobytes())
        self._tokens += tokens
