from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FrameKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FRAME_KIND_UNSPECIFIED: _ClassVar[FrameKind]
    FRAME_KIND_HELLO: _ClassVar[FrameKind]
    FRAME_KIND_OPEN: _ClassVar[FrameKind]
    FRAME_KIND_MESSAGE: _ClassVar[FrameKind]
    FRAME_KIND_HEADERS: _ClassVar[FrameKind]
    FRAME_KIND_END: _ClassVar[FrameKind]
    FRAME_KIND_CANCEL: _ClassVar[FrameKind]
    FRAME_KIND_CREDIT: _ClassVar[FrameKind]
    FRAME_KIND_PING: _ClassVar[FrameKind]
    FRAME_KIND_PONG: _ClassVar[FrameKind]
    FRAME_KIND_GO_AWAY: _ClassVar[FrameKind]
FRAME_KIND_UNSPECIFIED: FrameKind
FRAME_KIND_HELLO: FrameKind
FRAME_KIND_OPEN: FrameKind
FRAME_KIND_MESSAGE: FrameKind
FRAME_KIND_HEADERS: FrameKind
FRAME_KIND_END: FrameKind
FRAME_KIND_CANCEL: FrameKind
FRAME_KIND_CREDIT: FrameKind
FRAME_KIND_PING: FrameKind
FRAME_KIND_PONG: FrameKind
FRAME_KIND_GO_AWAY: FrameKind

class ConnectRequest(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...

class ConnectResponse(_message.Message):
    __slots__ = ("frames",)
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    frames: _containers.RepeatedCompositeFieldContainer[Frame]
    def __init__(self, frames: _Optional[_Iterable[_Union[Frame, _Mapping]]] = ...) -> None: ...

class Frame(_message.Message):
    __slots__ = ("call", "kind", "message", "more", "last", "method", "timeout_micros", "metadata", "code", "details", "credit", "size", "hello", "ping", "serves_micros", "refused")
    CALL_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MORE_FIELD_NUMBER: _ClassVar[int]
    LAST_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_MICROS_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    DETAILS_FIELD_NUMBER: _ClassVar[int]
    CREDIT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    HELLO_FIELD_NUMBER: _ClassVar[int]
    PING_FIELD_NUMBER: _ClassVar[int]
    SERVES_MICROS_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    call: int
    kind: FrameKind
    message: bytes
    more: bool
    last: bool
    method: str
    timeout_micros: int
    metadata: _containers.RepeatedScalarFieldContainer[bytes]
    code: int
    details: str
    credit: int
    size: int
    hello: Hello
    ping: int
    serves_micros: int
    refused: bool
    def __init__(self, call: _Optional[int] = ..., kind: _Optional[_Union[FrameKind, str]] = ..., message: _Optional[bytes] = ..., more: _Optional[bool] = ..., last: _Optional[bool] = ..., method: _Optional[str] = ..., timeout_micros: _Optional[int] = ..., metadata: _Optional[_Iterable[bytes]] = ..., code: _Optional[int] = ..., details: _Optional[str] = ..., credit: _Optional[int] = ..., size: _Optional[int] = ..., hello: _Optional[_Union[Hello, _Mapping]] = ..., ping: _Optional[int] = ..., serves_micros: _Optional[int] = ..., refused: _Optional[bool] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("version", "window", "max_piece", "max_message", "max_metadata", "max_calls")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_PIECE_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MAX_METADATA_FIELD_NUMBER: _ClassVar[int]
    MAX_CALLS_FIELD_NUMBER: _ClassVar[int]
    version: int
    window: int
    max_piece: int
    max_message: int
    max_metadata: int
    max_calls: int
    def __init__(self, version: _Optional[int] = ..., window: _Optional[int] = ..., max_piece: _Optional[int] = ..., max_message: _Optional[int] = ..., max_metadata: _Optional[int] = ..., max_calls: _Optional[int] = ...) -> None: ...
