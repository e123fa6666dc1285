import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import field_mask_pb2 as _field_mask_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.router.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Route(_message.Message):
    __slots__ = ("name", "alias", "targets", "max_attempts", "etag", "create_time", "update_time", "shared_with", "limits")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    TARGETS_FIELD_NUMBER: _ClassVar[int]
    MAX_ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TIME_FIELD_NUMBER: _ClassVar[int]
    SHARED_WITH_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    name: str
    alias: str
    targets: _containers.RepeatedCompositeFieldContainer[RouteTarget]
    max_attempts: int
    etag: str
    create_time: _timestamp_pb2.Timestamp
    update_time: _timestamp_pb2.Timestamp
    shared_with: _containers.RepeatedScalarFieldContainer[str]
    limits: _plan_pb2.AttemptLimits
    def __init__(self, name: _Optional[str] = ..., alias: _Optional[str] = ..., targets: _Optional[_Iterable[_Union[RouteTarget, _Mapping]]] = ..., max_attempts: _Optional[int] = ..., etag: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., update_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., shared_with: _Optional[_Iterable[str]] = ..., limits: _Optional[_Union[_plan_pb2.AttemptLimits, _Mapping]] = ...) -> None: ...

class RouteTarget(_message.Message):
    __slots__ = ("model", "priority", "weight")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    model: str
    priority: int
    weight: int
    def __init__(self, model: _Optional[str] = ..., priority: _Optional[int] = ..., weight: _Optional[int] = ...) -> None: ...

class RequestProfile(_message.Message):
    __slots__ = ("input_bytes", "estimated_input_tokens", "max_output_tokens", "input_modalities", "output_modalities", "capabilities", "candidate_count", "language", "prefix_hashes", "session", "excerpt", "images", "messages", "source_dialect", "exact", "audio_references", "file_references", "unbounded_references", "units")
    INPUT_BYTES_FIELD_NUMBER: _ClassVar[int]
    ESTIMATED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    INPUT_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_MODALITIES_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    PREFIX_HASHES_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    EXCERPT_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    AUDIO_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    FILE_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    UNBOUNDED_REFERENCES_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    input_bytes: int
    estimated_input_tokens: int
    max_output_tokens: int
    input_modalities: _containers.RepeatedScalarFieldContainer[str]
    output_modalities: _containers.RepeatedScalarFieldContainer[str]
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    candidate_count: int
    language: str
    prefix_hashes: _containers.RepeatedScalarFieldContainer[int]
    session: str
    excerpt: str
    images: int
    messages: int
    source_dialect: str
    exact: bool
    audio_references: int
    file_references: int
    unbounded_references: int
    units: _plan_pb2.UnitBounds
    def __init__(self, input_bytes: _Optional[int] = ..., estimated_input_tokens: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., input_modalities: _Optional[_Iterable[str]] = ..., output_modalities: _Optional[_Iterable[str]] = ..., capabilities: _Optional[_Iterable[str]] = ..., candidate_count: _Optional[int] = ..., language: _Optional[str] = ..., prefix_hashes: _Optional[_Iterable[int]] = ..., session: _Optional[str] = ..., excerpt: _Optional[str] = ..., images: _Optional[int] = ..., messages: _Optional[int] = ..., source_dialect: _Optional[str] = ..., exact: _Optional[bool] = ..., audio_references: _Optional[int] = ..., file_references: _Optional[int] = ..., unbounded_references: _Optional[int] = ..., units: _Optional[_Union[_plan_pb2.UnitBounds, _Mapping]] = ...) -> None: ...

class PlanRequest(_message.Message):
    __slots__ = ("admission", "profile", "request_id")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    admission: _resources_pb2.Sealed
    profile: RequestProfile
    request_id: str
    def __init__(self, admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., profile: _Optional[_Union[RequestProfile, _Mapping]] = ..., request_id: _Optional[str] = ...) -> None: ...

class PlanResponse(_message.Message):
    __slots__ = ("plan", "decision_id")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    decision_id: str
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., decision_id: _Optional[str] = ...) -> None: ...

class ReportOutcomesRequest(_message.Message):
    __slots__ = ("results",)
    RESULTS_FIELD_NUMBER: _ClassVar[int]
    results: _containers.RepeatedCompositeFieldContainer[AttemptResult]
    def __init__(self, results: _Optional[_Iterable[_Union[AttemptResult, _Mapping]]] = ...) -> None: ...

class AttemptResult(_message.Message):
    __slots__ = ("model", "adapter", "endpoint", "error_reason", "first_token", "total", "output_tokens", "decision_id", "domain")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    ERROR_REASON_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    model: str
    adapter: str
    endpoint: str
    error_reason: str
    first_token: _duration_pb2.Duration
    total: _duration_pb2.Duration
    output_tokens: int
    decision_id: str
    domain: str
    def __init__(self, model: _Optional[str] = ..., adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., error_reason: _Optional[str] = ..., first_token: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., output_tokens: _Optional[int] = ..., decision_id: _Optional[str] = ..., domain: _Optional[str] = ...) -> None: ...

class ReportOutcomesResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReportLoadsRequest(_message.Message):
    __slots__ = ("loads", "cache_changes")
    LOADS_FIELD_NUMBER: _ClassVar[int]
    CACHE_CHANGES_FIELD_NUMBER: _ClassVar[int]
    loads: _containers.RepeatedCompositeFieldContainer[EndpointLoad]
    cache_changes: _containers.RepeatedCompositeFieldContainer[CacheChanges]
    def __init__(self, loads: _Optional[_Iterable[_Union[EndpointLoad, _Mapping]]] = ..., cache_changes: _Optional[_Iterable[_Union[CacheChanges, _Mapping]]] = ...) -> None: ...

class ReportLoadsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class EndpointLoad(_message.Message):
    __slots__ = ("adapter", "endpoint", "running_requests", "waiting_requests", "waiting_tokens", "used_tokens", "max_tokens", "cache_usage", "tokens_per_second", "cache_hit_rate", "max_running_requests")
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    RUNNING_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    WAITING_TOKENS_FIELD_NUMBER: _ClassVar[int]
    USED_TOKENS_FIELD_NUMBER: _ClassVar[int]
    MAX_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_USAGE_FIELD_NUMBER: _ClassVar[int]
    TOKENS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CACHE_HIT_RATE_FIELD_NUMBER: _ClassVar[int]
    MAX_RUNNING_REQUESTS_FIELD_NUMBER: _ClassVar[int]
    adapter: str
    endpoint: str
    running_requests: int
    waiting_requests: int
    waiting_tokens: int
    used_tokens: int
    max_tokens: int
    cache_usage: float
    tokens_per_second: float
    cache_hit_rate: float
    max_running_requests: int
    def __init__(self, adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., running_requests: _Optional[int] = ..., waiting_requests: _Optional[int] = ..., waiting_tokens: _Optional[int] = ..., used_tokens: _Optional[int] = ..., max_tokens: _Optional[int] = ..., cache_usage: _Optional[float] = ..., tokens_per_second: _Optional[float] = ..., cache_hit_rate: _Optional[float] = ..., max_running_requests: _Optional[int] = ...) -> None: ...

class CacheChanges(_message.Message):
    __slots__ = ("adapter", "endpoint", "rank", "sequence", "reset", "removed", "stored", "reporter")
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    RESET_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    adapter: str
    endpoint: str
    rank: int
    sequence: int
    reset: bool
    removed: _containers.RepeatedScalarFieldContainer[int]
    stored: _containers.RepeatedCompositeFieldContainer[CacheBlock]
    reporter: str
    def __init__(self, adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., rank: _Optional[int] = ..., sequence: _Optional[int] = ..., reset: _Optional[bool] = ..., removed: _Optional[_Iterable[int]] = ..., stored: _Optional[_Iterable[_Union[CacheBlock, _Mapping]]] = ..., reporter: _Optional[str] = ...) -> None: ...

class CacheBlock(_message.Message):
    __slots__ = ("hash", "parent", "tokens")
    HASH_FIELD_NUMBER: _ClassVar[int]
    PARENT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    hash: int
    parent: int
    tokens: int
    def __init__(self, hash: _Optional[int] = ..., parent: _Optional[int] = ..., tokens: _Optional[int] = ...) -> None: ...

