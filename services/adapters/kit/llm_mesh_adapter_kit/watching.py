"""Who is told how an attempt goes, over whatever wire it is made: bulkhead and breaker, trace, metrics, log, operators."""

from __future__ import annotations

from collections.abc import MutableMapping

from google.protobuf.duration_pb2 import Duration

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_adapter_kit import genai_names as names
from llm_mesh_adapter_kit.answer_bounds import AnswerBounds
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.genai import GenAi
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.lanes import Lane, Lanes
from llm_mesh_adapter_kit.limits import Timers
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.telemetry import Span
from llm_mesh_runtime.telemetry.semantics import SERVER_ADDRESS

Refusals = MutableMapping[str, str]
"""By endpoint: what its provider said when it last did not admit the mesh."""


class AttemptWatch:
    """Watches one attempt, from `begin` to `ended`."""

    __slots__ = ("_bounds", "_genai", "_hurried", "_job", "_lane", "_lanes", "_operation", "_refusals", "_system", "_timers", "span")

    span: Span
    _lane: Lane

    def __init__(  # noqa: PLR0917 (made for each attempt: names would cost it time)
        self, lanes: Lanes, genai: GenAi, refusals: Refusals, job: Job, operation: str, timers: Timers, bounds: AnswerBounds
    ) -> None:
        self._lanes = lanes
        self._genai = genai
        self._refusals = refusals
        self._job = job
        self._bounds = bounds
        self._hurried = job.attempt.HasField("limits")
        self._operation = operation
        self._timers = timers
        self._system = job.endpoint.system or job.endpoint.name

    def begin(self) -> None:
        """Takes a place at the endpoint; BULKHEAD_FULL or BREAKER_OPEN where there is none. `ended` gives it back."""
        job = self._job
        endpoint, model = job.endpoint, job.model
        self._lane = self._lanes.enter(endpoint, job.credential, model, job.party, hurried=self._hurried)
        attributes = {SERVER_ADDRESS: endpoint.host, names.REQUEST_MAX_TOKENS: job.most_output}
        self.span = self._genai.call(self._operation, self._system, model, attributes)
        self.span.__enter__()

    def first_content(self, seconds: float) -> None:
        """The first content of a stream is there."""
        self._genai.first_chunk(self._operation, self._system, self._job.model, seconds)

    def write(self, usage: generate_pb2.Usage, source: usage_pb2.UsageSource, report: adapter_pb2.AttemptReport) -> None:
        """Writes what the attempt used, once it is read to its end."""
        timers = self._timers
        seconds = timers.first_content
        report.usage.CopyFrom(usage)
        report.source = source
        _set(report.total, timers.elapsed)
        if seconds is not None:
            _set(report.first_token, seconds)
        put, out = usage.input_tokens, usage.output_tokens
        self._genai.used(self._operation, self._system, self._job.model, input_tokens=put, output_tokens=out)
        self.span.set(names.INPUT_TOKENS, put)
        self.span.set(names.OUTPUT_TOKENS, out)

    def ended(self, error: BaseException | None) -> None:
        """It has ended, and how."""
        job, error_type = self._job, ""
        if isinstance(error, AdapterError):
            note(self._refusals, job.endpoint, error)
            self._bounds.charge(job, error)
            error_type = error.reason_name
            self.span.fail(error_type)
            log_failure(job.endpoint, error, model=job.model, attempt=job.id)
        elif error is not None:
            error_type = "cancelled"
        elif self._refusals:
            self._refusals.pop(job.endpoint.name, None)
        self._genai.ended(self._operation, self._system, job.model, seconds=self._timers.elapsed, error_type=error_type)
        self.span.__exit__(None if error is None else type(error), error, None if error is None else error.__traceback__)
        self._lanes.leave(self._lane, job.party, error, hurried=self._hurried)


def note(refusals: Refusals, endpoint: Endpoint, error: AdapterError) -> None:
    """What a provider says about our account is for operators: the next list of endpoints has it."""
    if error.about_account:
        refusals[endpoint.name] = error.about_account


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
