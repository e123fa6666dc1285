"""Errors on the wire: `google.rpc.Status` in the trailing metadata, and back.

A status carries exactly one `ErrorInfo`. Details stay below 4 KB: above 8 KB of headers gRPC answers RESOURCE_EXHAUSTED
whatever the status was.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

from llm_mesh.mesh.v1 import errors_pb2
from llm_mesh_runtime import errors
from llm_mesh_runtime.context import DECISION
from llm_mesh_runtime.errors import MeshError, PeerError, RuntimeFault

DETAILS_KEY = "grpc-status-details-bin"
MAX_DETAILS = 4096
_MAX_MESSAGE = 512
_MAX_VALUE = 256
_MAX_VIOLATIONS = 8
_MAX_QUOTA = 128
_REASON = re.compile(r"[A-Z][A-Z0-9_]{1,61}[A-Z0-9]")
"""The form of `google.rpc.ErrorInfo.reason`."""
UNKNOWN_REASON = "UNKNOWN"
"""Stands for a peer's reason that does not have this form: reasons are written into the ledger, metrics and logs."""

FailureHook = Callable[[BaseException], MeshError | None]


def clip(text: str, limit: int) -> str:
    """The text as valid UTF-8 of at most `limit` bytes."""
    raw = text.encode("utf-8", "replace")
    return raw.decode("utf-8") if len(raw) <= limit else raw[: limit - 3].decode("utf-8", "ignore") + "…"


def serialised_status(error: MeshError) -> bytes:
    """The error as a serialised `google.rpc.Status` that fits beside the other headers."""
    if isinstance(error, PeerError) and 0 < len(error.details) <= MAX_DETAILS:
        return error.details
    metadata = {clip(key, 64): clip(value, _MAX_VALUE) for key, value in error.metadata.items()}
    while len(raw := _status(error, metadata).SerializeToString()) > MAX_DETAILS and metadata:
        metadata.pop(max(metadata, key=lambda key: len(metadata[key])))
    return bytes(raw)


def _status(error: MeshError, metadata: dict[str, str]) -> status_pb2.Status:
    status = status_pb2.Status(code=error.code.value[0], message=clip(error.message, _MAX_MESSAGE))
    details: list[Any] = [error_details_pb2.ErrorInfo(reason=error.reason_name, domain=error.domain, metadata=metadata)]
    if error.field:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=clip(error.field, _MAX_VALUE), description=clip(error.message, _MAX_VALUE)
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if error.retry_after is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromNanoseconds(max(0, int(error.retry_after * 1e9)))
        details.append(retry)
    if error.quota:
        details.append(
            error_details_pb2.QuotaFailure(
                violations=[
                    error_details_pb2.QuotaFailure.Violation(subject=clip(subject, _MAX_QUOTA), description=clip(text, _MAX_QUOTA))
                    for subject, text in error.quota[:_MAX_VIOLATIONS]
                ]
            )
        )
    for detail in details:
        status.details.add().Pack(detail)
    return status


def trailers(error: MeshError) -> tuple[tuple[str, bytes], ...]:
    """The trailing metadata that carries the error."""
    return ((DETAILS_KEY, serialised_status(error)),)


def peer_error(error: grpc.aio.AioRpcError, peer: str) -> PeerError:
    """What a stub raised, read back. A status without details comes from gRPC itself and gets a reason by its code."""
    raw = _trailer(error, DETAILS_KEY)
    if isinstance(raw, bytes) and raw:
        try:
            parsed = _parse(error, raw, peer)
        except DecodeError:
            parsed = None
        if parsed is not None:
            parsed.decision_id = str(_trailer(error, DECISION))
            return parsed
    fault = _from_code(error, peer)
    return PeerError(
        fault.code,
        fault.message,
        reason_name=fault.reason_name,
        domain=fault.domain,
        peer=peer,
        retry_after=fault.retry_after,
        metadata=fault.metadata,
    )


def _trailer(error: grpc.aio.AioRpcError, name: str) -> str | bytes:
    for key, value in error.trailing_metadata() or ():
        if key == name:
            return value
    return ""


def _parse(error: grpc.aio.AioRpcError, raw: bytes, peer: str) -> PeerError | None:
    status = status_pb2.Status.FromString(raw)
    info, field, retry_after, quota = error_details_pb2.ErrorInfo(), "", None, []
    for detail in status.details:
        if detail.Is(error_details_pb2.ErrorInfo.DESCRIPTOR):
            detail.Unpack(info)
        elif detail.Is(error_details_pb2.BadRequest.DESCRIPTOR):
            bad = error_details_pb2.BadRequest.FromString(detail.value)
            field = bad.field_violations[0].field if bad.field_violations else ""
        elif detail.Is(error_details_pb2.RetryInfo.DESCRIPTOR):
            retry_after = error_details_pb2.RetryInfo.FromString(detail.value).retry_delay.ToNanoseconds() / 1e9
        elif detail.Is(error_details_pb2.QuotaFailure.DESCRIPTOR):
            quota = [(v.subject, v.description) for v in error_details_pb2.QuotaFailure.FromString(detail.value).violations]
    if not info.reason:
        return None
    return PeerError(
        error.code(),
        status.message,
        reason_name=info.reason if _REASON.fullmatch(info.reason) else UNKNOWN_REASON,
        domain=info.domain,
        peer=peer,
        field=field,
        retry_after=retry_after,
        quota=quota,
        metadata=dict(info.metadata),
        details=raw,
    )


def _from_code(error: grpc.aio.AioRpcError, peer: str) -> MeshError:
    code, name = error.code(), peer or "peer"
    text = error.details() or ""
    if code in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}:
        # Who cancels a call himself never sees its status: this is a server that stopped under the call.
        reason = errors_pb2.ERROR_REASON_PEER_UNAVAILABLE
        return RuntimeFault(reason, f"{name} does not answer", retry_after=1.0, peer=name)
    if code is grpc.StatusCode.DEADLINE_EXCEEDED:
        return errors.deadline_exceeded(f"the deadline passed while {name} worked")
    if code is grpc.StatusCode.RESOURCE_EXHAUSTED and "larger than max" in text:
        return RuntimeFault(errors_pb2.ERROR_REASON_MESSAGE_TOO_LARGE, f"the message is larger than {name} takes", peer=name)
    if code is grpc.StatusCode.UNIMPLEMENTED:
        return errors.not_implemented(f"a method of {name}")
    return RuntimeFault(errors_pb2.ERROR_REASON_INTERNAL, f"{name} failed without saying why", peer=name)


class Failures:
    """What an exception means to the caller. Modules that bring exceptions of their own add a hook for them."""

    def __init__(self, hooks: tuple[FailureHook, ...] = ()) -> None:
        self._hooks = hooks

    def fault_of(self, error: BaseException) -> MeshError | None:
        """The error to answer with, or None for a defect, whose text must not leave the process."""
        if isinstance(error, MeshError):
            return error
        if isinstance(error, grpc.aio.AioRpcError):
            return peer_error(error, "")
        if isinstance(error, NotImplementedError):
            return errors.not_implemented("the method")
        for hook in self._hooks:
            if (fault := hook(error)) is not None:
                return fault
        return None