class ListAliasesRequest(_message.Message):
    __slots__ = ("domain", "page_size", "page_token")
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    domain: str
    page_size: int
    page_token: str
    def __init__(self, domain: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAliasesResponse(_message.Message):
    __slots__ = ("aliases", "next_page_token")
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    aliases: _containers.RepeatedCompositeFieldContainer[Alias]
    next_page_token: str
    def __init__(self, aliases: _Optional[_Iterable[_Union[Alias, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("alias", "owner", "create_time", "capabilities", "context_window", "max_output_tokens")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    alias: str
    owner: str
    create_time: _timestamp_pb2.Timestamp
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    context_window: int
    max_output_tokens: int
    def __init__(self, alias: _Optional[str] = ..., owner: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., capabilities: _Optional[_Iterable[str]] = ..., context_window: _Optional[int] = ..., max_output_tokens: _Optional[int] = ...) -> None: ...

class ExplainDecisionRequest(_message.Message):
    __slots__ = ("name", "request_id")
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    name: str
    request_id: str
    def __init__(self, name: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ExplainDecisionResponse(_message.Message):
    __slots__ = ("plan", "candidates", "create_time", "profile", "name", "request_id", "principal", "alias")
    PLAN_FIELD_NUMBER: _ClassVar[int]
    CANDIDATES_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    plan: _plan_pb2.Plan
    candidates: _containers.RepeatedCompositeFieldContainer[Candidate]
    create_time: _timestamp_pb2.Timestamp
    profile: RequestProfile
    name: str
    request_id: str
    principal: str
    alias: str
    def __init__(self, plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., candidates: _Optional[_Iterable[_Union[Candidate, _Mapping]]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., profile: _Optional[_Union[RequestProfile, _Mapping]] = ..., name: _Optional[str] = ..., request_id: _Optional[str] = ..., principal: _Optional[str] = ..., alias: _Optional[str] = ...) -> None: ...

class Candidate(_message.Message):
    __slots__ = ("model", "excluded_by", "note", "priority", "score", "load", "cached_blocks")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EXCLUDED_BY_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    LOAD_FIELD_NUMBER: _ClassVar[int]
    CACHED_BLOCKS_FIELD_NUMBER: _ClassVar[int]
    model: str
    excluded_by: str
    note: str
    priority: int
    score: float
    load: EndpointLoad
    cached_blocks: int
    def __init__(self, model: _Optional[str] = ..., excluded_by: _Optional[str] = ..., note: _Optional[str] = ..., priority: _Optional[int] = ..., score: _Optional[float] = ..., load: _Optional[_Union[EndpointLoad, _Mapping]] = ..., cached_blocks: _Optional[int] = ...) -> None: ...

class CreateRouteRequest(_message.Message):
    __slots__ = ("parent", "route_id", "route", "allow_missing_targets")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    ROUTE_ID_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_TARGETS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    route_id: str
    route: Route
    allow_missing_targets: bool
    def __init__(self, parent: _Optional[str] = ..., route_id: _Optional[str] = ..., route: _Optional[_Union[Route, _Mapping]] = ..., allow_missing_targets: _Optional[bool] = ...) -> None: ...

class CreateRouteResponse(_message.Message):
    __slots__ = ("route",)
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    route: Route
    def __init__(self, route: _Optional[_Union[Route, _Mapping]] = ...) -> None: ...

class GetRouteRequest(_message.Message):
    __slots__ = ("name",)
    NAME_FIELD_NUMBER: _ClassVar[int]
    name: str
    def __init__(self, name: _Optional[str] = ...) -> None: ...

class GetRouteResponse(_message.Message):
    __slots__ = ("route",)
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    route: Route
    def __init__(self, route: _Optional[_Union[Route, _Mapping]] = ...) -> None: ...

class ListRoutesRequest(_message.Message):
    __slots__ = ("parent", "page_size", "page_token")
    PARENT_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    parent: str
    page_size: int
    page_token: str
    def __init__(self, parent: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRoutesResponse(_message.Message):
    __slots__ = ("routes", "next_page_token")
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    routes: _containers.RepeatedCompositeFieldContainer[Route]
    next_page_token: str
    def __init__(self, routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class UpdateRouteRequest(_message.Message):
    __slots__ = ("route", "allow_missing_targets")
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_TARGETS_FIELD_NUMBER: _ClassVar[int]
    route: Route
    allow_missing_targets: bool
    def __init__(self, route: _Optional[_Union[Route, _Mapping]] = ..., allow_missing_targets: _Optional[bool] = ...) -> None: ...

class UpdateRouteResponse(_message.Message):
    __slots__ = ("route",)
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    route: Route
    def __init__(self, route: _Optional[_Union[Route, _Mapping]] = ...) -> None: ...

class DeleteRouteRequest(_message.Message):
    __slots__ = ("name", "etag")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ETAG_FIELD_NUMBER: _ClassVar[int]
    name: str
    etag: str
    def __init__(self, name: _Optional[str] = ..., etag: _Optional[str] = ...) -> None: ...

class DeleteRouteResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ApplyRoutesRequest(_message.Message):
    __slots__ = ("parent", "dry_run", "routes", "update_masks", "allow_missing_targets")
    class UpdateMasksEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _field_mask_pb2.FieldMask
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_field_mask_pb2.FieldMask, _Mapping]] = ...) -> None: ...
    PARENT_FIELD_NUMBER: _ClassVar[int]
    DRY_RUN_FIELD_NUMBER: _ClassVar[int]
    ROUTES_FIELD_NUMBER: _ClassVar[int]
    UPDATE_MASKS_FIELD_NUMBER: _ClassVar[int]
    ALLOW_MISSING_TARGETS_FIELD_NUMBER: _ClassVar[int]
    parent: str
    dry_run: bool
    routes: _containers.RepeatedCompositeFieldContainer[Route]
    update_masks: _containers.MessageMap[str, _field_mask_pb2.FieldMask]
    allow_missing_targets: bool
    def __init__(self, parent: _Optional[str] = ..., dry_run: _Optional[bool] = ..., routes: _Optional[_Iterable[_Union[Route, _Mapping]]] = ..., update_masks: _Optional[_Mapping[str, _field_mask_pb2.FieldMask]] = ..., allow_missing_targets: _Optional[bool] = ...) -> None: ...

class ApplyRoutesResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_resources_pb2.Change]
    def __init__(self, changes: _Optional[_Iterable[_Union[_resources_pb2.Change, _Mapping]]] = ...) -> None: ...

class CheckReadinessRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckReadinessResponse(_message.Message):
    __slots__ = ("has_models",)
    HAS_MODELS_FIELD_NUMBER: _ClassVar[int]
    has_models: bool
    def __init__(self, has_models: _Optional[bool] = ...) -> None: ...
