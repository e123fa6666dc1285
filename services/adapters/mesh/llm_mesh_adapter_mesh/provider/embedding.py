"""Vectors of another mesh, which stay here until all of them are there."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_adapter_kit.limits import Timers
from llm_mesh_adapter_kit.vector_memory import MemoryShare
from llm_mesh_adapter_mesh.provider.attempts import OpenCall

_NUMBER = 4
"""Bytes of a number in a vector."""


@dataclass(slots=True)
class WholeVectors:
    """A whole answer."""

    output: embed_pb2.EmbedOutput = field(default_factory=embed_pb2.EmbedOutput)
    """Everything but the vectors."""
    receipt: gateway_pb2.Receipt = field(default_factory=gateway_pb2.Receipt)
    pieces: list[adapter_pb2.EmbedStreamResponse] = field(default_factory=list)
    """The vectors, as they came."""


class VectorReading:
    """Reads one answer with so many vectors, within the memory of the endpoint."""

    def __init__(self, endpoint: str, items: int, share: MemoryShare, most: int) -> None:
        self._endpoint = endpoint
        self._items = items
        self._share = share
        self._most = most
        self._dimensions = 0
        self._count = 0

    async def read(self, call: OpenCall, question: gateway_pb2.EmbedStreamRequest, timers: Timers) -> WholeVectors:
        """All of it; PROVIDER_MALFORMED where it has not one vector per item, all of one length."""
        vectors = WholeVectors()
        async with aclosing(call.stream("EmbedStream", question)) as answers:
            async for answer in answers:
                timers.event(content=False)
                if answer.HasField("output"):
                    answer.output.ClearField("embeddings")  # vectors travel beside it, where they are counted
                    vectors.output.CopyFrom(call.cleaned(answer.output))
                    vectors.receipt.CopyFrom(call.cleaned(answer.receipt))
                if answer.embeddings:
                    await self._take(answer.embeddings, timers)
                    vectors.pieces.append(adapter_pb2.EmbedStreamResponse(embeddings=answer.embeddings))
        if self._count != self._items:
            raise malformed(self._endpoint, f"{self._count} vectors for {self._items} items")
        return vectors

    async def _take(self, embeddings: Sequence[embed_pb2.Embedding], timers: Timers) -> None:
        if not self._dimensions:
            self._dimensions = len(embeddings[0].values)
            size = self._dimensions * _NUMBER * self._items
            if not size or size > self._most:
                raise malformed(self._endpoint, f"{size} bytes of vectors, where {self._most} are allowed")
            await self._share.take(size)
            timers.event(content=False)  # we have waited, and not the other mesh
        if self._count + len(embeddings) > self._items:  # beyond the share: nothing else bounds what is held
            raise malformed(self._endpoint, f"more vectors than the {self._items} items")
        for embedding in embeddings:
            if self._count != embedding.index or len(embedding.values) != self._dimensions:
                raise self._wrong(embedding)
            embedding.DiscardUnknownFields()
            self._count += 1

    def _wrong(self, embedding: embed_pb2.Embedding) -> AdapterError:
        return malformed(self._endpoint, f"vector {self._count} has the index {embedding.index} and {len(embedding.values)} numbers")
