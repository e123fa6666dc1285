import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.policy.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Caller(_message.Message):
    __slots__ = ("principal", "domain", "project", "key", "roles", "revision", "expire_time")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    principal: str
    domain: str
    project: str
    key: str
    roles: _containers.RepeatedScalarFieldContainer[str]
    revision: int
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, principal: _Optional[str] = ..., domain: _Optional[str] = ..., project: _Optional[str] = ..., key: _Optional[str] = ..., roles: _Optional[_Iterable[str]] = ..., revision: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Delegation(_message.Message):
    __slots__ = ("service", "principal", "domain", "project", "key", "purpose", "expire_time")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    service: str
    principal: str
    domain: str
    project: str
    key: str
    purpose: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, service: _Optional[str] = ..., principal: _Optional[str] = ..., domain: _Optional[str] = ..., project: _Optional[str] = ..., key: _Optional[str] = ..., purpose: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class DelegatedCredential(_message.Message):
    __slots__ = ("delegation", "expire_time")
    DELEGATION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    delegation: Delegation
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, delegation: _Optional[_Union[Delegation, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Admission(_message.Message):
    __slots__ = ("id", "caller", "constraints", "obligations", "revision", "expire_time", "alias", "tags", "input_digest", "operation", "screened")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    CALLER_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    OBLIGATIONS_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    INPUT_DIGEST_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    id: str
    caller: Caller
    constraints: Constraints
    obligations: Obligations
    revision: int
    expire_time: _timestamp_pb2.Timestamp
    alias: str
    tags: _containers.ScalarMap[str, str]
    input_digest: bytes
    operation: str
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, id: _Optional[str] = ..., caller: _Optional[_Union[Caller, _Mapping]] = ..., constraints: _Optional[_Union[Constraints, _Mapping]] = ..., obligations: _Optional[_Union[Obligations, _Mapping]] = ..., revision: _Optional[int] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., alias: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., input_digest: _Optional[bytes] = ..., operation: _Optional[str] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class Constraints(_message.Message):
    __slots__ = ("regions", "data_class", "allowed_models", "denied_models", "allowed_adapters", "max_output_tokens", "zero_retention", "allowed_endpoints", "further_data_classes", "callable_models", "strict_charging")
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    DATA_CLASS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_MODELS_FIELD_NUMBER: _ClassVar[int]
    DENIED_MODELS_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ADAPTERS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ZERO_RETENTION_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    FURTHER_DATA_CLASSES_FIELD_NUMBER: _ClassVar[int]
    CALLABLE_MODELS_FIELD_NUMBER: _ClassVar[int]
    STRICT_CHARGING_FIELD_NUMBER: _ClassVar[int]
    regions: _containers.RepeatedScalarFieldContainer[str]
    data_class: str
    allowed_models: _containers.RepeatedScalarFieldContainer[str]
    denied_models: _containers.RepeatedScalarFieldContainer[str]
    allowed_adapters: _containers.RepeatedScalarFieldContainer[str]
    max_output_tokens: int
    zero_retention: bool
    allowed_endpoints: _containers.RepeatedScalarFieldContainer[str]
    further_data_classes: _containers.RepeatedScalarFieldContainer[str]
    callable_models: _containers.RepeatedCompositeFieldContainer[ModelPatterns]
    strict_charging: bool
    def __init__(self, regions: _Optional[_Iterable[str]] = ..., data_class: _Optional[str] = ..., allowed_models: _Optional[_Iterable[str]] = ..., denied_models: _Optional[_Iterable[str]] = ..., allowed_adapters: _Optional[_Iterable[str]] = ..., max_output_tokens: _Optional[int] = ..., zero_retention: _Optional[bool] = ..., allowed_endpoints: _Optional[_Iterable[str]] = ..., further_data_classes: _Optional[_Iterable[str]] = ..., callable_models: _Optional[_Iterable[_Union[ModelPatterns, _Mapping]]] = ..., strict_charging: _Optional[bool] = ...) -> None: ...

class RequestBounds(_message.Message):
    __slots__ = ("data_classes", "regions", "zero_retention")
    DATA_CLASSES_FIELD_NUMBER: _ClassVar[int]
    REGIONS_FIELD_NUMBER: _ClassVar[int]
    ZERO_RETENTION_FIELD_NUMBER: _ClassVar[int]
    data_classes: _containers.RepeatedScalarFieldContainer[str]
    regions: _containers.RepeatedScalarFieldContainer[str]
    zero_retention: bool
    def __init__(self, data_classes: _Optional[_Iterable[str]] = ..., regions: _Optional[_Iterable[str]] = ..., zero_retention: _Optional[bool] = ...) -> None: ...

class ModelPatterns(_message.Message):
    __slots__ = ("patterns",)
    PATTERNS_FIELD_NUMBER: _ClassVar[int]
    patterns: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, patterns: _Optional[_Iterable[str]] = ...) -> None: ...

class Obligations(_message.Message):
    __slots__ = ("screen_output", "screen_state", "no_recording", "items")
    SCREEN_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    SCREEN_STATE_FIELD_NUMBER: _ClassVar[int]
    NO_RECORDING_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    screen_output: bool
    screen_state: bytes
    no_recording: bool
    items: _containers.RepeatedCompositeFieldContainer[Obligation]
    def __init__(self, screen_output: _Optional[bool] = ..., screen_state: _Optional[bytes] = ..., no_recording: _Optional[bool] = ..., items: _Optional[_Iterable[_Union[Obligation, _Mapping]]] = ...) -> None: ...

class Obligation(_message.Message):
    __slots__ = ("screen_output", "no_recording")
    SCREEN_OUTPUT_FIELD_NUMBER: _ClassVar[int]
    NO_RECORDING_FIELD_NUMBER: _ClassVar[int]
    screen_output: ScreenOutput
    no_recording: NoRecording
    def __init__(self, screen_output: _Optional[_Union[ScreenOutput, _Mapping]] = ..., no_recording: _Optional[_Union[NoRecording, _Mapping]] = ...) -> None: ...

class ScreenOutput(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: bytes
    def __init__(self, state: _Optional[bytes] = ...) -> None: ...

class NoRecording(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Grant(_message.Message):
    __slots__ = ("reservation_id", "domain", "project", "attempts", "expire_time", "zero_retention", "bounds")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    ZERO_RETENTION_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    domain: str
    project: str
    attempts: _containers.RepeatedCompositeFieldContainer[AttemptGrant]
    expire_time: _timestamp_pb2.Timestamp
    zero_retention: bool
    bounds: RequestBounds
    def __init__(self, reservation_id: _Optional[str] = ..., domain: _Optional[str] = ..., project: _Optional[str] = ..., attempts: _Optional[_Iterable[_Union[AttemptGrant, _Mapping]]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., zero_retention: _Optional[bool] = ..., bounds: _Optional[_Union[RequestBounds, _Mapping]] = ...) -> None: ...

class AttemptGrant(_message.Message):
    __slots__ = ("attempt_id", "adapter", "endpoint", "upstream_model", "credential", "region", "max_output_tokens", "max_candidates")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_MODEL_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    adapter: str
    endpoint: str
    upstream_model: str
    credential: str
    region: str
    max_output_tokens: int
    max_candidates: int
    def __init__(self, attempt_id: _Optional[str] = ..., adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., upstream_model: _Optional[str] = ..., credential: _Optional[str] = ..., region: _Optional[str] = ..., max_output_tokens: _Optional[int] = ..., max_candidates: _Optional[int] = ...) -> None: ...
