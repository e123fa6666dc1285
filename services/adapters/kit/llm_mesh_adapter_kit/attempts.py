"""One attempt from grant to report: the same for every dialect."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass

from llm_mesh.adapter.v1 import adapter_pb2, errors_pb2
from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.breaker import Guard, Pass
from llm_mesh_adapter_kit.dialect import Call, Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint, Endpoints
from llm_mesh_adapter_kit.errors import AdapterError, failure
from llm_mesh_adapter_kit.failures import TARGETS_OWN
from llm_mesh_adapter_kit.http import Answer, HttpClient, Limits, timed_out
from llm_mesh_adapter_kit.metering import Meter
from llm_mesh_adapter_kit.sse import EventParser
from llm_mesh_runtime.context import request_id
from llm_mesh_runtime.telemetry import outbound, span
from llm_mesh_runtime.telemetry.semantics import OPERATION, PROVIDER, REQUEST_MODEL

_OK = 300
_LOSSY = (generate_pb2.TRANSLATION_ACTION_DROPPED, generate_pb2.TRANSLATION_ACTION_APPROXIMATED)


@dataclass(frozen=True, slots=True)
class Work:
    """What an attempt is to do, once its grant is checked."""

    attempt: plan_pb2.Attempt
    max_output_tokens: int
    exact: bool = False


class Attempts:
    """Makes attempts at the adapter's endpoints."""

    def __init__(
        self, dialect: Dialect, endpoints: Endpoints, guard: Guard, client: Callable[[Endpoint], HttpClient], defaults: Limits
    ) -> None:
        self.dialect = dialect
        self.endpoints = endpoints
        self.guard = guard
        self._client = client
        self._defaults = defaults

    async def generate(self, work: Work, request: generate_pb2.GenerateInput) -> adapter_pb2.GenerateResponse:
        """A whole answer."""
        endpoint = self._usable(work.attempt)
        call = self.dialect.generate(endpoint, work.attempt.upstream_model, request, stream=False, max_output_tokens=work.max_output_tokens)
        _check_exact(call, exact=work.exact)
        meter = Meter(work.attempt, len(call.body or b""))
        begun = time.monotonic()
        async with self._sent(work.attempt, endpoint, call, "chat") as answer:
            output = self.dialect.output(endpoint, await answer.body())
        meter.whole(output)
        output.translations.extend(call.translations)
        report = self._report(meter, begun, begun_content=time.monotonic(), answer=answer)
        return adapter_pb2.GenerateResponse(output=output, report=report)

    async def stream(self, work: Work, request: generate_pb2.GenerateInput) -> AsyncIterator[adapter_pb2.GenerateStreamResponse]:
        """An answer as it comes: everything that arrived in one read is one message; the last has the report."""
        endpoint = self._usable(work.attempt)
        call = self.dialect.generate(endpoint, work.attempt.upstream_model, request, stream=True, max_output_tokens=work.max_output_tokens)
        _check_exact(call, exact=work.exact)
        meter = Meter(work.attempt, len(call.body or b""))
        begun, content_at = time.monotonic(), 0.0
        limits = self._limits(work.attempt)
        with _known_usage(meter):
            async with self._sent(work.attempt, endpoint, call, "chat") as answer:
                parser, reader = EventParser(), self.dialect.reader(endpoint)
                pieces = answer.pieces()
                async for piece in _until_content(pieces, lambda: content_at > 0, begun + limits.first_token, begun + limits.total):
                    events = [event for each in parser.feed(piece) for event in reader.feed(each)]
                    if meter.saw(events) and not content_at:
                        content_at = time.monotonic()
                    if events:
                        yield _message(events, call.translations)
                last = list(reader.finish())
                meter.saw(last)
            report = self._report(meter, begun, begun_content=content_at, answer=answer)
        yield _message(last, call.translations, report)

    async def embed(self, work: Work, request: embed_pb2.EmbedInput) -> adapter_pb2.EmbedResponse:
        """Embeddings."""
        endpoint = self._usable(work.attempt)
        call = self.dialect.embed(endpoint, work.attempt.upstream_model, request)
        meter = Meter(work.attempt, len(call.body or b""))
        begun = time.monotonic()
        async with self._sent(work.attempt, endpoint, call, "embeddings") as answer:
            output = self.dialect.embeddings(endpoint, await answer.body())
        if output.HasField("usage"):
            meter.whole(generate_pb2.GenerateOutput(usage=output.usage))
        output.translations.extend(call.translations)
        return adapter_pb2.EmbedResponse(output=output, report=self._report(meter, begun, begun_content=time.monotonic(), answer=answer))

    async def ask(self, endpoint: Endpoint, call: Call, model: str = "") -> bytes:
        """A call that generates nothing, such as a list of models: no bulkhead, no breaker, no grant."""
        limits = Limits(connect=self._defaults.connect, first_token=10.0, idle=10.0, total=20.0)
        url = endpoint.base_url + call.path
        headers = _headers(endpoint, call)
        client = self._client(endpoint)
        with span(f"ask {endpoint.name}", {PROVIDER: endpoint.provider, REQUEST_MODEL: model}, client=True):
            async with client.request(call.method, url, headers=headers, body=call.body, limits=limits) as answer:
                body = await answer.body()
        if answer.status >= _OK:
            raise self.dialect.failure(endpoint, answer.status, answer.headers, body)
        return body

    async def discover(self, name: str) -> list[str]:
        """The models that an endpoint offers, as its provider names them."""
        endpoint = self.endpoints.get(name)
        return list(self.dialect.model_ids(await self.ask(endpoint, self.dialect.models(endpoint))))

    def shown(self, endpoint: Endpoint) -> adapter_pb2.Endpoint:
        """An endpoint, and how it stands."""
        breaker, in_flight = self.guard.state(endpoint.name)
        return adapter_pb2.Endpoint(
            name=endpoint.name,
            provider=endpoint.provider,
            base_url=endpoint.base_url,
            has_credential=endpoint.has_credential,
            breaker=breaker,
            in_flight=in_flight,
            max_in_flight=endpoint.max_in_flight,
            local=endpoint.local,
            region=endpoint.region,
        )

    def _usable(self, attempt: plan_pb2.Attempt) -> Endpoint:
        endpoint = self.endpoints.get(attempt.endpoint)
        if not endpoint.has_credential:
            reason = errors_pb2.ERROR_REASON_NO_CREDENTIAL
            raise failure(reason, f"the adapter has no credential for {endpoint.name}", sent=False, endpoint=endpoint.name)
        return endpoint

    @asynccontextmanager
    async def _sent(self, attempt: plan_pb2.Attempt, endpoint: Endpoint, call: Call, operation: str) -> AsyncIterator[Answer]:
        """The provider's answer, if it is a good one; its failure otherwise. Tells breaker and trace how it went."""
        key = (attempt.credential or endpoint.name, endpoint.name, attempt.upstream_model)
        limits = self._limits(attempt)
        attributes = {OPERATION: operation, PROVIDER: endpoint.provider, REQUEST_MODEL: attempt.upstream_model}
        with (
            self.guard.entered(key, endpoint.max_in_flight) as entered,
            _judged(entered),
            span(f"{operation} {attempt.upstream_model}", attributes, client=True),
        ):
            try:
                async with asyncio.timeout(limits.total):
                    url = endpoint.base_url + call.path
                    headers = _headers(endpoint, call) | {"llm-mesh-attempt": attempt.id}
                    request = self._client(endpoint).request(call.method, url, headers=headers, body=call.body, limits=limits)
                    async with request as answer:
                        if answer.status >= _OK:
                            raise self.dialect.failure(endpoint, answer.status, answer.headers, await answer.body())
                        yield answer
            except TimeoutError as error:
                raise timed_out("total", sent=True) from error

    def _limits(self, attempt: plan_pb2.Attempt) -> Limits:
        if not attempt.HasField("limits"):
            return self._defaults
        given, defaults = attempt.limits, self._defaults
        return Limits(
            connect=given.connect.ToNanoseconds() / 1e9 if given.HasField("connect") else defaults.connect,
            first_token=given.first_token.ToNanoseconds() / 1e9 if given.HasField("first_token") else defaults.first_token,
            idle=given.idle.ToNanoseconds() / 1e9 if given.HasField("idle") else defaults.idle,
            total=given.total.ToNanoseconds() / 1e9 if given.HasField("total") else defaults.total,
        )

    def _report(self, meter: Meter, begun: float, *, begun_content: float, answer: Answer) -> adapter_pb2.AttemptReport:
        usage, source = meter.report()
        report = adapter_pb2.AttemptReport(usage=usage, source=source, provider_request_id=_provider_id(answer.headers))
        report.total.FromNanoseconds(int((time.monotonic() - begun) * 1e9))
        if begun_content:
            report.first_token.FromNanoseconds(int((begun_content - begun) * 1e9))
        return report


