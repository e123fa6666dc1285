"""What a failure of the other mesh means here, by its reason; where that is of a later contract, by its code.

A budget or a limit of tokens there refuses one request by its size, and a smaller one may pass: such a refusal opens no breaker, which
would stop everybody. What the other mesh charged for a failed request stands apart from what this one says.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

import grpc

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, Said, answered, escaped, reset, timed_out
from llm_mesh_adapter_mesh.provider.cleaning import cleaned_texts
from llm_mesh_adapter_mesh.provider.receipts import CURRENCY
from llm_mesh_runtime.context import deadline_remaining
from llm_mesh_runtime.errors import MeshError, PeerError, deadline_exceeded
from llm_mesh_runtime.peer_errors import from_rpc_error

_ERROR: Final = errors_pb2.ERROR_REASON_PROVIDER_ERROR
_LIMITED: Final = errors_pb2.ERROR_REASON_PROVIDER_RATE_LIMITED
_REJECTED: Final = errors_pb2.ERROR_REASON_PROVIDER_REJECTED
_ACCOUNT: Final = errors_pb2.ERROR_REASON_PROVIDER_UNAUTHENTICATED
_NO_MODEL: Final = errors_pb2.ERROR_REASON_PROVIDER_MODEL_NOT_FOUND
_FILTERED: Final = errors_pb2.ERROR_REASON_PROVIDER_FILTERED
_UNSUPPORTED: Final = errors_pb2.ERROR_REASON_UNSUPPORTED
_RESET: Final = errors_pb2.ERROR_REASON_PROVIDER_RESET
_TIMEOUT: Final = errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT
_LOOPS: Final = errors_pb2.ERROR_REASON_REQUEST_LOOPS
_BEFORE: Final = errors_pb2.ERROR_REASON_ANSWERED_BEFORE


class Meaning(NamedTuple):
    """What a reason stands for here."""

    reason: int
    exhausted: bool = False
    """Repeating does not help: money or a quota is used up."""
    of_one_request: bool = False
    """It says nothing of other requests."""


MEANINGS: Final[Mapping[str, Mapping[str, Meaning]]] = {
    "gateway": {
        "ALL_ATTEMPTS_FAILED": Meaning(_ERROR),
        "ANSWER_INTERRUPTED": Meaning(_RESET),
        "PLAN_NOT_EXECUTABLE": Meaning(_UNSUPPORTED),
        "SCREENING_FAILED": Meaning(_ERROR, of_one_request=True),
        "RETRY_BUDGET_EXHAUSTED": Meaning(_ERROR),
        "OBLIGATION_NOT_SUPPORTED": Meaning(_UNSUPPORTED),
        "REQUEST_LOOPS": Meaning(_LOOPS),
        "TOO_MANY_HOPS": Meaning(_LOOPS),
    },
    "policy": {
        "INVALID_CREDENTIAL": Meaning(_ACCOUNT),
        "ACTION_DENIED": Meaning(_ACCOUNT),
        "MODEL_DENIED": Meaning(_ACCOUNT),
        "PROJECT_NOT_SELECTED": Meaning(_ACCOUNT),
        "BUDGET_EXCEEDED": Meaning(_LIMITED, exhausted=True, of_one_request=True),
        "BUDGET_CLOSED": Meaning(_LIMITED, exhausted=True, of_one_request=True),
        "BUDGET_REQUIRED": Meaning(_LIMITED, exhausted=True, of_one_request=True),
        "LIMIT_EXCEEDED": Meaning(_LIMITED, of_one_request=True),
        "TAG_REQUIRED": Meaning(_ACCOUNT),
        "PRICE_UNKNOWN": Meaning(_UNSUPPORTED),
        "IDEMPOTENCY_KEY_REUSED": Meaning(_REJECTED),
        "IDEMPOTENCY_IN_PROGRESS": Meaning(_ERROR, of_one_request=True),
        "IDEMPOTENCY_COMPLETED": Meaning(_BEFORE),
        "ANSWER_NOT_KEPT": Meaning(_BEFORE),
        "CONTENT_BLOCKED": Meaning(_FILTERED),
        "FLOOR_CONFLICT": Meaning(_UNSUPPORTED),
        "PLAN_NOT_ADMITTED": Meaning(_UNSUPPORTED),
        "ADMISSION_EXPIRED": Meaning(_ERROR, of_one_request=True),
    },
    "router": {
        "MODEL_NOT_FOUND": Meaning(_NO_MODEL),
        "NO_ELIGIBLE_TARGET": Meaning(_UNSUPPORTED),
        "TARGET_NOT_FOUND": Meaning(_NO_MODEL),
        "NO_PRICE": Meaning(_UNSUPPORTED),
    },
    "adapter": {
        "GRANT_MISMATCH": Meaning(_ERROR),
        "UNKNOWN_ENDPOINT": Meaning(_ERROR),
        "NO_CREDENTIAL": Meaning(_ERROR),
        "ADDRESS_NOT_ALLOWED": Meaning(_ERROR),
        "PROVIDER_UNREACHABLE": Meaning(_ERROR),
        "PROVIDER_RESET": Meaning(_RESET),
        "PROVIDER_TIMEOUT": Meaning(_TIMEOUT),
        "PROVIDER_RATE_LIMITED": Meaning(_LIMITED),
        "PROVIDER_ERROR": Meaning(_ERROR),
        "PROVIDER_REJECTED": Meaning(_REJECTED),
        "PROVIDER_UNAUTHENTICATED": Meaning(_ERROR),
        "PROVIDER_MODEL_NOT_FOUND": Meaning(_ERROR),
        "PROVIDER_MALFORMED": Meaning(errors_pb2.ERROR_REASON_PROVIDER_MALFORMED),
        "CONTEXT_EXCEEDED": Meaning(errors_pb2.ERROR_REASON_CONTEXT_EXCEEDED),
        "PROVIDER_FILTERED": Meaning(_FILTERED),
        "BREAKER_OPEN": Meaning(_ERROR),
        "BULKHEAD_FULL": Meaning(_LIMITED, of_one_request=True),
        "FIDELITY_LOST": Meaning(errors_pb2.ERROR_REASON_FIDELITY_LOST),
        "UNSUPPORTED": Meaning(_UNSUPPORTED),
        "EXTRA_NOT_ALLOWED": Meaning(errors_pb2.ERROR_REASON_EXTRA_NOT_ALLOWED),
        "MEDIA_ADDRESS_NOT_ALLOWED": Meaning(errors_pb2.ERROR_REASON_MEDIA_ADDRESS_NOT_ALLOWED),
        "REQUEST_LOOPS": Meaning(_LOOPS),
        "ANSWERED_BEFORE": Meaning(_BEFORE),
    },
    "mesh": {
        "INVALID_FIELD": Meaning(_REJECTED),
        "MALFORMED_MESSAGE": Meaning(_REJECTED),
        "MESSAGE_TOO_LARGE": Meaning(_REJECTED),
        "MISSING_CREDENTIAL": Meaning(_ACCOUNT),
        "MESH_ONLY": Meaning(_ACCOUNT),
        "CALLER_NOT_ALLOWED": Meaning(_ACCOUNT),
        "OVERLOADED": Meaning(_ERROR),
        "DEADLINE_EXCEEDED": Meaning(_TIMEOUT, of_one_request=True),
        "DRAINING": Meaning(_ERROR),
        "STORE_UNAVAILABLE": Meaning(_ERROR),
        "PEER_UNAVAILABLE": Meaning(_ERROR),
        "INTERNAL": Meaning(_ERROR),
        "NOT_IMPLEMENTED": Meaning(_UNSUPPORTED),
        "NOT_FOUND": Meaning(_NO_MODEL),
        "CANCELLED": Meaning(_RESET),
        "AUDIT_UNAVAILABLE": Meaning(_ERROR),
        "INVALID_SEAL": Meaning(_ERROR),
    },
}
"""By area and reason."""
BY_CODE: Final[Mapping[grpc.StatusCode, Meaning]] = {
    grpc.StatusCode.CANCELLED: Meaning(_RESET),
    grpc.StatusCode.INVALID_ARGUMENT: Meaning(_REJECTED),
    grpc.StatusCode.DEADLINE_EXCEEDED: Meaning(_TIMEOUT),
    grpc.StatusCode.NOT_FOUND: Meaning(_NO_MODEL),
    grpc.StatusCode.ALREADY_EXISTS: Meaning(_REJECTED),
    grpc.StatusCode.PERMISSION_DENIED: Meaning(_ACCOUNT),
    grpc.StatusCode.RESOURCE_EXHAUSTED: Meaning(_LIMITED, of_one_request=True),
    grpc.StatusCode.FAILED_PRECONDITION: Meaning(_REJECTED),
    grpc.StatusCode.ABORTED: Meaning(_ERROR, of_one_request=True),
    grpc.StatusCode.OUT_OF_RANGE: Meaning(_REJECTED),
    grpc.StatusCode.UNIMPLEMENTED: Meaning(_UNSUPPORTED),
    grpc.StatusCode.UNAUTHENTICATED: Meaning(_ACCOUNT),
}
"""For reasons that this build does not know. Everything else is a failure of the other mesh."""
_MOST_DIGITS = 18
"""Digits of an amount in nanos: more may not fit into 64 bits."""


def failure_of(at: Endpoint, error: grpc.aio.AioRpcError, phase: str, seconds: float) -> MeshError:
    """The failure of a call in a phase that had so many seconds. Where the caller's own time is up, that is what failed."""
    endpoint, fault = at.name, from_rpc_error(error, peer=at.name)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED and deadline_remaining() == 0:
        return deadline_exceeded()
    fault.message, fault.field = at.redaction.text_of(fault.message), at.redaction.text_of(fault.field)
    fault.metadata = cleaned_texts(fault.metadata, at.redaction)
    if not fault.details:
        return _without_words(endpoint, error, fault, phase, seconds)
    known = MEANINGS.get(fault.domain.removesuffix(".llm-mesh"), {}).get(fault.reason_name)
    return _failure(endpoint, fault, known or BY_CODE.get(fault.code))


