"""Errors that a caller can act on: a documented reason, a status code and the details that help.

Domain code raises a `MeshError`; one stage of the pipeline turns it into a `google.rpc.Status`. Reasons, codes and HTTP
statuses come from the options of the area's `ErrorReason` enum, so that the contract is the only table.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

import grpc
from google.protobuf import descriptor_pool

from llm_mesh.mesh.v1 import errors_pb2

_PREFIX = "ERROR_REASON_"
_CODES: dict[int, grpc.StatusCode] = {code.value[0]: code for code in grpc.StatusCode}
_HTTP_OF_CODE = {
    grpc.StatusCode.CANCELLED: 499,
    grpc.StatusCode.INVALID_ARGUMENT: 400,
    grpc.StatusCode.DEADLINE_EXCEEDED: 504,
    grpc.StatusCode.NOT_FOUND: 404,
    grpc.StatusCode.ALREADY_EXISTS: 409,
    grpc.StatusCode.PERMISSION_DENIED: 403,
    grpc.StatusCode.RESOURCE_EXHAUSTED: 429,
    grpc.StatusCode.FAILED_PRECONDITION: 400,
    grpc.StatusCode.ABORTED: 409,
    grpc.StatusCode.OUT_OF_RANGE: 400,
    grpc.StatusCode.UNIMPLEMENTED: 501,
    grpc.StatusCode.UNAVAILABLE: 503,
    grpc.StatusCode.UNAUTHENTICATED: 401,
}


class Reason(NamedTuple):
    """What the contract says about one error reason."""

    name: str
    domain: str
    code: grpc.StatusCode
    http: int
    remedy: str


@lru_cache(maxsize=1024)
def _reason(enum: Any, number: int) -> Reason:  # noqa: ANN401 (protobuf's enum descriptors have no common type)
    value = enum.values_by_number.get(number)
    if value is None or number == 0:
        return _reason(errors_pb2.ErrorReason.DESCRIPTOR, errors_pb2.ERROR_REASON_INTERNAL)
    rule = value.GetOptions().Extensions[errors_pb2.error]
    area = enum.file.package.split(".")[1]
    return Reason(value.name.removeprefix(_PREFIX), f"{area}.llm-mesh", _CODES[rule.code], rule.http, rule.remedy)


class MeshError(Exception):
    """A failure with a documented reason. Each area has one subclass, which names its enum of reasons."""

    reasons: ClassVar[Any]
    decision_id: str = ""
    """The routing decision of the request that failed, where a peer told it beside its failure."""

    def __init__(
        self,
        reason: int,
        message: str,
        *,
        field: str = "",
        retry_after: float | None = None,
        quota: Sequence[tuple[str, str]] = (),
        **metadata: str,
    ) -> None:
        super().__init__(message)
        known = _reason(type(self).reasons.DESCRIPTOR, reason)
        self.reason = reason
        self.reason_name = known.name
        self.domain = known.domain
        self.code = known.code
        self.http = known.http
        self.remedy = known.remedy
        self.message = message
        self.field = field
        self.retry_after = retry_after
        self.quota = tuple(quota)
        self.metadata = {key: str(value) for key, value in metadata.items()}

    def __str__(self) -> str:
        return f"{self.reason_name}: {self.message}"


class RuntimeFault(MeshError):
    """The reasons that every service may give, such as INVALID_FIELD or NOT_FOUND."""

    reasons = errors_pb2.ErrorReason


class PeerError(MeshError):
    """A peer's failure. It passes on as it came when a servicer lets it through: same reason, domain and details."""

    reasons = errors_pb2.ErrorReason

    def __init__(  # noqa: PLR0913 (a status has this many parts)
        self,
        code: grpc.StatusCode,
        message: str,
        *,
        reason_name: str,
        domain: str,
        peer: str = "",
        field: str = "",
        retry_after: float | None = None,
        quota: Sequence[tuple[str, str]] = (),
        metadata: dict[str, str] | None = None,
        details: bytes = b"",
    ) -> None:
        super().__init__(errors_pb2.ERROR_REASON_INTERNAL, message, field=field, retry_after=retry_after, quota=quota)
        known = reason_named(domain, reason_name)
        self.code = code
        self.reason = getattr(errors_pb2, _PREFIX + reason_name, 0) if domain == "mesh.llm-mesh" else 0
        self.reason_name = reason_name
        self.domain = domain
        self.http = known.http if known else _HTTP_OF_CODE.get(code, 500)
        self.remedy = known.remedy if known else ""
        self.metadata = dict(metadata or {})
        self.peer = peer
        self.details = details


