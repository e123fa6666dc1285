"""The adapter to other meshes: each method goes to the gateway's method of the same name there. Implements `ServedAdapter`."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing
from typing import Any

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit import genai_names as names
from llm_mesh_adapter_kit.adapter import Granted, MethodRequest
from llm_mesh_adapter_kit.answer_bounds import AnswerBounds, content_size, of_generation, of_method, of_vectors
from llm_mesh_adapter_kit.asking import Reporting
from llm_mesh_adapter_kit.checking import Checking
from llm_mesh_adapter_kit.endpoint_list import EndpointList
from llm_mesh_adapter_kit.endpoints import EndpointTable
from llm_mesh_adapter_kit.errors import AdapterError, escaped, reset, unsupported
from llm_mesh_adapter_kit.grants import GrantCheck, Job, check_generation
from llm_mesh_adapter_kit.limits import AttemptLimits, Timers
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.methods import MethodMeter
from llm_mesh_adapter_kit.vector_memory import MemoryShare, VectorMemory
from llm_mesh_adapter_mesh.provider.answers import StreamOrder, check_choices, check_results
from llm_mesh_adapter_mesh.provider.attempts import MeshAttempt, MeshCalls
from llm_mesh_adapter_mesh.provider.embedding import VectorReading, WholeVectors
from llm_mesh_adapter_mesh.provider.forwarding import Sender
from llm_mesh_adapter_mesh.provider.offers import offers_of
from llm_mesh_adapter_mesh.provider.receipts import charge_in, source_in
from llm_mesh_adapter_mesh.provider.usage import keep_possible, keep_possible_in

_PROVIDER = usage_pb2.USAGE_SOURCE_PROVIDER
_COUNTED = usage_pb2.USAGE_SOURCE_COUNTED
_UNSAID = frozenset({usage_pb2.USAGE_SOURCE_UNSPECIFIED, _PROVIDER})
_LONGEST_ID = 128
_MOST_EVENTS = 1024


class MeshAdapter:
    """Other meshes, as endpoints."""

    def __init__(
        self,
        *,
        sender: Sender,
        table: EndpointTable,
        grants: GrantCheck,
        calls: MeshCalls,
        limits: AttemptLimits,
        memory: VectorMemory,
        listed: EndpointList,
    ) -> None:
        self._sender = sender
        self._table = table
        self._grants = grants
        self._calls = calls
        self._limits = limits
        self._memory = memory
        self._list = listed
        question = gateway_pb2.ListModelsRequest(page_size=1)
        self._checking = Checking(lambda endpoint, limits: calls.freely(endpoint, "ListModels", question, limits))

    async def generate(self, request: adapter_pb2.GenerateRequest) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        job, question = self._generation("Generate", request)
        meter = _meter(job, request.input)
        response, bounds = adapter_pb2.GenerateResponse(), of_generation(job, request.input)
        async with self._attempt(job, names.CHAT, bounds) as attempt:
            answer = await attempt.call.whole("Generate", question)
            check_choices(job.endpoint.name, answer.output, request.input.candidate_count)
            attempt.timers.event(content=True)
            bounds.check(job, content_size(answer.output))
            _take(answer.output, response.output)
            meter.whole(response.output)
            _report(attempt, meter, answer.receipt, response.report)
        _complete(response.output, response.report)
        response.output.created = response.output.created or int(time.time())
        return response

    async def stream(self, request: adapter_pb2.GenerateStreamRequest) -> AsyncGenerator[adapter_pb2.GenerateStreamResponse]:
        """An answer as it comes. The last message has the report."""
        job, question = self._generation("GenerateStream", request)
        meter, receipt = _meter(job, request.input), None
        order = StreamOrder(job.endpoint.name, request.input.candidate_count)
        final = adapter_pb2.GenerateStreamResponse()
        try:
            async with (
                self._attempt(job, names.CHAT, of_generation(job, request.input), wants_first=True) as attempt,
                aclosing(attempt.call.stream("GenerateStream", question)) as answers,
            ):
                async for answer in answers:
                    attempt.call.cleaned(answer)
                    receipt = answer.receipt if answer.HasField("receipt") else receipt
                    for message in _messages(answer.events):
                        order.check(message.events)
                        attempt.saw(message.events, meter)
                        yield message
                if receipt is None or not order.ended:
                    raise reset(job.endpoint.name, "the stream ended before its end")
                _report(attempt, meter, receipt, final.final)
        except AdapterError as error:
            meter.tell(error)
            raise
        yield final

    async def embed_stream(self, request: adapter_pb2.EmbedStreamRequest) -> AsyncGenerator[adapter_pb2.EmbedStreamResponse]:
        """Vectors, in the pieces that they came in."""
        async with self._memory.share(self._granted(request).endpoint.name) as share:
            vectors, report = await self._embedded(request, share)
            pieces = vectors.pieces
            pieces[0].output.CopyFrom(vectors.output)
            pieces[-1].report.CopyFrom(report)
            for piece in pieces:
                yield piece

    async def embed(self, request: adapter_pb2.EmbedRequest) -> adapter_pb2.EmbedResponse:
        """Vectors in one message: for gateways of an earlier contract."""
        async with self._memory.share(self._granted(request).endpoint.name) as share:
            vectors, report = await self._embedded(request, share)
            response = adapter_pb2.EmbedResponse(output=vectors.output, report=report)
            for piece in vectors.pieces:
                response.output.embeddings.MergeFrom(piece.embeddings)
            return response

    async def answer(self, rpc: str, request: MethodRequest, response: Any) -> None:  # noqa: ANN401 (messages of the method)
        """The answer to a method with one input and one output."""
        job = self._granted(request)
        question = self._sender.question(rpc, job, request)
        bounds = of_method(rpc, job.attempt, request.input)
        async with self._attempt(job, rpc.lower(), bounds) as attempt:
            answer = await attempt.call.whole(rpc, question)
            bounds.check(job, answer.output.ByteSize())
            check_results(job.endpoint.name, request.input, answer.output)
            attempt.timers.event(content=True)
            _take(answer.output, response.output)
            _report(attempt, MethodMeter(job.attempt, response.output), answer.receipt, response.report)
        _complete(response.output, response.report)

    async def count(self, request: adapter_pb2.CountTokensRequest) -> embed_pb2.TokenCount:
        """The other mesh's count, else the plan's bound."""
        attempt = request.attempt
        endpoint = self._table.of(attempt.endpoint)
        if endpoint.serves(request.domain):
            try:
                answer = await self._calls.freely(endpoint, "CountTokens", self._sender.count(request))
            except AdapterError:
                pass  # logged; the bound of the plan answers, where there is one
            else:
                count: embed_pb2.TokenCount = answer.count
                return count
        if not attempt.max_input_tokens:
            raise unsupported(endpoint.name, "count of tokens, and the plan has no bound")
        return embed_pb2.TokenCount(input_tokens=attempt.max_input_tokens, source=embed_pb2.COUNT_SOURCE_ESTIMATED)

    async def endpoints(self, request: adapter_pb2.ListEndpointsRequest) -> adapter_pb2.ListEndpointsResponse:
        """A page of other meshes, and how they stand."""
        return await self._list.page(request)

    async def discover(self, name: str) -> adapter_pb2.DiscoverModelsResponse:
        """The aliases that another mesh offers."""
        return await offers_of(self._calls, self._table.of(name))

    async def check(self, request: adapter_pb2.CheckEndpointRequest) -> adapter_pb2.CheckEndpointResponse:
        """Whether another mesh answers and admits this one."""
        return await self._checking.check(self._table.of(request.endpoint), request)

    def _granted(self, request: Granted) -> Job:
        attempt = request.attempt
        return self._grants.job(request.grant, attempt, self._table.of(attempt.endpoint))

    def _generation(self, rpc: str, request: adapter_pb2.GenerateRequest | adapter_pb2.GenerateStreamRequest) -> tuple[Job, Any]:
        job = self._granted(request)
        check_generation(job, request.input)
        return job, self._sender.question(rpc, job, request)

    def _attempt(self, job: Job, operation: str, bounds: AnswerBounds, *, wants_first: bool = False) -> MeshAttempt:
        limits, own = self._limits.of(job.attempt)
        return MeshAttempt(self._calls, job, operation, Timers(limits, wants_first=wants_first or own), bounds)

    async def _embedded(
        self, request: adapter_pb2.EmbedRequest | adapter_pb2.EmbedStreamRequest, share: MemoryShare
    ) -> tuple[WholeVectors, adapter_pb2.AttemptReport]:
        job = self._granted(request)
        question = self._sender.question("EmbedStream", job, request)
        meter, report = AttemptMeter(job.attempt, 0), adapter_pb2.AttemptReport()
        reading = VectorReading(job.endpoint.name, len(request.input.items), share, self._memory.most)
        async with self._attempt(job, names.EMBEDDINGS, of_vectors(request.input)) as attempt:
            vectors = await reading.read(attempt.call, question, attempt.timers)
            attempt.timers.event(content=True)
            if vectors.output.HasField("usage"):
                keep_possible(vectors.output.usage)
            meter.embedded(vectors.output)
            _report(attempt, meter, vectors.receipt, report)
        _complete(vectors.output, report)
        return vectors, report


def _messages(events: Sequence[generate_pb2.StreamEvent]) -> Iterator[adapter_pb2.GenerateStreamResponse]:
    """The events of one message, a bounded number in each: what all of them cost at once, everybody else would wait for."""
    for start in range(0, len(events), _MOST_EVENTS):
        message = adapter_pb2.GenerateStreamResponse(events=events[start : start + _MOST_EVENTS])
        keep_possible_in(message.events)
        yield message


def _take(answered: Any, output: Any) -> None:  # noqa: ANN401 (any output has usage)
    """The other mesh's output as ours."""
    output.CopyFrom(answered)
    if output.HasField("usage"):
        keep_possible(output.usage)


def _meter(job: Job, source: generate_pb2.GenerateInput) -> AttemptMeter:
    return AttemptMeter(job.attempt, job.most_output * max(1, source.candidate_count))


def _report(attempt: MeshAttempt, meter: Reporting, receipt: gateway_pb2.Receipt, report: adapter_pb2.AttemptReport) -> None:
    """Writes what was used, by whose word, and what the other mesh charged for it."""
    usage, source = meter.report()
    if source == _PROVIDER and source_in(receipt) not in _UNSAID:
        source = _COUNTED
    attempt.write(usage, source, report)
    report.provider_request_id = escaped(receipt.request_id, _LONGEST_ID)
    if (charge := charge_in(receipt)) is not None:
        report.upstream.CopyFrom(charge)


def _complete(output: Any, report: adapter_pb2.AttemptReport) -> None:  # noqa: ANN401 (any output has usage)
    """Puts the usage that is charged into the answer, where the other mesh reported none."""
    if report.source != _PROVIDER:
        output.usage.CopyFrom(report.usage)
