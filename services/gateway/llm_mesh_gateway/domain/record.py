"""One attempt as it went: its usage line for the ledger, and its result for the router's ranking."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from google.protobuf import duration_pb2

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_gateway.domain.failures import meaning_of
from llm_mesh_gateway.domain.ports import Answer, Piece
from llm_mesh_gateway.domain.tally import Tally, counted_in
from llm_mesh_runtime.errors import MeshError

if TYPE_CHECKING:
    from llm_mesh_gateway.domain.execution.remainder import Remainder

_PROVIDER = usage_pb2.USAGE_SOURCE_PROVIDER
_COUNTED = usage_pb2.USAGE_SOURCE_COUNTED
_LONGEST_FIELD = 255
_MOST_DIGITS = 18
"""Digits of an amount in nanos: more may not fit into 64 bits."""


class AttemptRecord:
    """Begins with the call to the adapter. An attempt that is never ended counts as cancelled."""

    __slots__ = (
        "_answer", "_began", "_counted", "_first_content", "_outcome", "_source", "_start", "_streamed", "_tally",
        "_took", "_upstream", "_usage", "adapter", "attempt", "begun", "ending", "field", "id", "model", "reason",
    )  # fmt: skip

    def __init__(self, attempt: plan_pb2.Attempt, *, streamed: bool = False) -> None:
        self.attempt = attempt
        self.begun = True
        """Whether its adapter was called. Where not, it is here for the ledger, which says why."""
        self.id = attempt.id
        self.adapter = attempt.adapter
        self.model = attempt.model
        self._streamed = streamed
        self._counted = (0, 0)
        self._answer: Answer | None = None
        self._start = time.time_ns()
        self._began = time.monotonic()
        self._took = 0.0
        self._first_content = 0.0
        self._tally = Tally()
        self._outcome = usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED
        self._usage: generate_pb2.Usage | None = None
        self._source = usage_pb2.USAGE_SOURCE_UNSPECIFIED
        self._upstream: usage_pb2.UpstreamCharge | None = None
        self.ending: Remainder | None = None
        """What is left of a stream of which nothing but the usage is to come."""
        self.reason = ""
        """Why it failed, as the adapter says; empty where it did not."""
        self.field = ""
        """The field of the request that the reason is about, as the adapter names it; empty where it names none."""

    @property
    def ended_choices(self) -> int:
        """How many choices of a stream are finished: nothing but the usage follows the last."""
        return self._tally.ended_choices

    @property
    def sent(self) -> bool:
        """Whether anything may have reached the provider."""
        return self._outcome != usage_pb2.ATTEMPT_OUTCOME_NOT_SENT

    def note(self, piece: Piece) -> bool:
        """Something arrived. Answers whether it has content."""
        content = self._tally.note(piece)
        if piece.answer is not None:
            self._answer = piece.answer
        if content and not self._first_content:
            self._first_content = time.monotonic() - self._began
        return content

    def completed(self, report: adapter_pb2.AttemptReport) -> None:
        """The answer is whole."""
        self._end(usage_pb2.ATTEMPT_OUTCOME_COMPLETED)
        if report.HasField("upstream"):
            self._upstream = report.upstream
        if not report.HasField("usage"):
            self._count()
            return
        self._usage, self._source = report.usage, report.source or _COUNTED
        self._count_beside(report.usage)

    def failed(self, failure: MeshError, *, committed: bool) -> None:
        """The adapter failed, before or after content was released."""
        meaning = meaning_of(failure)
        self.reason = failure.reason_name
        self.field = field_of(failure)
        self._upstream = upstream_charge_of(failure)
        if committed:
            self._end(usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED)
        elif meaning.sent or self._tally.content:
            self._end(usage_pb2.ATTEMPT_OUTCOME_FAILED)
        else:
            self._end(usage_pb2.ATTEMPT_OUTCOME_NOT_SENT)
            return
        usage = _reported_usage(failure)
        if self._tally.content or (meaning.billed and usage is None):
            self._count()
        if usage is not None and (self._usage is None or usage.output_tokens >= self._usage.output_tokens):
            self._usage, self._source = usage, _PROVIDER if failure.metadata.get("usage_source") == "provider" else _COUNTED

    def refused(self, failure: MeshError) -> None:
        """The gateway itself does not send it."""
        self.begun = False
        self.reason, self.field = failure.reason_name, field_of(failure)
        self._end(usage_pb2.ATTEMPT_OUTCOME_NOT_SENT)

    def withheld(self, reason: str) -> None:
        """The gateway itself ended the attempt: screening refused or broke."""
        if self._outcome == usage_pb2.ATTEMPT_OUTCOME_CANCELLED:
            self.reason = reason
            self._outcome = usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED

    def cancelled(self) -> None:
        """The caller went away, or its time was up."""
        if self._outcome == usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED:
            self.reason = "CANCELLED"
            self._end(usage_pb2.ATTEMPT_OUTCOME_CANCELLED)
            self._count()

    def recount(self) -> None:
        """More came after the caller went away."""
        self._count()

    def _end(self, outcome: usage_pb2.AttemptOutcome) -> None:
        self._outcome = outcome
        self._took = time.monotonic() - self._began

    def _count(self) -> None:
        self._usage, provider = self._tally.usage(self._input)
        self._source = _PROVIDER if provider else _COUNTED
        self._count_beside(self._usage)

    def _count_beside(self, usage: generate_pb2.Usage) -> None:
        """The ledger may have to charge what was counted, where a provider reports more than can be."""
        attempt, answer = self.attempt, self._answer
        if usage.output_tokens > attempt.max_output_tokens or usage.input_tokens > attempt.max_input_tokens:
            self._counted = (self._input, self._tally.counted if answer is None else counted_in(answer))

    @property
    def _input(self) -> int:
        """The input as the plan estimates it. A router of the version before does not: then its bound."""
        return self.attempt.estimated_input_tokens or self.attempt.max_input_tokens

    def write(self, line: usage_pb2.UsageLine) -> None:
        """What the ledger is told."""
        line.attempt_id = self.id
        line.outcome = self._outcome
        line.source = self._source
        if self._usage is not None:
            line.usage.CopyFrom(self._usage)
        line.duration_us = int(self._took * 1e6)
        if self._first_content:
            line.first_token_us = int(self._first_content * 1e6)
        if self.reason:
            line.error_reason = self.reason
        if self.field:
            line.error_field = self.field
        if self._streamed:
            line.streamed = True
        if self._upstream is not None:
            line.upstream.CopyFrom(self._upstream)
        if any(self._counted):
            line.counted_input_tokens, line.counted_output_tokens = self._counted
        if self.sent:
            start = line.start_time
            start.seconds, start.nanos = divmod(self._start, 1_000_000_000)

    def tell(self, result: router_pb2.AttemptResult, decision_id: str, domain: str) -> None:
        """What the router is told."""
        result.model = self.model
        result.adapter = self.adapter
        result.endpoint = self.attempt.endpoint
        result.decision_id = decision_id
        result.domain = domain
        if self.reason:
            result.error_reason = self.reason
        if self._usage is not None:
            result.output_tokens = self._usage.output_tokens
        set_duration(result.total, self._took)
        if self._first_content:
            set_duration(result.first_token, self._first_content)


def set_duration(field: duration_pb2.Duration, seconds: float) -> None:
    """Sets a duration that is not negative, to the microsecond; the message's own way to do it takes three times as long."""
    field.seconds, micros = divmod(int(seconds * 1e6), 1_000_000)
    field.nanos = micros * 1000