@lru_cache(maxsize=1024)
def reason_named(domain: str, name: str) -> Reason | None:
    """What the contract says about a reason that came over the wire, or None where this build does not know it."""
    area = domain.removesuffix(".llm-mesh")
    if not area.isidentifier():
        return None
    try:
        importlib.import_module(f"llm_mesh.{area}.v1.errors_pb2")
        enum = descriptor_pool.Default().FindEnumTypeByName(f"llm_mesh.{area}.v1.ErrorReason")
    except (ImportError, KeyError):
        return None
    value = enum.values_by_name.get(_PREFIX + name)
    return _reason(enum, value.number) if value else None


def invalid(field: str, expected: str, **metadata: str) -> MeshError:
    """A field that is not of its documented form; `expected` says what is."""
    fault = RuntimeFault(errors_pb2.ERROR_REASON_INVALID_FIELD, f"{field}: {expected}", field=field)
    fault.metadata.update(metadata)
    return fault


def not_found(resource: str) -> MeshError:
    """A resource that does not exist, or that the caller may not know of."""
    return RuntimeFault(errors_pb2.ERROR_REASON_NOT_FOUND, f"{resource} does not exist", resource=resource)


def already_exists(resource: str) -> MeshError:
    """A resource whose name is taken."""
    return RuntimeFault(errors_pb2.ERROR_REASON_ALREADY_EXISTS, f"{resource} already exists", resource=resource)


def quota_exceeded(place: str, collection: str, limit: int, setting: str) -> MeshError:
    """A collection that has as many resources as its quota allows; `setting` is the operator's, by its environment variable."""
    message = f"{place} may have {limit} {collection} and no more, by {setting}"
    fault = RuntimeFault(errors_pb2.ERROR_REASON_QUOTA_EXCEEDED, message, quota=[(f"{place}/{collection}", message)], limit=str(limit))
    fault.metadata["quota"] = collection
    return fault


def etag_mismatch(resource: str) -> MeshError:
    """A change that was made against an older state than the present one."""
    message = f"{resource} has changed since it was read"
    return RuntimeFault(errors_pb2.ERROR_REASON_ETAG_MISMATCH, message, resource=resource)


def not_implemented(part: str) -> MeshError:
    """A part of the contract that this build does not do."""
    return RuntimeFault(errors_pb2.ERROR_REASON_NOT_IMPLEMENTED, f"{part} is not implemented in this build", part=part)


def store_unavailable(store: str = "store") -> MeshError:
    """The service's own store does not answer."""
    return RuntimeFault(errors_pb2.ERROR_REASON_STORE_UNAVAILABLE, f"the {store} does not answer", retry_after=1.0)


def with_cause(error: BaseException) -> str:
    """An error with what its driver said, in one line: for the console of who operates the service, never for callers."""
    cause = error.__cause__
    cause_text = str(getattr(cause, "orig", None) or cause or "").strip().partition("\n")[0]
    return f"{error} ({cause_text})" if cause_text else str(error)


def invalid_seal(what: str) -> MeshError:
    """Sealed bytes that are missing, forged, altered, for another audience, or expired."""
    return RuntimeFault(errors_pb2.ERROR_REASON_INVALID_SEAL, f"the seal of the {what} is not valid here")


def deadline_exceeded(message: str = "the deadline passed") -> MeshError:
    """The deadline passed before or during the work."""
    return RuntimeFault(errors_pb2.ERROR_REASON_DEADLINE_EXCEEDED, message)


def internal() -> MeshError:
    """A defect. Its text never leaves the process; the log has it under the request id."""
    return RuntimeFault(errors_pb2.ERROR_REASON_INTERNAL, "internal error; the log has it under the request id")
