"""One attempt, from its grant to its report: the same for every dialect."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.dialect import Ask, Call, Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, fidelity_lost, malformed
from llm_mesh_adapter_kit.exchange import Exchange, exchange
from llm_mesh_adapter_kit.grants import Granted
from llm_mesh_adapter_kit.http import HttpClient, HttpRequest
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits, Timers
from llm_mesh_adapter_kit.metering import Meter
from llm_mesh_adapter_kit.sse import EventParser, EventTooLargeError
from llm_mesh_runtime.context import request_id
from llm_mesh_runtime.telemetry import GenAi, Span, outbound
from llm_mesh_runtime.telemetry import semantics as names

_OK = 200
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_EVENTS = "text/event-stream"
_MOST_OF_A_FAILURE = 64 * 1024
_COUNTED = generate_pb2.Translation(
    field="usage", action=generate_pb2.TRANSLATION_ACTION_APPROXIMATED, note="counted by the mesh: the provider told none"
)
_LOSSY = (generate_pb2.TRANSLATION_ACTION_DROPPED, generate_pb2.TRANSLATION_ACTION_APPROXIMATED)


class Attempts:
    """Makes attempts at endpoints, by one dialect."""

    def __init__(self, dialect: Dialect, lanes: Lanes, client: Callable[[Endpoint], HttpClient], genai: GenAi, limits: Limits) -> None:
        self._dialect = dialect
        self._lanes = lanes
        self._client = client
        self._genai = genai
        self._limits = limits

    async def generate(self, job: Job, request: generate_pb2.GenerateInput, *, exact: bool) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        call = self._dialect.generate(job.ask(request.max_output_tokens, stream=False), request)
        _check_exact(call, exact=exact)
        attempt = job.attempt
        meter = Meter(attempt, len(call.body), job.most_output * max(1, request.candidate_count))
        timers = Timers(self._limits.of(attempt), wants_first=attempt.limits.HasField("first_token"))
        async with self._asked(job, call, names.CHAT, timers) as (answer, span):
            output = self._dialect.output(job.endpoint, await answer.body())
            timers.event(content=True)
            meter.whole(output)
            report = self._report(job, names.CHAT, meter, timers, answer.headers, span)
        output.translations.extend(call.translations)
        if not output.HasField("usage"):
            output.usage.CopyFrom(report.usage)
            output.translations.append(_COUNTED)
        return adapter_pb2.GenerateResponse(output=output, report=report)

    async def stream(
        self, job: Job, request: generate_pb2.GenerateInput, *, exact: bool
    ) -> AsyncGenerator[adapter_pb2.GenerateStreamResponse]:
        """An answer as it comes: everything that arrived in one read is one message; the last has the report."""
        call = self._dialect.generate(job.ask(request.max_output_tokens, stream=True), request)
        _check_exact(call, exact=exact)
        meter = Meter(job.attempt, len(call.body), job.most_output * max(1, request.candidate_count))
        timers = Timers(self._limits.of(job.attempt), wants_first=True)
        with _known_usage(meter):
            async with self._asked(job, call, names.CHAT, timers) as (answer, span):
                if not answer.headers.get("content-type", _EVENTS).startswith(_EVENTS):
                    raise await self._failure(job.endpoint, answer)
                parser, reader = EventParser(), self._dialect.reader(job.endpoint)
                while not reader.done and (piece := await answer.read()):
                    try:
                        parsed = parser.feed(piece)
                    except EventTooLargeError as error:
                        raise malformed(job.endpoint.name, str(error)) from None
                    events: list[generate_pb2.StreamEvent] = []
                    failure: AdapterError | None = None
                    try:
                        for each in parsed:
                            events += reader.feed(each)
                    except AdapterError as error:
                        failure = error  # what came before it in the same read is told first
                    if events:
                        self._note(job, events, meter, timers, call.translations)
                        yield adapter_pb2.GenerateStreamResponse(events=events)
                    if failure is not None:
                        raise failure
                if reader.done:
                    await answer.farewell()
                last = list(reader.finish())
                meter.saw(last)
                report = self._report(job, names.CHAT, meter, timers, answer.headers, span)
        if not meter.told:
            last.insert(0, generate_pb2.StreamEvent(usage=report.usage))
        yield adapter_pb2.GenerateStreamResponse(events=last, final=report)

    async def embed(self, job: Job, request: embed_pb2.EmbedInput) -> adapter_pb2.EmbedResponse:
        """Embeddings."""
        call = self._dialect.embed(job.ask(0, stream=False), request)
        attempt = job.attempt
        meter = Meter(attempt, len(call.body), 0)
        timers = Timers(self._limits.of(attempt), wants_first=attempt.limits.HasField("first_token"))
        async with self._asked(job, call, names.EMBEDDINGS, timers) as (answer, span):
            output = self._dialect.embeddings(job.endpoint, await answer.body())
            timers.event(content=True)
            if len(output.embeddings) != len(request.items):
                raise malformed(job.endpoint.name, f"{len(output.embeddings)} vectors for {len(request.items)} items")
            meter.embedded(output)
            report = self._report(job, names.EMBEDDINGS, meter, timers, answer.headers, span)
        output.translations.extend(call.translations)
        return adapter_pb2.EmbedResponse(output=output, report=report)

    async def ask(self, endpoint: Endpoint, call: Call) -> bytes:
        """A call that generates nothing and costs nothing, such as a list of models: no grant, no bulkhead, no breaker."""
        timers = Timers(Limits(connect=5, first_token=15, idle=15, total=20), wants_first=True)
        request = self._request(endpoint, call, endpoint.authorisation("", ""), timers)
        async with exchange(self._client(endpoint), endpoint, request, timers) as answer:
            if answer.status != _OK:
                raise await self._failure(endpoint, answer)
            return await answer.body()

    @asynccontextmanager
    async def _asked(self, job: Job, call: Call, operation: str, timers: Timers) -> AsyncIterator[tuple[Exchange, Span]]:
        """The provider's answer, if it is a good one; its failure otherwise. Tells breaker, trace and metrics how it went."""
        endpoint, model = job.endpoint, job.attempt.upstream_model
        system = endpoint.system or endpoint.name
        authorisation = endpoint.authorisation(job.attempt.credential, job.granted.domain)
        error_type = "cancelled"
        attributes = {names.SERVER_ADDRESS: endpoint.host, names.REQUEST_MAX_TOKENS: job.most_output}
        with self._lanes.passage(endpoint, job.attempt.credential, model), self._genai.call(operation, system, model, attributes) as span:
            try:
                request = self._request(endpoint, call, authorisation, timers, attempt=job.attempt.id)
                async with exchange(self._client(endpoint), endpoint, request, timers) as answer:
                    if answer.status != _OK:
                        raise await self._failure(endpoint, answer)
                    yield answer, span
                    error_type = ""
            except AdapterError as error:
                error_type = error.reason_name
                span.fail(error_type)
                raise
            finally:
                self._genai.ended(operation, system, model, seconds=timers.elapsed, error_type=error_type)

    def _request(
        self, endpoint: Endpoint, call: Call, authorisation: Mapping[str, str], timers: Timers, *, attempt: str = ""
    ) -> HttpRequest:
        headers = {**endpoint.headers, **call.headers, **authorisation}
        if call.body:
            headers["content-type"] = "application/json"
        if identifier := request_id():
            headers["x-llm-mesh-request-id"] = identifier
            if _UUID.fullmatch(identifier):  # some servers refuse any other
                headers["x-request-id"] = identifier
        if attempt:
            headers["x-llm-mesh-attempt"] = attempt
        headers.update(outbound())
        return HttpRequest(endpoint.url(call.path, at_origin=call.at_origin), headers, call.body, call.method, timers.limits.connect)

    async def _failure(self, endpoint: Endpoint, answer: Exchange) -> AdapterError:
        try:
            body = await answer.body(_MOST_OF_A_FAILURE)
        except AdapterError:
            body = b""  # the status says enough
        return self._dialect.failure(endpoint, answer.status, answer.headers, body)

    def _note(
        self,
        job: Job,
        events: list[generate_pb2.StreamEvent],
        meter: Meter,
        timers: Timers,
        translations: Sequence[generate_pb2.Translation],
    ) -> None:
        first = timers.first_content is None
        timers.event(content=meter.saw(events))
        if first and (seconds := timers.first_content) is not None:
            self._genai.first_chunk(names.CHAT, job.endpoint.system or job.endpoint.name, job.attempt.upstream_model, seconds)
        if translations and events[0].WhichOneof("kind") == "started":
            events[0].started.translations.extend(translations)

    def _report(
        self, job: Job, operation: str, meter: Meter, timers: Timers, headers: Mapping[str, str], span: Span
    ) -> adapter_pb2.AttemptReport:
        usage, source = meter.report()
        report = adapter_pb2.AttemptReport(usage=usage, source=source, provider_request_id=_provider_id(headers))
        report.total.FromNanoseconds(int(timers.elapsed * 1e9))
        if (seconds := timers.first_content) is not None:
            report.first_token.FromNanoseconds(int(seconds * 1e9))
        system = job.endpoint.system or job.endpoint.name
        self._genai.used(operation, system, job.attempt.upstream_model, input_tokens=usage.input_tokens, output_tokens=usage.output_tokens)
        span.set(names.INPUT_TOKENS, usage.input_tokens)
        span.set(names.OUTPUT_TOKENS, usage.output_tokens)
        return report


