from llm_mesh.mesh.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_MODEL_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_NO_ELIGIBLE_TARGET: _ClassVar[ErrorReason]
    ERROR_REASON_DECISION_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_ALIAS_TAKEN: _ClassVar[ErrorReason]
    ERROR_REASON_NO_PRICE: _ClassVar[ErrorReason]
    ERROR_REASON_TARGET_NOT_FOUND: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_MODEL_NOT_FOUND: ErrorReason
ERROR_REASON_NO_ELIGIBLE_TARGET: ErrorReason
ERROR_REASON_DECISION_NOT_FOUND: ErrorReason
ERROR_REASON_ALIAS_TAKEN: ErrorReason
ERROR_REASON_NO_PRICE: ErrorReason
ERROR_REASON_TARGET_NOT_FOUND: ErrorReason
