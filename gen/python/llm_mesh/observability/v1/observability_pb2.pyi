import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.policy.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpendDimension(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SPEND_DIMENSION_UNSPECIFIED: _ClassVar[SpendDimension]
    SPEND_DIMENSION_DOMAIN: _ClassVar[SpendDimension]
    SPEND_DIMENSION_PROJECT: _ClassVar[SpendDimension]
    SPEND_DIMENSION_KEY: _ClassVar[SpendDimension]
    SPEND_DIMENSION_PRINCIPAL: _ClassVar[SpendDimension]
    SPEND_DIMENSION_MODEL: _ClassVar[SpendDimension]
    SPEND_DIMENSION_TAG: _ClassVar[SpendDimension]
    SPEND_DIMENSION_HOUR: _ClassVar[SpendDimension]
    SPEND_DIMENSION_DAY: _ClassVar[SpendDimension]
    SPEND_DIMENSION_ALIAS: _ClassVar[SpendDimension]
SPEND_DIMENSION_UNSPECIFIED: SpendDimension
SPEND_DIMENSION_DOMAIN: SpendDimension
SPEND_DIMENSION_PROJECT: SpendDimension
SPEND_DIMENSION_KEY: SpendDimension
SPEND_DIMENSION_PRINCIPAL: SpendDimension
SPEND_DIMENSION_MODEL: SpendDimension
SPEND_DIMENSION_TAG: SpendDimension
SPEND_DIMENSION_HOUR: SpendDimension
SPEND_DIMENSION_DAY: SpendDimension
SPEND_DIMENSION_ALIAS: SpendDimension

class IngestRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_usage_pb2.UsageEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_usage_pb2.UsageEvent, _Mapping]]] = ...) -> None: ...

class IngestResponse(_message.Message):
    __slots__ = ("through_sequence",)
    THROUGH_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    through_sequence: int
    def __init__(self, through_sequence: _Optional[int] = ...) -> None: ...

class QuerySpendRequest(_message.Message):
    __slots__ = ("parent", "start_time", "end_time", "group_by", "tag_key", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    GROUP_BY_FIELD_NUMBER: _ClassVar[int]
    TAG_KEY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    start_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    group_by: _containers.RepeatedScalarFieldContainer[SpendDimension]
    tag_key: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., group_by: _Optional[_Iterable[_Union[SpendDimension, str]]] = ..., tag_key: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class QuerySpendResponse(_message.Message):
    __slots__ = ("rows", "next_page_token", "through_sequence")
    ROWS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[SpendRow]
    next_page_token: str
    through_sequence: int
    def __init__(self, rows: _Optional[_Iterable[_Union[SpendRow, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., through_sequence: _Optional[int] = ...) -> None: ...

class SpendRow(_message.Message):
    __slots__ = ("keys", "charged", "estimated", "requests", "failed", "input_tokens", "output_tokens", "cached_input_tokens", "saturated")
    KEYS_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    FAILED_FIELD_NUMBER: _ClassVar[int]
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SATURATED_FIELD_NUMBER: _ClassVar[int]
    keys: _containers.RepeatedScalarFieldContainer[str]
    charged: _resources_pb2.Money
    estimated: _resources_pb2.Money
    requests: int
    failed: int
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    saturated: bool
    def __init__(self, keys: _Optional[_Iterable[str]] = ..., charged: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., estimated: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., requests: _Optional[int] = ..., failed: _Optional[int] = ..., input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cached_input_tokens: _Optional[int] = ..., saturated: _Optional[bool] = ...) -> None: ...

class TailRequest(_message.Message):
    __slots__ = ("parent", "backlog", "resume_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    BACKLOG_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    backlog: int
    resume_token: str
    def __init__(self, parent: _Optional[str] = ..., backlog: _Optional[int] = ..., resume_token: _Optional[str] = ...) -> None: ...

class TailResponse(_message.Message):
    __slots__ = ("entries", "resume_token", "lost")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[_usage_pb2.LedgerEntry]
    resume_token: str
    lost: int
    def __init__(self, entries: _Optional[_Iterable[_Union[_usage_pb2.LedgerEntry, _Mapping]]] = ..., resume_token: _Optional[str] = ..., lost: _Optional[int] = ...) -> None: ...

class GetRequestRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetRequestResponse(_message.Message):
    __slots__ = ("entry",)
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    entry: _usage_pb2.LedgerEntry
    def __init__(self, entry: _Optional[_Union[_usage_pb2.LedgerEntry, _Mapping]] = ...) -> None: ...

class Feedback(_message.Message):
    __slots__ = ("name", "score", "aspect", "comment", "principal", "create_time")
    NAME_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    ASPECT_FIELD_NUMBER: _ClassVar[int]
    COMMENT_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    name: str
    score: float
    aspect: str
    comment: str
    principal: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, name: _Optional[str] = ..., score: _Optional[float] = ..., aspect: _Optional[str] = ..., comment: _Optional[str] = ..., principal: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class CreateFeedbackRequest(_message.Message):
    __slots__ = ("parent", "feedback")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    parent: str
    feedback: Feedback
    def __init__(self, parent: _Optional[str] = ..., feedback: _Optional[_Union[Feedback, _Mapping]] = ...) -> None: ...

class CreateFeedbackResponse(_message.Message):
    __slots__ = ("feedback",)
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    feedback: Feedback
    def __init__(self, feedback: _Optional[_Union[Feedback, _Mapping]] = ...) -> None: ...

class ListFeedbackRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListFeedbackResponse(_message.Message):
    __slots__ = ("feedback", "next_page_token")
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    feedback: _containers.RepeatedCompositeFieldContainer[Feedback]
    next_page_token: str
    def __init__(self, feedback: _Optional[_Iterable[_Union[Feedback, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class RebuildRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class RebuildResponse(_message.Message):
    __slots__ = ("target_sequence",)
    TARGET_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    target_sequence: int
    def __init__(self, target_sequence: _Optional[int] = ...) -> None: ...
