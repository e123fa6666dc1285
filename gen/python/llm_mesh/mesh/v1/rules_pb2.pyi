import datetime

from google.protobuf import descriptor_pb2 as _descriptor_pb2
from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor
RULE_FIELD_NUMBER: _ClassVar[int]
rule: _descriptor.FieldDescriptor
ONE_REQUIRED_FIELD_NUMBER: _ClassVar[int]
one_required: _descriptor.FieldDescriptor
MAX_IN_REQUEST_FIELD_NUMBER: _ClassVar[int]
max_in_request: _descriptor.FieldDescriptor
ITEM_NAME_FIELD_NUMBER: _ClassVar[int]
item_name: _descriptor.FieldDescriptor

class FieldRule(_message.Message):
    __slots__ = ("required", "required_when", "min_items", "max_items", "unique_items", "key", "text", "min", "max", "above_min", "min_duration", "max_duration", "max_depth", "partial", "checked_by_sender", "expected")
    REQUIRED_FIELD_NUMBER: _ClassVar[int]
    REQUIRED_WHEN_FIELD_NUMBER: _ClassVar[int]
    MIN_ITEMS_FIELD_NUMBER: _ClassVar[int]
    MAX_ITEMS_FIELD_NUMBER: _ClassVar[int]
    UNIQUE_ITEMS_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    MIN_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    ABOVE_MIN_FIELD_NUMBER: _ClassVar[int]
    MIN_DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_DURATION_FIELD_NUMBER: _ClassVar[int]
    MAX_DEPTH_FIELD_NUMBER: _ClassVar[int]
    PARTIAL_FIELD_NUMBER: _ClassVar[int]
    CHECKED_BY_SENDER_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    required: bool
    required_when: str
    min_items: int
    max_items: int
    unique_items: bool
    key: TextRule
    text: TextRule
    min: int
    max: int
    above_min: bool
    min_duration: _duration_pb2.Duration
    max_duration: _duration_pb2.Duration
    max_depth: int
    partial: bool
    checked_by_sender: bool
    expected: str
    def __init__(self, required: _Optional[bool] = ..., required_when: _Optional[str] = ..., min_items: _Optional[int] = ..., max_items: _Optional[int] = ..., unique_items: _Optional[bool] = ..., key: _Optional[_Union[TextRule, _Mapping]] = ..., text: _Optional[_Union[TextRule, _Mapping]] = ..., min: _Optional[int] = ..., max: _Optional[int] = ..., above_min: _Optional[bool] = ..., min_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., max_depth: _Optional[int] = ..., partial: _Optional[bool] = ..., checked_by_sender: _Optional[bool] = ..., expected: _Optional[str] = ...) -> None: ...

class TextRule(_message.Message):
    __slots__ = ("min_bytes", "max_bytes", "pattern", "one_of", "resource", "max_json_depth")
    MIN_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_BYTES_FIELD_NUMBER: _ClassVar[int]
    PATTERN_FIELD_NUMBER: _ClassVar[int]
    ONE_OF_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    MAX_JSON_DEPTH_FIELD_NUMBER: _ClassVar[int]
    min_bytes: int
    max_bytes: int
    pattern: str
    one_of: _containers.RepeatedScalarFieldContainer[str]
    resource: _containers.RepeatedScalarFieldContainer[str]
    max_json_depth: int
    def __init__(self, min_bytes: _Optional[int] = ..., max_bytes: _Optional[int] = ..., pattern: _Optional[str] = ..., one_of: _Optional[_Iterable[str]] = ..., resource: _Optional[_Iterable[str]] = ..., max_json_depth: _Optional[int] = ...) -> None: ...
