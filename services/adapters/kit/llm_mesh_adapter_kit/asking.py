"""Asking a provider, for any purpose: what it is sent beside the body, and who is told how it went (breaker, trace, metrics)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

from google.protobuf.duration_pb2 import Duration

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit import genai_names as names
from llm_mesh_adapter_kit.dialect import Call, Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.exchange import Exchange, begun, signed
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.http import HttpClient, HttpRequest
from llm_mesh_adapter_kit.lanes import Lane, Lanes
from llm_mesh_adapter_kit.limits import Limits, Timers
from llm_mesh_adapter_kit.prepared import Prepared, PreparedHeaders
from llm_mesh_adapter_kit.redaction import Redaction
from llm_mesh_runtime.context import request_id
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.telemetry import Span, outbound
from llm_mesh_runtime.telemetry.semantics import SERVER_ADDRESS

_OK = 200
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_MOST_OF_A_FAILURE = 64 * 1024
_IDS = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid")
_LONGEST_ID = 128
"""As long as ours."""
_FREE = Limits(connect=5, first_token=15, idle=15, total=20)


class Asking:
    """Asks endpoints, by one dialect."""

    def __init__(self, dialect: Dialect, lanes: Lanes, client: Callable[[Endpoint], HttpClient], genai: GenAi) -> None:
        self.lanes = lanes
        self.genai = genai
        self.headers = PreparedHeaders()
        self.refusals: dict[str, str] = {}
        """By endpoint: what its provider said when it last did not admit the mesh."""
        self._dialect = dialect
        self._client = client

    def begin(self, endpoint: Endpoint, call: Call, prepared: Prepared, timers: Timers, *, attempt: str = "") -> Awaitable[Exchange]:
        """Send; the answer is there once its head has arrived."""
        headers: dict[str, str] = {}
        if identifier := request_id():
            headers["x-llm-mesh-request-id"] = identifier
            if _UUID.fullmatch(identifier):  # some servers refuse any other
                headers["x-request-id"] = identifier
        if attempt:
            headers["x-llm-mesh-attempt"] = attempt
        if trace := outbound():
            headers.update(trace)
        lines = prepared.lines
        signed_with = prepared.signed_with
        # The operator sends one of these too: it goes out once. And whoever signs sees all headers.
        if signed_with is not None or not headers.keys().isdisjoint(prepared.headers):
            headers, lines = {**prepared.headers, **headers}, ""
        url = endpoint.url(call.path, at_origin=call.at_origin)
        request = HttpRequest(url, headers, call.body, call.method, timers.limits.connect, timers.next(head=True), lines)
        if signed_with is not None:
            return signed(self._client(endpoint), endpoint, request, timers, signed_with)
        return begun(self._client(endpoint), endpoint, request, timers)

    async def freely(self, endpoint: Endpoint, call: Call, limits: Limits = _FREE) -> bytes:
        """The answer to a call that generates nothing and costs nothing: no grant, no bulkhead, no breaker."""
        timers = Timers(limits, wants_first=True)
        answer = await self.begin(endpoint, call, self.headers.of(endpoint, call, "", ""), timers)
        try:
            if answer.status != _OK:
                raise await self.failure(endpoint, answer)
            self.admitted(endpoint.name)
            return await answer.body()
        except AdapterError as error:
            self.note(endpoint, error)
            log_failure(endpoint, error)
            raise
        finally:
            answer.close()

    async def failure(self, endpoint: Endpoint, answer: Exchange) -> AdapterError:
        """What an answer means that is no good one."""
        try:
            body = await answer.body(_MOST_OF_A_FAILURE)
        except AdapterError:
            body = b""  # the status says enough
        return self._dialect.failure(endpoint, answer.status, answer.headers, body)

    def admitted(self, endpoint: str) -> None:
        """The provider answers us again."""
        self.refusals.pop(endpoint, None)

    def note(self, endpoint: Endpoint, error: AdapterError) -> None:
        """What a provider says about our account is for operators: the next list of endpoints has it."""
        if error.about_account:
            self.refusals[endpoint.name] = error.about_account


class Reporting(Protocol):
    """Knows what an attempt used."""

    def report(self) -> tuple[generate_pb2.Usage, usage_pb2.UsageSource]:
        """The usage so far, and who says so."""
        ...


class ProviderAnswer:
    """The provider's answer to an attempt, for the length of a block; its failure where it is no good one."""

    __slots__ = ("_asking", "_call", "_hurried", "_job", "_lane", "_operation", "_system", "_timers", "answer", "span")

    answer: Exchange
    span: Span

    def __init__(self, asking: Asking, job: Job, call: Call, operation: str, timers: Timers) -> None:
        self._asking = asking
        self._job = job
        self._hurried = job.attempt.HasField("limits")
        self._call = call
        self._operation = operation
        self._timers = timers
        self._system = job.endpoint.system or job.endpoint.name

    async def __aenter__(self) -> Self:
        asking, job = self._asking, self._job
        endpoint, credential, model = job.endpoint, job.credential, job.model
        prepared = asking.headers.of(endpoint, self._call, credential, job.domain)
        self._lane: Lane = asking.lanes.enter(endpoint, credential, model, job.party, hurried=self._hurried)
        attributes = {SERVER_ADDRESS: endpoint.host, names.REQUEST_MAX_TOKENS: job.most_output}
        self.span = asking.genai.call(self._operation, self._system, model, attributes)
        self.span.__enter__()
        try:
            self.answer = await asking.begin(endpoint, self._call, prepared, self._timers, attempt=job.id)
            if self.answer.status != _OK:
                try:
                    raise await asking.failure(endpoint, self.answer)
                finally:
                    self.answer.close()
        except BaseException as error:
            self._ended(error)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.answer.close()
        self._ended(error)

    def report(self, meter: Reporting, report: adapter_pb2.AttemptReport) -> None:
        """Writes what the attempt used, once it is read to its end."""
        usage, source = meter.report()
        timers, model = self._timers, self._job.model
        seconds = timers.first_content
        report.usage.CopyFrom(usage)
        report.source = source
        if identifier := _provider_id(self.answer, self._job.endpoint.redaction):
            report.provider_request_id = identifier
        _set(report.total, timers.elapsed)
        if seconds is not None:
            _set(report.first_token, seconds)
        put, out = usage.input_tokens, usage.output_tokens
        self._asking.genai.used(self._operation, self._system, model, input_tokens=put, output_tokens=out)
        self.span.set(names.INPUT_TOKENS, put)
        self.span.set(names.OUTPUT_TOKENS, out)

    def _ended(self, error: BaseException | None) -> None:
        asking, job, error_type = self._asking, self._job, ""
        if isinstance(error, AdapterError):
            asking.note(self._job.endpoint, error)
            error_type = error.reason_name
            self.span.fail(error_type)
            log_failure(job.endpoint, error, model=job.model, attempt=job.id)
        elif error is not None:
            error_type = "cancelled"
        elif asking.refusals:
            asking.admitted(self._job.endpoint.name)
        asking.genai.ended(self._operation, self._system, self._job.model, seconds=self._timers.elapsed, error_type=error_type)
        self.span.__exit__(None if error is None else type(error), error, None if error is None else error.__traceback__)
        asking.lanes.leave(self._lane, self._job.party, error, hurried=self._hurried)


def log_failure(endpoint: Endpoint, error: AdapterError, *, model: str = "", attempt: str = "") -> None:
    """One line per failure of a provider, without anything that was said but about our account. The request id stands on every line."""
    facts = {"reason": error.reason_name, "endpoint": endpoint.name, "model": model, "attempt": attempt}
    facts["status"] = error.metadata.get("provider_status", "")
    if error.about_account:
        facts["account"] = error.about_account
    get_logger().warning("a provider failed", **facts)


def _set(duration: Duration, seconds: float) -> None:
    whole = int(seconds)
    duration.nanos = int((seconds - whole) * 1e9)
    duration.seconds = whole


def _provider_id(answer: Exchange, redaction: Redaction) -> str:
    found = next((identifier for name in _IDS if (identifier := answer.header(name))), "")
    found = redaction.text_of(found)
    return found if found.isascii() and found.isprintable() and len(found) <= _LONGEST_ID else ""
