from llm_mesh.mesh.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_GRANT_MISMATCH: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_ENDPOINT: _ClassVar[ErrorReason]
    ERROR_REASON_NO_CREDENTIAL: _ClassVar[ErrorReason]
    ERROR_REASON_ADDRESS_NOT_ALLOWED: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_UNREACHABLE: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_RESET: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_TIMEOUT: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_RATE_LIMITED: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_ERROR: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_REJECTED: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_UNAUTHENTICATED: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_MODEL_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_MALFORMED: _ClassVar[ErrorReason]
    ERROR_REASON_CONTEXT_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_PROVIDER_FILTERED: _ClassVar[ErrorReason]
    ERROR_REASON_BREAKER_OPEN: _ClassVar[ErrorReason]
    ERROR_REASON_BULKHEAD_FULL: _ClassVar[ErrorReason]
    ERROR_REASON_FIDELITY_LOST: _ClassVar[ErrorReason]
    ERROR_REASON_UNSUPPORTED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_GRANT_MISMATCH: ErrorReason
ERROR_REASON_UNKNOWN_ENDPOINT: ErrorReason
ERROR_REASON_NO_CREDENTIAL: ErrorReason
ERROR_REASON_ADDRESS_NOT_ALLOWED: ErrorReason
ERROR_REASON_PROVIDER_UNREACHABLE: ErrorReason
ERROR_REASON_PROVIDER_RESET: ErrorReason
ERROR_REASON_PROVIDER_TIMEOUT: ErrorReason
ERROR_REASON_PROVIDER_RATE_LIMITED: ErrorReason
ERROR_REASON_PROVIDER_ERROR: ErrorReason
ERROR_REASON_PROVIDER_REJECTED: ErrorReason
ERROR_REASON_PROVIDER_UNAUTHENTICATED: ErrorReason
ERROR_REASON_PROVIDER_MODEL_NOT_FOUND: ErrorReason
ERROR_REASON_PROVIDER_MALFORMED: ErrorReason
ERROR_REASON_CONTEXT_EXCEEDED: ErrorReason
ERROR_REASON_PROVIDER_FILTERED: ErrorReason
ERROR_REASON_BREAKER_OPEN: ErrorReason
ERROR_REASON_BULKHEAD_FULL: ErrorReason
ERROR_REASON_FIDELITY_LOST: ErrorReason
ERROR_REASON_UNSUPPORTED: ErrorReason
