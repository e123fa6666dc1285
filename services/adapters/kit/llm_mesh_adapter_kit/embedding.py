"""One attempt at vectors, from its grant to its report.

The provider's text is read in batches, off the event loop, and turned into vectors of 32-bit numbers at once: 100 MB of text become
25 MB, which is what the attempt holds, and what the memory of the endpoint bounds.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh_adapter_kit import genai_names as names
from llm_mesh_adapter_kit.answer_bounds import of_vectors
from llm_mesh_adapter_kit.asking import Asking, ProviderAnswer
from llm_mesh_adapter_kit.dialect import Call, Dialect, Tokenizing, VectorReader
from llm_mesh_adapter_kit.errors import AdapterError, malformed
from llm_mesh_adapter_kit.exchange import Exchange
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.limits import AttemptLimits, Timers
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.values import LARGE
from llm_mesh_adapter_kit.vector_memory import MemoryShare, VectorMemory
from llm_mesh_adapter_kit.vector_pieces import pieces_of, put_vectors
from llm_mesh_runtime.heavy import HeavyWork

T = TypeVar("T")
PIECE = 256 * 1024
"""About so many bytes of text are read at once, and of vectors sent."""
_NUMBER = 4
"""Bytes of a number in a vector."""
_MOST_KNOWN = 1_024
_LONGEST_COUNT = 19
_COUNTED = "x-amzn-bedrock-input-token-count"
"""Where a provider of many makers' models counts, whatever the model's own answer says."""


@dataclass(slots=True)
class Embedded:
    """A whole answer."""

    output: embed_pb2.EmbedOutput
    """Everything but the vectors."""
    vectors: list[bytes]
    report: adapter_pb2.AttemptReport


class EmbeddingAttempts:
    """Makes attempts at endpoints, by one dialect."""

    def __init__(self, dialect: Dialect, asking: Asking, limits: AttemptLimits, heavy: HeavyWork, memory: VectorMemory) -> None:
        self._dialect = dialect
        self._tokenizing = dialect if isinstance(dialect, Tokenizing) else None
        self._asking = asking
        self._limits = limits
        self._heavy = heavy
        self._memory = memory
        self._unpacked: dict[tuple[str, str], None] = {}
        """Endpoints and models that refused to answer in base64."""

    async def stream(self, job: Job, request: embed_pb2.EmbedInput) -> AsyncGenerator[adapter_pb2.EmbedStreamResponse]:
        """Embeddings, in pieces."""
        async with self._memory.share(job.endpoint.name) as share:
            embedded = await self._embedded(job, request, share)
            message = adapter_pb2.EmbedStreamResponse(output=embedded.output)
            for first, vectors in pieces_of(embedded.vectors, PIECE):
                if first:
                    yield message
                    message = adapter_pb2.EmbedStreamResponse()
                put_vectors(message.embeddings, vectors, first)
            message.report.CopyFrom(embedded.report)
            yield message

    async def whole(self, job: Job, request: embed_pb2.EmbedInput) -> adapter_pb2.EmbedResponse:
        """Embeddings, in one message: for gateways of an earlier contract."""
        async with self._memory.share(job.endpoint.name) as share:
            embedded = await self._embedded(job, request, share)
            response = adapter_pb2.EmbedResponse(output=embedded.output, report=embedded.report)
            for first, vectors in pieces_of(embedded.vectors, PIECE):
                put_vectors(response.output.embeddings, vectors, first)
                await asyncio.sleep(0)  # others have their turn
            return response

    async def _embedded(self, job: Job, request: embed_pb2.EmbedInput, share: MemoryShare) -> Embedded:
        """Asks for base64 first, a third of the text; once without, where a server refuses it, which is remembered."""
        target = (job.endpoint.name, job.model)
        if target in self._unpacked:
            return await self._attempted(job, request, share, packed=False)
        try:
            return await self._attempted(job, request, share, packed=True)
        except AdapterError as error:
            if not self._dialect.refuses_packed(job.endpoint, error):
                raise
        embedded = await self._attempted(job, request, share, packed=False)
        if len(self._unpacked) >= _MOST_KNOWN:
            self._unpacked.clear()
        self._unpacked[target] = None
        return embedded

    async def _attempted(self, job: Job, request: embed_pb2.EmbedInput, share: MemoryShare, *, packed: bool) -> Embedded:
        attempt = job.attempt
        if self._tokenizing is not None:
            await self._tokenizing.prepare(job.endpoint, partial(self._asking.freely, job.endpoint))
        translate = partial(self._dialect.embed, job.ask(0, stream=False)._replace(packed=packed), request)
        size = attempt.max_input_tokens  # a token is a byte at least
        call: Call = translate() if size <= LARGE else await self._heavy.run(job.domain, size, translate)
        meter = AttemptMeter(attempt, 0)
        limits, wants_first = self._limits.of(attempt)
        timers = Timers(limits, wants_first=wants_first)
        async with ProviderAnswer(self._asking, job, call, names.EMBEDDINGS, timers, of_vectors(request)) as provider_answer:
            reader = self._dialect.vectors(job.endpoint, len(request.items))
            await self._read(job, provider_answer.answer, reader, share, timers, request)
            output, vectors = await self._worked(job, reader.dimensions * _NUMBER * len(request.items), reader.finish)
            timers.event(content=True)
            if len(vectors) != len(request.items):
                raise malformed(job.endpoint.name, f"{len(vectors)} vectors for {len(request.items)} items")
            if (
                not output.HasField("usage")
                and (tokens := provider_answer.answer.header(_COUNTED)).isdecimal()
                and len(tokens) < _LONGEST_COUNT
            ):
                output.usage.input_tokens = int(tokens)
            meter.embedded(output)
            report = adapter_pb2.AttemptReport()
            provider_answer.report(meter, report)
        output.translations.extend(call.translations)
        if request.dimensions and reader.dimensions != request.dimensions:
            output.translations.append(_other_length(reader.dimensions))
        return Embedded(output, vectors, report)

    async def _read(
        self, job: Job, answer: Exchange, reader: VectorReader, share: MemoryShare, timers: Timers, request: embed_pb2.EmbedInput
    ) -> None:
        """Reads the text to its end. Once the first vector tells how many bytes all of them have, room for them is taken."""
        roomy = False
        async for batch in _batches(answer, timers):
            await self._worked(job, len(batch), partial(reader.feed, batch))
            if not roomy and (expected := reader.dimensions * _NUMBER * len(request.items)):
                of_vectors(request).check(job, expected)
                if expected > self._memory.most:
                    raise malformed(job.endpoint.name, f"{expected} bytes of vectors, where {self._memory.most} are allowed")
                await share.take(expected)
                timers.event(content=False)  # we have waited, and not the provider
                roomy = True

    async def _worked(self, job: Job, size: int, work: Callable[[], T]) -> T:
        """What is not small is done off the event loop, in turns between domains."""
        return work() if size <= LARGE else await self._heavy.follow(job.domain, min(size, PIECE), work)


async def _batches(answer: Exchange, timers: Timers) -> AsyncIterator[bytes]:
    """What arrives, in batches of about `PIECE`: a thread is not bothered for each read."""
    gathered: list[bytes] = []
    size = 0
    while piece := await answer.read():
        timers.event(content=False)
        gathered.append(piece)
        size += len(piece)
        if size >= PIECE:
            yield b"".join(gathered)
            gathered, size = [], 0
    if gathered:
        yield b"".join(gathered)


def _other_length(dimensions: int) -> generate_pb2.Translation:
    note = f"the provider's vectors have {dimensions} numbers"
    return generate_pb2.Translation(field="dimensions", action=generate_pb2.TRANSLATION_ACTION_APPROXIMATED, note=note)
