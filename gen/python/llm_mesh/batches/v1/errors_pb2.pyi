from llm_mesh.mesh.v1 import errors_pb2 as _errors_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_FILE_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_BATCH_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_FILE_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_FILE_IN_USE: _ClassVar[ErrorReason]
    ERROR_REASON_BATCH_ENDED: _ClassVar[ErrorReason]
    ERROR_REASON_BATCH_NOT_ENDED: _ClassVar[ErrorReason]
    ERROR_REASON_RESULTS_DELETED: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_FILE_NOT_FOUND: ErrorReason
ERROR_REASON_BATCH_NOT_FOUND: ErrorReason
ERROR_REASON_FILE_TOO_LARGE: ErrorReason
ERROR_REASON_FILE_IN_USE: ErrorReason
ERROR_REASON_BATCH_ENDED: ErrorReason
ERROR_REASON_BATCH_NOT_ENDED: ErrorReason
ERROR_REASON_RESULTS_DELETED: ErrorReason
