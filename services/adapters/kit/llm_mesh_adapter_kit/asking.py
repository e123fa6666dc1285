"""Asking a provider, for any purpose: what it is sent beside the body, and who is told how it went (breaker, trace, metrics)."""

from __future__ import annotations

import math
import re
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Protocol, Self

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit.answer_bounds import AnswerBounds
from llm_mesh_adapter_kit.dialect import Call, Dialect
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.exchange import Exchange, begun, signed
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.http import HttpClient, HttpRequest
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_adapter_kit.limits import Limits, Timers
from llm_mesh_adapter_kit.prepared import Prepared, PreparedHeaders
from llm_mesh_adapter_kit.redaction import Redaction
from llm_mesh_adapter_kit.watching import AttemptWatch, Refusals, log_failure, note
from llm_mesh_runtime.context import request_id
from llm_mesh_runtime.telemetry import outbound

_OK = 200
_UUID = re.compile(r"[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}")
_MOST_OF_A_FAILURE = 64 * 1024
_IDS = ("x-request-id", "request-id", "apim-request-id", "x-amzn-requestid")
_LONGEST_ID = 128
"""As long as ours."""
FREE = Limits(connect=5, first_token=15, idle=15, total=20)
"""Of calls that cost nothing."""


class Asking:
    """Asks endpoints, by one dialect."""

    def __init__(self, dialect: Dialect, lanes: Lanes, client: Callable[[Endpoint], HttpClient], genai: GenAi) -> None:
        self.lanes = lanes
        self.genai = genai
        self.headers = PreparedHeaders()
        self.refusals: Refusals = {}
        self._dialect = dialect
        self._client = client

    def begin(
        self, endpoint: Endpoint, call: Call, prepared: Prepared, timers: Timers, *, attempt: str = "", most: float = math.inf
    ) -> Awaitable[Exchange]:
        """Send; the answer is there once its head has arrived, and has `most` bytes."""
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
        request = HttpRequest(url, headers, call.body, call.method, timers.limits.connect, timers.next(head=True), lines, most)
        if signed_with is not None:
            return signed(self._client(endpoint), endpoint, request, timers, signed_with)
        return begun(self._client(endpoint), endpoint, request, timers)

    async def freely(self, endpoint: Endpoint, call: Call, limits: Limits = FREE, *, domain: str | None = None) -> bytes:
        """The answer to a call that generates nothing and costs nothing: no grant, no bulkhead, no breaker.

        `domain` must be one of those that may use the credential. None: the mesh asks for itself, as its operators do.
        """
        timers = Timers(limits, wants_first=True)
        user = endpoint.own_user if domain is None else domain
        answer = await self.begin(endpoint, call, self.headers.of(endpoint, call, "", user), timers)
        try:
            if answer.status != _OK:
                raise await self.failure(endpoint, answer)
            self.admitted(endpoint.name)
            return await answer.body()
        except AdapterError as error:
            note(self.refusals, endpoint, error)
            log_failure(endpoint, error)
            raise
        finally:
            answer.close()

    async def open(self, endpoint: Endpoint, call: Call, timers: Timers) -> Exchange:
        """The answer to a call of the mesh's own, once its head is there; the failure where it is no good one."""
        prepared = self.headers.of(endpoint, call, "", endpoint.own_user)
        answer = await self.begin(endpoint, call, prepared, timers)
        if answer.status != _OK:
            try:
                raise await self.failure(endpoint, answer)
            finally:
                answer.close()
        return answer

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


class Reporting(Protocol):
    """Knows what an attempt used."""

    def report(self) -> tuple[generate_pb2.Usage, usage_pb2.UsageSource]:
        """The usage so far, and who says so."""
        ...


class ProviderAnswer(AttemptWatch):
    """The provider's answer to an attempt, for the length of a block; its failure where it is no good one."""

    __slots__ = ("_asking", "_call", "answer")

    answer: Exchange

    def __init__(self, asking: Asking, job: Job, call: Call, operation: str, timers: Timers, bounds: AnswerBounds) -> None:
        super().__init__(asking.lanes, asking.genai, asking.refusals, job, operation, timers, bounds)
        self._asking = asking
        self._call = call

    async def __aenter__(self) -> Self:
        asking, job = self._asking, self._job
        endpoint = job.endpoint
        prepared = asking.headers.of(endpoint, self._call, job.credential, job.domain)
        self.begin()
        try:
            self.answer = await asking.begin(endpoint, self._call, prepared, self._timers, attempt=job.id, most=self._bounds.wire)
            if self.answer.status != _OK:
                try:
                    raise await asking.failure(endpoint, self.answer)
                finally:
                    self.answer.close()
        except BaseException as error:
            self.ended(error)
            raise
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.answer.close()
        self.ended(error)

    def report(self, meter: Reporting, report: adapter_pb2.AttemptReport) -> None:
        """Writes what the attempt used, once it is read to its end."""
        if identifier := _provider_id(self.answer, self._job.endpoint.redaction):
            report.provider_request_id = identifier
        self.write(*meter.report(), report)


def _provider_id(answer: Exchange, redaction: Redaction) -> str:
    shown = next((identifier for name in _IDS if (identifier := answer.header(name))), "")
    shown = redaction.text_of(shown)
    return shown if shown.isascii() and shown.isprintable() and len(shown) <= _LONGEST_ID else ""
