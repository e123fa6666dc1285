from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportRequest(_message.Message):
    __slots__ = ("metrics", "breakers")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BREAKERS_FIELD_NUMBER: _ClassVar[int]
    metrics: bool
    breakers: bool
    def __init__(self, metrics: _Optional[bool] = ..., breakers: _Optional[bool] = ...) -> None: ...

class ReportResponse(_message.Message):
    __slots__ = ("process", "services", "metrics", "breakers")
    class ServicesEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: bool
        def __init__(self, key: _Optional[str] = ..., value: _Optional[bool] = ...) -> None: ...
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    BREAKERS_FIELD_NUMBER: _ClassVar[int]
    process: str
    services: _containers.ScalarMap[str, bool]
    metrics: bytes
    breakers: _containers.RepeatedCompositeFieldContainer[ProcessBreaker]
    def __init__(self, process: _Optional[str] = ..., services: _Optional[_Mapping[str, bool]] = ..., metrics: _Optional[bytes] = ..., breakers: _Optional[_Iterable[_Union[ProcessBreaker, _Mapping]]] = ...) -> None: ...

class ProcessBreaker(_message.Message):
    __slots__ = ("adapter", "endpoint", "model", "open")
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    OPEN_FIELD_NUMBER: _ClassVar[int]
    adapter: str
    endpoint: str
    model: str
    open: bool
    def __init__(self, adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., model: _Optional[str] = ..., open: _Optional[bool] = ...) -> None: ...
