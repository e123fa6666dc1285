"""Failures that the gateway itself answers for; those of policy, router, catalogue and adapters pass through."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors_pb2
from llm_mesh.gateway.v1 import errors_pb2
from llm_mesh_runtime.errors import MeshError


class GatewayError(MeshError):
    """A failure with one of the gateway's documented reasons."""

    reasons = errors_pb2.ErrorReason


class AdapterFault(MeshError):
    """An adapter's reason that the gateway finds out for itself."""

    reasons = adapter_errors_pb2.ErrorReason


def ended_early() -> AdapterFault:
    """An adapter that does not end its answer as its contract says."""
    reason = adapter_errors_pb2.ERROR_REASON_PROVIDER_MALFORMED
    return AdapterFault(reason, "the adapter ended the answer without its last message", sent="true")


def fidelity_lost(lost: str, why: str) -> AdapterFault:
    """Something could only be answered with a loss, and the request demands exactness. `metadata.field` names it."""
    failure = AdapterFault(adapter_errors_pb2.ERROR_REASON_FIDELITY_LOST, f"{lost} would be lost: {why}")
    failure.metadata["field"] = lost
    return failure


def not_executable(node: str) -> GatewayError:
    """A plan with a node of a kind that this build does not carry out."""
    reason = errors_pb2.ERROR_REASON_PLAN_NOT_EXECUTABLE
    return GatewayError(reason, f"the plan has a node of kind {node}, which this gateway cannot execute", node=node)


def obligation_not_supported(obligation: str) -> GatewayError:
    """An obligation of a kind that this build does not carry out."""
    reason = errors_pb2.ERROR_REASON_OBLIGATION_NOT_SUPPORTED
    message = f"policy obliges the gateway to {obligation}, which this gateway cannot do"
    return GatewayError(reason, message, obligation=obligation)


def request_loops(hops: Sequence[str]) -> GatewayError:
    """A request that has passed through this mesh before."""
    listed = ",".join(hops)
    return GatewayError(errors_pb2.ERROR_REASON_REQUEST_LOOPS, "the request has passed through this mesh before", hops=listed)


def too_many_hops(passed: int, most: int) -> GatewayError:
    """A request that has passed through more meshes than this one accepts."""
    message = f"the request has passed through {passed} meshes, of which this one accepts {most}"
    return GatewayError(errors_pb2.ERROR_REASON_TOO_MANY_HOPS, message, most=str(most))


def all_attempts_failed(failures: Sequence[tuple[str, MeshError]]) -> GatewayError:
    """Every attempt failed before any content; `failures` has each attempt's id and failure."""
    listed = ", ".join(f"{attempt}: {failure.reason_name}" for attempt, failure in failures)
    message = f"all {len(failures)} attempts failed ({listed})"
    return _listing(failures, GatewayError(errors_pb2.ERROR_REASON_ALL_ATTEMPTS_FAILED, message, retry_after=_soonest(failures)))


def none_accepted(attempts: int) -> GatewayError:
    """Attempts went well, and the plan accepted none of their answers."""
    message = "all attempts answered, but the plan rejected every answer"
    return GatewayError(errors_pb2.ERROR_REASON_ALL_ATTEMPTS_FAILED, message, attempts=str(attempts))


def retry_budget_exhausted(failures: Sequence[tuple[str, MeshError]]) -> GatewayError:
    """The gateway may not try again for now."""
    message = "the attempt failed, and the gateway's budget of retries is used up"
    delay = max(1.0, _soonest(failures) or 0.0)
    return _listing(failures, GatewayError(errors_pb2.ERROR_REASON_RETRY_BUDGET_EXHAUSTED, message, retry_after=delay))


def interrupted(attempt: str, failure: MeshError) -> GatewayError:
    """The answer broke off after content was released."""
    return GatewayError(
        errors_pb2.ERROR_REASON_ANSWER_INTERRUPTED,
        f"the answer broke off ({failure.reason_name}); what was released is charged and not repeated",
        attempt=attempt,
        cause=failure.reason_name,
    )


def screening_failed(why: str, *, cause: str = "", detectors: str = "") -> GatewayError:
    """Screening refused the rest of an answer, or broke."""
    failure = GatewayError(errors_pb2.ERROR_REASON_SCREENING_FAILED, f"the answer was withheld: {why}")
    failure.metadata |= {key: value for key, value in (("cause", cause), ("detectors", detectors)) if value}
    return failure


def _listing(failures: Sequence[tuple[str, MeshError]], error: GatewayError) -> GatewayError:
    error.metadata |= {"attempts": str(len(failures)), **{attempt: failure.reason_name for attempt, failure in failures}}
    return error


def _soonest(failures: Sequence[tuple[str, MeshError]]) -> float | None:
    delays = [failure.retry_after for _, failure in failures if failure.retry_after is not None]
    return min(delays, default=None)
