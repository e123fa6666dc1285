"""What a request is told that repeats an earlier one by its idempotency key: where the first one stands, and how to find out more."""

from llm_mesh.policy.v1 import errors_pb2, usage_pb2
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.ledger.domain.reservation import HELD, SETTLED, UNSENT
from llm_mesh_runtime.errors import MeshError

_LOOK_AGAIN = 1.0
"""Seconds after which a repetition looks whether the first request has ended."""
_NO_ANSWER = frozenset({usage_pb2.ATTEMPT_OUTCOME_FAILED, usage_pb2.ATTEMPT_OUTCOME_NOT_SENT})
_PREFIX = "ATTEMPT_OUTCOME_"
_ANSWER, _STORED = "answer", "kept"
"""What of the metadata says that the answer is repeated."""


def is_free(first: usage_pb2.LedgerEntry) -> bool:
    """Whether the first request left its key free: nothing of an answer was released, and nothing was charged."""
    if first.state in UNSENT:
        return True
    return first.state == SETTLED and not first.charged.nanos and all(line.usage.outcome in _NO_ANSWER for line in first.lines)


def in_progress(first: usage_pb2.LedgerEntry) -> bool:
    """Whether the first request has not ended."""
    return first.state == HELD


def still_in_progress(first: usage_pb2.LedgerEntry) -> PolicyError:
    """It has to be waited for."""
    return PolicyError(
        errors_pb2.ERROR_REASON_IDEMPOTENCY_IN_PROGRESS,
        f"the first request with this idempotency key is in progress{_named(first)}; repeat after {_LOOK_AGAIN:g} s",
        retry_after=_LOOK_AGAIN,
        request_id=first.request_id,
    )


def completed(first: usage_pb2.LedgerEntry, *, answer_kept: bool) -> PolicyError:
    """It has ended. The metadata are its receipt."""
    lines = first.lines
    receipt = {
        "request_id": first.request_id,
        "reservation": first.name,
        "charged_nanos": str(first.charged.nanos),
        "charged_currency": first.charged.currency,
        "input_tokens": str(sum(line.usage.usage.input_tokens for line in lines)),
        "output_tokens": str(sum(line.usage.usage.output_tokens for line in lines)),
        "outcome": usage_pb2.AttemptOutcome.Name(lines[-1].usage.outcome).removeprefix(_PREFIX).lower() if lines else "",
        _ANSWER: _STORED if answer_kept else "",
    }
    error = PolicyError(
        errors_pb2.ERROR_REASON_IDEMPOTENCY_COMPLETED,
        f"the first request with this idempotency key has ended{_named(first)}, and its answer is not repeated; {_how_to_look(first)}",
    )
    error.metadata |= {name: value for name, value in receipt.items() if value}
    return error


def is_repeated(refusal: MeshError) -> bool:
    """Whether a refused `Reserve` gets the kept answer of the first request: it is answered then, and not refused."""
    return refusal.metadata.get(_ANSWER) == _STORED


def _named(first: usage_pb2.LedgerEntry) -> str:
    return f" (request {first.request_id})" if first.request_id else ""


def _how_to_look(first: usage_pb2.LedgerEntry) -> str:
    """The way to what happened."""
    if not first.request_id:
        return f"GetLedgerEntry shows {first.name}"
    return f"`llm-mesh requests show {first.request_id}` shows what happened"