def field_of(failure: MeshError) -> str:
    """The field of a request that a failure is about, as far as a ledger keeps it."""
    named = failure.field or failure.metadata.get("field", "")
    return named if named.isprintable() and len(named) <= _LONGEST_FIELD else ""


def upstream_charge_of(failure: MeshError) -> usage_pb2.UpstreamCharge | None:
    """What another mesh charged for a failed attempt, as its adapter says."""
    metadata = failure.metadata
    nanos, currency = metadata.get("upstream_charged_nanos", ""), metadata.get("upstream_charged_currency", "")
    if not (nanos.isascii() and nanos.isdecimal()) or len(nanos) > _MOST_DIGITS:
        return None
    charge = usage_pb2.UpstreamCharge(reservation=metadata.get("upstream_reservation", ""))
    charge.charge.currency, charge.charge.nanos = currency, int(nanos)
    return charge


def _reported_usage(failure: MeshError) -> generate_pb2.Usage | None:
    """The usage that the adapter knows of a failed attempt."""
    figures = [failure.metadata.get(key, "") for key in ("input_tokens", "output_tokens")]
    if not any(figure.isdecimal() for figure in figures):
        return None
    read = [int(figure) if figure.isdecimal() else 0 for figure in figures]
    return generate_pb2.Usage(input_tokens=read[0], output_tokens=read[1])
