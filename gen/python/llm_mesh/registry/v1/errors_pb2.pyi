from llm_mesh.mesh.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_ALIAS_TAKEN: _ClassVar[ErrorReason]
    ERROR_REASON_PRICE_ORDER: _ClassVar[ErrorReason]
    ERROR_REASON_FREE_DENIED: _ClassVar[ErrorReason]
    ERROR_REASON_ESCALATION_DENIED: _ClassVar[ErrorReason]
    ERROR_REASON_ALREADY_SUBSCRIBED: _ClassVar[ErrorReason]
    ERROR_REASON_ENDPOINT_IN_USE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_ALIAS_TAKEN: ErrorReason
ERROR_REASON_PRICE_ORDER: ErrorReason
ERROR_REASON_FREE_DENIED: ErrorReason
ERROR_REASON_ESCALATION_DENIED: ErrorReason
ERROR_REASON_ALREADY_SUBSCRIBED: ErrorReason
ERROR_REASON_ENDPOINT_IN_USE: ErrorReason
