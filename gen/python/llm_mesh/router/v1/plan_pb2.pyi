import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Plan(_message.Message):
    __slots__ = ("root", "alias", "decision_id")
    ROOT_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    root: PlanNode
    alias: str
    decision_id: str
    def __init__(self, root: _Optional[_Union[PlanNode, _Mapping]] = ..., alias: _Optional[str] = ..., decision_id: _Optional[str] = ...) -> None: ...

class PlanNode(_message.Message):
    __slots__ = ("attempt", "failover", "hedge", "parallel", "cascade")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    FAILOVER_FIELD_NUMBER: _ClassVar[int]
    HEDGE_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_FIELD_NUMBER: _ClassVar[int]
    CASCADE_FIELD_NUMBER: _ClassVar[int]
    attempt: Attempt
    failover: Failover
    hedge: Hedge
    parallel: Parallel
    cascade: Cascade
    def __init__(self, attempt: _Optional[_Union[Attempt, _Mapping]] = ..., failover: _Optional[_Union[Failover, _Mapping]] = ..., hedge: _Optional[_Union[Hedge, _Mapping]] = ..., parallel: _Optional[_Union[Parallel, _Mapping]] = ..., cascade: _Optional[_Union[Cascade, _Mapping]] = ...) -> None: ...

class Attempt(_message.Message):
    __slots__ = ("id", "adapter", "endpoint", "upstream_model", "model", "price", "credential", "region", "limits", "max_output_tokens", "max_input_tokens", "charge_to", "dialect", "model_output_limit", "image_tokens", "media_tokens", "estimated_input_tokens", "units")
    ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CHARGE_TO_FIELD_NUMBER: _ClassVar[int]
    DIALECT_FIELD_NUMBER: _ClassVar[int]
    MODEL_OUTPUT_LIMIT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MEDIA_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    id: str
    adapter: str
    endpoint: str
    upstream_model: str
    model: str
    price: str
    credential: str
    region: str
    limits: AttemptLimits
    max_output_tokens: int
    max_input_tokens: int
    charge_to: str
    dialect: str
    model_output_limit: int
    image_tokens: int
    media_tokens: int
    estimated_input_tokens: int
    units: UnitBounds
    def __init__(self, id: _Optional[str] = ..., adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., upstream_model: _Optional[str] = ..., model: _Optional[str] = ..., price: _Optional[str] = ..., credential: _Optional[str] = ..., region: _Optional[str] = ..., limits: _Optional[_Union[AttemptLimits, _Mapping]] = ..., max_output_tokens: _Optional[int] = ..., max_input_tokens: _Optional[int] = ..., charge_to: _Optional[str] = ..., dialect: _Optional[str] = ..., model_output_limit: _Optional[int] = ..., image_tokens: _Optional[int] = ..., media_tokens: _Optional[int] = ..., estimated_input_tokens: _Optional[int] = ..., units: _Optional[_Union[UnitBounds, _Mapping]] = ...) -> None: ...

class UnitBounds(_message.Message):
    __slots__ = ("images", "image_size", "image_quality", "audio_input_milliseconds", "audio_output_milliseconds", "characters", "search_units")
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    IMAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_QUALITY_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_UNITS_FIELD_NUMBER: _ClassVar[int]
    images: int
    image_size: str
    image_quality: str
    audio_input_milliseconds: int
    audio_output_milliseconds: int
    characters: int
    search_units: int
    def __init__(self, images: _Optional[int] = ..., image_size: _Optional[str] = ..., image_quality: _Optional[str] = ..., audio_input_milliseconds: _Optional[int] = ..., audio_output_milliseconds: _Optional[int] = ..., characters: _Optional[int] = ..., search_units: _Optional[int] = ...) -> None: ...

class AttemptLimits(_message.Message):
    __slots__ = ("connect", "first_token", "idle", "total")
    CONNECT_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_FIELD_NUMBER: _ClassVar[int]
    IDLE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    connect: _duration_pb2.Duration
    first_token: _duration_pb2.Duration
    idle: _duration_pb2.Duration
    total: _duration_pb2.Duration
    def __init__(self, connect: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., first_token: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., idle: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Failover(_message.Message):
    __slots__ = ("children",)
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[PlanNode]
    def __init__(self, children: _Optional[_Iterable[_Union[PlanNode, _Mapping]]] = ...) -> None: ...

class Hedge(_message.Message):
    __slots__ = ("children", "delay")
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    DELAY_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[PlanNode]
    delay: _duration_pb2.Duration
    def __init__(self, children: _Optional[_Iterable[_Union[PlanNode, _Mapping]]] = ..., delay: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class Parallel(_message.Message):
    __slots__ = ("children", "combine")
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    COMBINE_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[PlanNode]
    combine: str
    def __init__(self, children: _Optional[_Iterable[_Union[PlanNode, _Mapping]]] = ..., combine: _Optional[str] = ...) -> None: ...

class Cascade(_message.Message):
    __slots__ = ("children", "accept")
    CHILDREN_FIELD_NUMBER: _ClassVar[int]
    ACCEPT_FIELD_NUMBER: _ClassVar[int]
    children: _containers.RepeatedCompositeFieldContainer[PlanNode]
    accept: str
    def __init__(self, children: _Optional[_Iterable[_Union[PlanNode, _Mapping]]] = ..., accept: _Optional[str] = ...) -> None: ...
