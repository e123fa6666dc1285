"""One attempt, from its grant to its report: the same for every dialect."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Callable
from functools import partial
from typing import Any, TypeVar

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit import genai_names as names
from llm_mesh_adapter_kit.answer_bounds import content_size, of_generation
from llm_mesh_adapter_kit.asking import FREE, Asking, ProviderAnswer
from llm_mesh_adapter_kit.completing import complete_events
from llm_mesh_adapter_kit.conversions import Collector, WholeAnswer
from llm_mesh_adapter_kit.dialect import Call, Dialect, Events, StreamReader, Tokenizing
from llm_mesh_adapter_kit.embedding import EmbeddingAttempts
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, fidelity_lost, malformed
from llm_mesh_adapter_kit.exchange import Exchange
from llm_mesh_adapter_kit.framing import Frame, FrameParser, FramingError
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.http import HttpClient
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import AttemptLimits, Limits, Timers
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.methods import NO_METHODS, DialectMethods, Methods
from llm_mesh_adapter_kit.own_tokens import OwnTokens
from llm_mesh_adapter_kit.proof_marks import mark_in_output
from llm_mesh_adapter_kit.tool_names import restore_in_output
from llm_mesh_adapter_kit.values import LARGE, MOST_VALUES, check_values
from llm_mesh_adapter_kit.vector_memory import VectorMemory
from llm_mesh_runtime.heavy import HeavyWork

T = TypeVar("T")
_COUNTED = generate_pb2.Translation(
    field="usage", action=generate_pb2.TRANSLATION_ACTION_APPROXIMATED, note="counted by the mesh: the provider told none"
)
_LOSSY = (generate_pb2.TRANSLATION_ACTION_DROPPED, generate_pb2.TRANSLATION_ACTION_APPROXIMATED)


class Attempts:
    """Makes attempts at endpoints, by one dialect."""

    def __init__(  # noqa: PLR0913 (what attempts need, each by its name)
        self,
        dialect: Dialect,
        lanes: Lanes,
        client: Callable[[Endpoint], HttpClient],
        genai: GenAi,
        limits: Limits,
        heavy: HeavyWork,
        *,
        memory: VectorMemory,
        methods: DialectMethods = NO_METHODS,
    ) -> None:
        self._heavy = heavy
        self._dialect = dialect
        self._framing = dialect.framing
        self._new_parser = self._framing.parser
        self._genai = genai
        self._limits = AttemptLimits(limits)
        self._asking = Asking(dialect, lanes, client, genai)
        self._own_tokens = OwnTokens(dialect, self._asking, heavy) if isinstance(dialect, Tokenizing) else None
        self._embedding = EmbeddingAttempts(dialect, self._asking, self._limits, heavy, memory)
        self._methods = Methods(methods, self._asking, self._limits, heavy)

    async def generate(self, job: Job, request: generate_pb2.GenerateInput, *, exact: bool) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        call = (
            self._call(job, request, stream=False, exact=exact)
            if self._at_once(job)
            else await self._aside(job, request, stream=False, exact=exact)
        )
        attempt = job.attempt
        meter = AttemptMeter(attempt, job.most_output * max(1, request.candidate_count))
        limits, wants_first = self._limits.of(attempt)
        timers = Timers(limits, wants_first=wants_first)
        bounds = of_generation(job, request)
        async with ProviderAnswer(self._asking, job, call, names.CHAT, timers, bounds) as provider_answer:
            body = await provider_answer.answer.body()
            response = adapter_pb2.GenerateResponse()
            output = response.output
            if len(body) <= LARGE:  # nearly always: as `_worked` would, without a coroutine and a function for it
                self._read_whole(job, call, provider_answer.answer, body, output)
            else:
                await self._worked(job, len(body), partial(self._read_whole, job, call, provider_answer.answer, body, output))
            if len(body) > bounds.content:  # nearly never: the texts of an answer have no more bytes than it has
                bounds.check(job, content_size(output))
            restore_in_output(output, call.tool_names)
            if call.proof_mark is not None:
                mark_in_output(output, call.proof_mark)
            timers.event(content=True)
            meter.whole(output)
            provider_answer.report(meter, response.report)
        if call.translations:
            output.translations.extend(call.translations)
        if response.report.source != usage_pb2.USAGE_SOURCE_PROVIDER:
            output.usage.CopyFrom(response.report.usage)
            output.translations.append(_COUNTED)
        output.created = output.created or int(time.time())
        if not output.model:
            output.model = job.model
        return response

    async def stream(
        self, job: Job, request: generate_pb2.GenerateInput, *, exact: bool
    ) -> AsyncGenerator[adapter_pb2.GenerateStreamResponse]:
        """An answer as it comes: everything that arrived in one read is one message; the last has the report."""
        call = (
            self._call(job, request, stream=True, exact=exact)
            if self._at_once(job)
            else await self._aside(job, request, stream=True, exact=exact)
        )
        meter = AttemptMeter(job.attempt, job.most_output * max(1, request.candidate_count))
        timers, bounds = Timers(self._limits.of(job.attempt)[0], wants_first=True), of_generation(job, request)
        try:
            async with ProviderAnswer(self._asking, job, call, names.CHAT, timers, bounds) as provider_answer:
                reader = await self._reader(job, call, provider_answer.answer)
                parser = self._new_parser()
                while not reader.done and (piece := await provider_answer.answer.read()):
                    message = adapter_pb2.GenerateStreamResponse()
                    events, before = message.events, meter.content
                    failure = _read(job, parser.feed, piece, reader, events, meter)
                    bounds.check(job, meter.size)
                    if events:  # what came before a failure in the same read is told first
                        if timers.event(content=meter.content > before):
                            self._first_content(job, timers)
                        complete_events(events, call, job.model)
                        yield message
                    if failure is not None:
                        raise failure
                if reader.done:
                    await provider_answer.answer.await_end()
                final = adapter_pb2.GenerateStreamResponse()
                _close(job, parser, reader, final.events, meter)
                bounds.check(job, meter.size)
                complete_events(final.events, call, job.model)
                provider_answer.report(meter, final.final)
        except AdapterError as error:
            meter.tell(error)
            raise
        if not meter.final or final.final.source != usage_pb2.USAGE_SOURCE_PROVIDER:
            _put_usage(final)
        yield final

    def embed_stream(self, job: Job, request: embed_pb2.EmbedInput) -> AsyncGenerator[adapter_pb2.EmbedStreamResponse]:
        """Embeddings, in pieces."""
        return self._embedding.stream(job, request)

    async def embed(self, job: Job, request: embed_pb2.EmbedInput) -> adapter_pb2.EmbedResponse:
        """Embed texts by one attempt at its endpoint."""
        return await self._embedding.whole(job, request)

    async def answer(self, rpc: str, job: Job, request: Any, response: Any) -> None:  # noqa: ANN401 (messages of the method)
        """The answer to a method with one input and one output."""
        await self._methods.answer(rpc, job, request, response)

    async def ask(self, endpoint: Endpoint, call: Call, limits: Limits = FREE, *, domain: str | None = None) -> bytes:
        """A call that generates nothing and costs nothing, such as a list of models. `domain` as in `Asking.freely`."""
        return await self._asking.freely(endpoint, call, limits, domain=domain)

    async def open(self, endpoint: Endpoint, call: Call, limits: Limits) -> Exchange:
        """The answer to a call of the mesh's own that costs nothing, as it comes. Close it."""
        return await self._asking.open(endpoint, call, Timers(limits, wants_first=False))

    async def prepare(self, endpoint: Endpoint) -> None:
        """The dialect learns what it needs to know of the endpoint, where it needs to know something."""
        if self._own_tokens is not None:
            await self._own_tokens.prepare(endpoint)

    async def tokens(self, endpoint: Endpoint, model: str, request: generate_pb2.GenerateInput, size: int) -> int:
        """How many tokens a request of so many bytes at most has, by the dialect's own tokenizer. 0: it has none."""
        return 0 if self._own_tokens is None else await self._own_tokens.count(endpoint, model, request, size)

    def refusal(self, endpoint: str) -> str:
        """What a provider said when it last did not admit the mesh; empty where it does."""
        return self._asking.refusals.get(endpoint, "")

    def _at_once(self, job: Job) -> bool:
        """Whether a request is translated at once. A token is a byte at least, so the plan's bound tells."""
        return bool(job.attempt.max_input_tokens <= LARGE) and self._own_tokens is None

    def _call(self, job: Job, request: generate_pb2.GenerateInput, *, stream: bool, exact: bool) -> Call:
        call = self._dialect.generate(job.ask(request.max_output_tokens, stream=stream), request)
        if exact:
            _check_exact(call)
        return call

    async def _aside(self, job: Job, request: generate_pb2.GenerateInput, *, stream: bool, exact: bool) -> Call:
        """A large request is translated off the event loop, in turns between domains. Who makes tokens sees to that himself."""
        if self._own_tokens is not None:
            call = await self._own_tokens.write(job, job.ask(request.max_output_tokens, stream=stream), request)
            if exact:
                _check_exact(call)
            return call
        work = partial(self._call, job, request, stream=stream, exact=exact)
        return await self._heavy.run(job.domain, job.attempt.max_input_tokens, work)

    async def _reader(self, job: Job, call: Call, answer: Exchange) -> StreamReader:
        """Reads the answer; one that is not marked as a stream is read whole first."""
        content_type = answer.header("content-type")
        if not content_type or content_type.startswith(self._framing.media_types):
            return call.reader() if call.reader is not None else self._dialect.reader(job.endpoint)
        output = generate_pb2.GenerateOutput()
        body = await answer.body()
        await self._worked(job, len(body), partial(self._read_whole, job, call, answer, body, output))
        return WholeAnswer(output)

    async def _worked(self, job: Job, size: int, work: Callable[[], T]) -> T:
        """A large answer is read off the event loop, in turns between domains."""
        return work() if size <= LARGE else await self._heavy.follow(job.domain, size, work)

    def _read_whole(self, job: Job, call: Call, answer: Exchange, body: bytes, output: generate_pb2.GenerateOutput) -> None:
        """Reads a whole answer, be it sent as a stream."""
        check_values(job.endpoint.name, body, MOST_VALUES)
        if not self._framing.recognises(answer.header("content-type"), body):
            self._dialect.output(job.endpoint, body, output)
            return
        parser, reader = self._new_parser(), call.reader() if call.reader is not None else self._dialect.reader(job.endpoint)
        message, meter = adapter_pb2.GenerateStreamResponse(), AttemptMeter(job.attempt, 0)
        failure = _read(job, parser.feed, body, reader, message.events, meter)
        if failure is not None:
            raise failure
        _close(job, parser, reader, message.events, meter)
        Collector(output).collect(message.events)

    def _first_content(self, job: Job, timers: Timers) -> None:
        if (seconds := timers.first_content) is not None:
            self._genai.first_chunk(names.CHAT, job.endpoint.system or job.endpoint.name, job.model, seconds)


