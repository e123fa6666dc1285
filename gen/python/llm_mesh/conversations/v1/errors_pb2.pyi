from llm_mesh.mesh.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_STORED_CONTENT_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_STORING_NOT_ALLOWED: _ClassVar[ErrorReason]
    ERROR_REASON_HISTORY_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_PREVIOUS_RESPONSE_NOT_COMPLETED: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_IN_BACKGROUND: _ClassVar[ErrorReason]
    ERROR_REASON_TOO_MANY_BACKGROUND_RESPONSES: _ClassVar[ErrorReason]
    ERROR_REASON_PROJECT_NOT_SELECTED: _ClassVar[ErrorReason]
    ERROR_REASON_RUN_LOST: _ClassVar[ErrorReason]
    ERROR_REASON_RESPONSE_TOO_LARGE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_STORED_CONTENT_NOT_FOUND: ErrorReason
ERROR_REASON_STORING_NOT_ALLOWED: ErrorReason
ERROR_REASON_HISTORY_TOO_LARGE: ErrorReason
ERROR_REASON_PREVIOUS_RESPONSE_NOT_COMPLETED: ErrorReason
ERROR_REASON_NOT_IN_BACKGROUND: ErrorReason
ERROR_REASON_TOO_MANY_BACKGROUND_RESPONSES: ErrorReason
ERROR_REASON_PROJECT_NOT_SELECTED: ErrorReason
ERROR_REASON_RUN_LOST: ErrorReason
ERROR_REASON_RESPONSE_TOO_LARGE: ErrorReason
