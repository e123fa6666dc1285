from llm_mesh.mesh.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_ALL_ATTEMPTS_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_ANSWER_INTERRUPTED: _ClassVar[ErrorReason]
    ERROR_REASON_PLAN_NOT_EXECUTABLE: _ClassVar[ErrorReason]
    ERROR_REASON_SCREENING_FAILED: _ClassVar[ErrorReason]
    ERROR_REASON_RETRY_BUDGET_EXHAUSTED: _ClassVar[ErrorReason]
    ERROR_REASON_OBLIGATION_NOT_SUPPORTED: _ClassVar[ErrorReason]
    ERROR_REASON_REQUEST_LOOPS: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_HOPS: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_ALL_ATTEMPTS_FAILED: ErrorReason
ERROR_REASON_ANSWER_INTERRUPTED: ErrorReason
ERROR_REASON_PLAN_NOT_EXECUTABLE: ErrorReason
ERROR_REASON_SCREENING_FAILED: ErrorReason
ERROR_REASON_RETRY_BUDGET_EXHAUSTED: ErrorReason
ERROR_REASON_OBLIGATION_NOT_SUPPORTED: ErrorReason
ERROR_REASON_REQUEST_LOOPS: ErrorReason
ERROR_REASON_TOO_MANY_HOPS: ErrorReason