def _check_exact(call: Call) -> None:
    """Refuses a translation that lost something."""
    lost = next((each for each in call.translations if each.action in _LOSSY), None)
    if lost is not None:
        raise fidelity_lost(lost.field, lost.note)


def _read(
    job: Job, parse: Callable[[bytes], list[Frame]], piece: bytes, reader: StreamReader, events: Events, meter: AttemptMeter
) -> AdapterError | None:
    """Appends what the bytes mean, and answers the failure that they tell of."""
    redaction = job.endpoint.redaction
    try:
        try:
            reader.feed(redaction.events_of(parse(piece)), events, meter)
        except FramingError as error:
            if error.frames:
                reader.feed(redaction.events_of(list(error.frames)), events, meter)
            return malformed(job.endpoint.name, str(error))
    except AdapterError as error:
        return error
    return None


def _close(job: Job, parser: FrameParser, reader: StreamReader, events: Events, meter: AttemptMeter) -> None:
    """Appends what the end of the body means. A last frame without its end mark counts where it is whole."""
    if not reader.done:
        failure = _read(job, lambda _: parser.rest(), b"", reader, events, meter)
        if failure is not None and failure.reason != errors_pb2.ERROR_REASON_PROVIDER_MALFORMED:
            raise failure
    last = list(reader.finish())
    meter.saw(last)
    events.extend(last)


def _put_usage(final: adapter_pb2.GenerateStreamResponse) -> None:
    """Tells the caller the usage that is charged, in the place of what the provider said."""
    events = [event for event in final.events if event.WhichOneof("kind") != "usage"]
    del final.events[:]
    ends = sum(event.WhichOneof("kind") == "finished" for event in events)
    place = len(events) - ends
    final.events.extend([*events[:place], generate_pb2.StreamEvent(usage=final.final.usage), *events[place:]])
