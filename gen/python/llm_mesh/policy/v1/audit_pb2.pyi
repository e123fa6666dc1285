import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeRecord(_message.Message):
    __slots__ = ("event_id", "domain", "principal", "key", "action", "resource", "before_digest", "after_digest", "reason", "request_id", "time", "refused", "detail")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    BEFORE_DIGEST_FIELD_NUMBER: _ClassVar[int]
    AFTER_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    DETAIL_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    domain: str
    principal: str
    key: str
    action: str
    resource: str
    before_digest: bytes
    after_digest: bytes
    reason: str
    request_id: str
    time: _timestamp_pb2.Timestamp
    refused: bool
    detail: str
    def __init__(self, event_id: _Optional[str] = ..., domain: _Optional[str] = ..., principal: _Optional[str] = ..., key: _Optional[str] = ..., action: _Optional[str] = ..., resource: _Optional[str] = ..., before_digest: _Optional[bytes] = ..., after_digest: _Optional[bytes] = ..., reason: _Optional[str] = ..., request_id: _Optional[str] = ..., time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., refused: _Optional[bool] = ..., detail: _Optional[str] = ...) -> None: ...

class ChainHead(_message.Message):
    __slots__ = ("writer", "count", "hash", "sequence", "numbering")
    WRITER_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    NUMBERING_FIELD_NUMBER: _ClassVar[int]
    writer: str
    count: int
    hash: bytes
    sequence: int
    numbering: bytes
    def __init__(self, writer: _Optional[str] = ..., count: _Optional[int] = ..., hash: _Optional[bytes] = ..., sequence: _Optional[int] = ..., numbering: _Optional[bytes] = ...) -> None: ...

class RecordChangesRequest(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[ChangeRecord]
    def __init__(self, changes: _Optional[_Iterable[_Union[ChangeRecord, _Mapping]]] = ...) -> None: ...

class RecordChangesResponse(_message.Message):
    __slots__ = ("recorded",)
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    recorded: int
    def __init__(self, recorded: _Optional[int] = ...) -> None: ...