@contextmanager
def _judged(entered: Pass) -> Iterator[None]:
    """Tells the breaker what a call says about its target."""
    try:
        yield
    except AdapterError as error:
        if error.reason_name in TARGETS_OWN:
            entered.failed()
        else:
            entered.succeeded()
        raise
    else:
        entered.succeeded()


@contextmanager
def _known_usage(meter: Meter) -> Iterator[None]:
    """A failure of a stream carries what is known of its usage."""
    try:
        yield
    except AdapterError as error:
        if error.metadata.get("sent") == "true":
            usage, _ = meter.report()
            error.metadata |= {"input_tokens": str(usage.input_tokens), "output_tokens": str(usage.output_tokens)}
        raise


async def _until_content(pieces: AsyncIterator[bytes], begun: Callable[[], bool], first_token: float, total: float) -> AsyncIterator[bytes]:
    """The pieces; until content has begun, each within what is left of the time for the first token.

    Keep-alive comments and empty deltas are no content: a provider that sends only those is as stalled as a silent one.
    """
    while True:
        deadline = total if begun() else min(first_token, total)
        try:
            async with asyncio.timeout(max(0.0, deadline - time.monotonic())):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise timed_out("total" if begun() else "first_token", sent=True) from error
        yield piece


def _check_exact(call: Call, *, exact: bool) -> None:
    lost = next((each for each in call.translations if each.action in _LOSSY), None) if exact else None
    if lost is not None:
        reason = errors_pb2.ERROR_REASON_FIDELITY_LOST
        raise failure(reason, f"{lost.field}: {lost.note}", sent=False, field=lost.field)


def _message(
    events: list[generate_pb2.StreamEvent],
    translations: Sequence[generate_pb2.Translation],
    report: adapter_pb2.AttemptReport | None = None,
) -> adapter_pb2.GenerateStreamResponse:
    for event in events:
        if event.WhichOneof("kind") == "started":
            event.started.translations.extend(translations)
    return adapter_pb2.GenerateStreamResponse(events=events, final=report)


def _headers(endpoint: Endpoint, call: Call) -> dict[str, str]:
    headers = {"content-type": "application/json", "user-agent": "llm-mesh", **endpoint.request_headers(), **call.headers}
    if identifier := request_id():
        headers["x-request-id"] = identifier
    headers.update((key, value) for key, value in outbound() if isinstance(value, str))
    return headers


def _provider_id(headers: Mapping[str, str]) -> str:
    return headers.get("x-request-id") or headers.get("request-id") or ""
