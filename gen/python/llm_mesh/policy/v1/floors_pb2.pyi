import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ScreeningAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCREENING_ACTION_UNSPECIFIED: _ClassVar[ScreeningAction]
    SCREENING_ACTION_LOG: _ClassVar[ScreeningAction]
    SCREENING_ACTION_MASK: _ClassVar[ScreeningAction]
    SCREENING_ACTION_BLOCK: _ClassVar[ScreeningAction]
SCREENING_ACTION_UNSPECIFIED: ScreeningAction
SCREENING_ACTION_LOG: ScreeningAction
SCREENING_ACTION_MASK: ScreeningAction
SCREENING_ACTION_BLOCK: ScreeningAction

class Floor(_message.Message):
    __slots__ = ("name", "etag", "create_time", "update_time", "regions", "minimum_data_classes", "data_classes", "zero_retention", "allowed_adapters", "allowed_endpoints", "screening", "may_publish_to", "may_accept_from", "max_output_tokens", "allowed_models", "denied_models")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_DATA_CLASSES_FIELD_NUMBER: _ClassVar[int]
    DATA_CLASSES_FIELD_NUMBER: _ClassVar[int]
    ZERO_RETENTION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    SCREENING_FIELD_NUMBER: _ClassVar[int]
    MAY_PUBLISH_TO_FIELD_NUMBER: _ClassVar[int]
    MAY_ACCEPT_FROM_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_MODELS_FIELD_NUMBER: _ClassVar[int]
    DENIED_MODELS_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    regions: _containers.RepeatedScalarFieldContainer[str]
    minimum_data_classes: _containers.RepeatedScalarFieldContainer[str]
    data_classes: _containers.RepeatedScalarFieldContainer[str]
    zero_retention: bool
    allowed_adapters: _containers.RepeatedScalarFieldContainer[str]
    allowed_endpoints: _containers.RepeatedScalarFieldContainer[str]
    screening: _containers.RepeatedCompositeFieldContainer[ScreeningRule]
    may_publish_to: _containers.RepeatedScalarFieldContainer[str]
    may_accept_from: _containers.RepeatedScalarFieldContainer[str]
    max_output_tokens: int
    allowed_models: _containers.RepeatedScalarFieldContainer[str]
    denied_models: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., regions: _Optional[_Iterable[str]] = ..., minimum_data_classes: _Optional[_Iterable[str]] = ..., data_classes: _Optional[_Iterable[str]] = ..., zero_retention: _Optional[bool] = ..., allowed_adapters: _Optional[_Iterable[str]] = ..., allowed_endpoints: _Optional[_Iterable[str]] = ..., screening: _Optional[_Iterable[_Union[ScreeningRule, _Mapping]]] = ..., may_publish_to: _Optional[_Iterable[str]] = ..., may_accept_from: _Optional[_Iterable[str]] = ..., max_output_tokens: _Optional[int] = ..., allowed_models: _Optional[_Iterable[str]] = ..., denied_models: _Optional[_Iterable[str]] = ...) -> None: ...

class ScreeningRule(_message.Message):
    __slots__ = ("detector", "action")
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    detector: str
    action: ScreeningAction
    def __init__(self, detector: _Optional[str] = ..., action: _Optional[_Union[ScreeningAction, str]] = ...) -> None: ...