def _without_words(endpoint: str, error: grpc.aio.AioRpcError, fault: PeerError, phase: str, seconds: float) -> AdapterError:
    """GRPC itself says so: the connection broke after the request was sent, time is up, or what answers is no mesh."""
    if error.code() in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        return reset(endpoint)
    if error.code() is grpc.StatusCode.DEADLINE_EXCEEDED:
        return timed_out(endpoint, phase, seconds)
    return _failure(endpoint, fault, BY_CODE.get(error.code()))


def _failure(endpoint: str, fault: PeerError, meaning: Meaning | None) -> AdapterError:
    area = fault.domain.removesuffix(".llm-mesh")
    meaning = meaning or Meaning(_ERROR)
    if fault.reason_name == "SCREENING_FAILED" and "blocked" in fault.metadata.get("screened", ""):
        meaning = Meaning(_FILTERED)  # a verdict on the content, and not a failure of the screening
    exhausted = meaning.exhausted or fault.metadata.get("quota") == "exhausted"
    words = Said(fault.message, f"{area}.{fault.reason_name}", param=fault.field or fault.metadata.get("field", ""))
    error = answered(meaning.reason, endpoint, status=fault.http, said=words, retry_after=fault.retry_after, exhausted=exhausted)
    error.of_one_request = meaning.of_one_request
    error.metadata["upstream_reason"] = escaped(words.code, 128)
    if words.param:
        error.metadata["field"] = escaped(words.param, 128)
    error.metadata |= _charged(fault)
    return error


def _charged(fault: PeerError) -> Mapping[str, str]:
    """What the other mesh says that the failed request was charged there, as far as a ledger takes it."""
    nanos = fault.metadata.get("charged_nanos", "")
    if not (nanos.isascii() and nanos.isdecimal()) or len(nanos) > _MOST_DIGITS:
        return {}
    currency, reservation = fault.metadata.get("charged_currency", ""), fault.metadata.get("reservation", "")
    known = CURRENCY.fullmatch(currency) is not None
    if int(nanos) and not known:
        return {}  # an amount of nothing that a ledger knows
    amount = {"nanos": nanos, "currency": currency if known else ""}
    charged = {f"upstream_charged_{name}": value for name, value in amount.items() if value}
    return charged | ({"upstream_reservation": escaped(reservation, 255)} if reservation else {})