class Job:
    """An attempt whose grant is checked."""

    __slots__ = ("attempt", "endpoint", "granted", "most_output")

    def __init__(self, endpoint: Endpoint, attempt: plan_pb2.Attempt, granted: Granted) -> None:
        self.endpoint = endpoint
        self.attempt = attempt
        self.granted = granted
        self.most_output = attempt.max_output_tokens or granted.max_output_tokens

    def ask(self, wanted: int, *, stream: bool) -> Ask:
        """What the dialect needs to know: the tightest limit of request, plan and grant is sent."""
        return Ask(
            endpoint=self.endpoint,
            model=self.attempt.upstream_model,
            max_output_tokens=min(wanted or self.most_output, self.most_output),
            stream=stream,
            zero_retention=self.granted.zero_retention,
        )


@contextmanager
def _known_usage(meter: Meter) -> Iterator[None]:
    """A stream that fails after something was spent says how much."""
    try:
        yield
    except AdapterError as error:
        if meter.spent:
            usage, _ = meter.report()
            error.metadata |= {"input_tokens": str(usage.input_tokens), "output_tokens": str(usage.output_tokens)}
        raise


def _check_exact(call: Call, *, exact: bool) -> None:
    lost = next((each for each in call.translations if each.action in _LOSSY), None) if exact else None
    if lost is not None:
        raise fidelity_lost(lost.field, lost.note)


def _provider_id(headers: Mapping[str, str]) -> str:
    found = headers.get("x-request-id") or headers.get("request-id") or headers.get("apim-request-id") or ""
    return found if found.isascii() and found.isprintable() and len(found) <= 128 else ""  # noqa: PLR2004 (as long as ours)
