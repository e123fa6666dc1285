"""How a line has failed: whether it is tried again, and what its owner is told in the endpoint's dialect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from llm_mesh.batches.v1 import batches_pb2
from llm_mesh_dialects.anthropic import errors as anthropic_errors
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.openai import errors as openai_errors
from llm_mesh_runtime.errors import MeshError

_MESH, _POLICY = "mesh.llm-mesh", "policy.llm-mesh"
_CARRIED_OUT = frozenset({"adapter.llm-mesh", "gateway.llm-mesh"})
_WAITS = frozenset(
    {
        (_POLICY, "LIMIT_EXCEEDED"),
        (_POLICY, "ADMISSION_EXPIRED"),
        (_MESH, "OVERLOADED"),
        (_MESH, "DRAINING"),
        (_MESH, "STORE_UNAVAILABLE"),
        (_MESH, "PEER_UNAVAILABLE"),
        (_MESH, "SCHEMA_MISMATCH"),
        (_MESH, "AUDIT_UNAVAILABLE"),
    }
)
"""Refusals for want of room, for which all lines of the project wait."""
_BUSY = frozenset({"PROVIDER_RATE_LIMITED", "BREAKER_OPEN", "BULKHEAD_FULL"})
"""The same at a provider."""
_UNDER_WAY = (_POLICY, "IDEMPOTENCY_IN_PROGRESS")
_COMPLETED = (_POLICY, "IDEMPOTENCY_COMPLETED")
_INVALID, _SERVER_ERROR = 400, 500
_OPENAI_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    429: "rate_limit_error",
}


class FailureWords(NamedTuple):
    """What the owner of a line is told."""

    status: int
    code: str
    message: str
    field: str = ""
    request_id: str = ""
    details: Mapping[str, object] | None = None
    """What the mesh tells beyond the dialect: the charge, and the first request where a repetition was refused."""


class Repetition(NamedTuple):
    """That a line is tried again."""

    counts: bool
    """It was tried, and may be tried only so often."""
    yields: bool
    """All lines of its project wait: there is no room."""


def repetition_of(error: MeshError) -> Repetition | None:
    """Whether a line that failed so is tried again. Never what was charged: it would be charged twice."""
    reason = (error.domain, error.reason_name)
    if reason == _UNDER_WAY:
        return Repetition(counts=False, yields=False)
    if reason in _WAITS:
        return Repetition(counts=False, yields=True)
    if error.domain not in _CARRIED_OUT or error.metadata.get("charged_nanos", "0") != "0":
        return None
    if error.metadata.get("quota") == "exhausted":
        return None
    if error.reason_name in _BUSY:
        return Repetition(counts=False, yields=True)
    passing = error.retry_after is not None or error.metadata.get("sent") == "false"
    return Repetition(counts=True, yields=False) if passing else None


def words_of(error: MeshError | DialectError, request_id: str) -> FailureWords:
    """What the owner of a failed line is told."""
    if isinstance(error, DialectError):
        return FailureWords(_INVALID, "invalid_field", str(error), error.field, request_id)
    field = error.field.removeprefix("input.")
    message = error.message.replace(error.field, field) if error.field else error.message
    return FailureWords(error.http, error.reason_name.lower(), message, field, request_id, _details(error))


def charge_of(error: MeshError) -> batches_pb2.BatchUsage:
    """What a failed line was charged. A refused repetition costs nothing; the first request, which is the line's own, did."""
    usage = batches_pb2.BatchUsage()
    nanos = error.metadata.get("charged_nanos", "")
    if nanos.isdecimal() and nanos != "0":
        usage.charged.add(currency=error.metadata.get("charged_currency", ""), nanos=int(nanos))
    if (error.domain, error.reason_name) == _COMPLETED:
        usage.input_tokens, usage.output_tokens = (_count(error, name) for name in ("input_tokens", "output_tokens"))
    return usage


def openai_body(failure: FailureWords) -> object:
    """In OpenAI's shape."""
    kind = "server_error" if failure.status >= _SERVER_ERROR else _OPENAI_TYPES.get(failure.status, "invalid_request_error")
    extras: dict[str, object] = {"llm_mesh_code": failure.code}
    if failure.details:
        extras["llm_mesh"] = failure.details
    return openai_errors.body(failure.message, type=kind, code=failure.code, param=failure.field or None, extras=extras)


def anthropic_body(failure: FailureWords) -> object:
    """In Anthropic's shape."""
    extras: dict[str, object] = {"llm_mesh_code": failure.code}
    if failure.field:
        extras["param"] = failure.field
    if failure.details:
        extras["llm_mesh"] = failure.details
    kind = anthropic_errors.type_of(failure.status)
    return anthropic_errors.body(failure.message, type=kind, request_id=failure.request_id, extras=extras)


def _details(error: MeshError) -> Mapping[str, object] | None:
    names = ("charged_nanos", "charged_currency", "reservation", "decision_id")
    details: dict[str, object] = {name: error.metadata[name] for name in names if error.metadata.get(name)}
    if (error.domain, error.reason_name) == _COMPLETED:
        details["first_request"] = error.metadata.get("request_id", "")
        details["outcome"] = error.metadata.get("outcome", "")
        details |= {name: _count(error, name) for name in ("input_tokens", "output_tokens")}
    return details or None


def _count(error: MeshError, name: str) -> int:
    text = error.metadata.get(name, "")
    return int(text) if text.isdecimal() else 0
