import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from llm_mesh.inference.v1 import assess_pb2 as _assess_pb2
from llm_mesh.inference.v1 import embed_pb2 as _embed_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.inference.v1 import generate_image_pb2 as _generate_image_pb2
from llm_mesh.inference.v1 import moderate_pb2 as _moderate_pb2
from llm_mesh.inference.v1 import rerank_pb2 as _rerank_pb2
from llm_mesh.inference.v1 import sound_pb2 as _sound_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import carries_pb2 as _carries_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.policy.v1 import admission_pb2 as _admission_pb2
from llm_mesh.policy.v1 import usage_pb2 as _usage_pb2
from llm_mesh.router.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BreakerState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAKER_STATE_UNSPECIFIED: _ClassVar[BreakerState]
    BREAKER_STATE_CLOSED: _ClassVar[BreakerState]
    BREAKER_STATE_OPEN: _ClassVar[BreakerState]
    BREAKER_STATE_HALF_OPEN: _ClassVar[BreakerState]

class CheckResult(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHECK_RESULT_UNSPECIFIED: _ClassVar[CheckResult]
    CHECK_RESULT_ADMITTED: _ClassVar[CheckResult]
    CHECK_RESULT_ANSWERED: _ClassVar[CheckResult]
    CHECK_RESULT_REFUSED: _ClassVar[CheckResult]
    CHECK_RESULT_FAILED: _ClassVar[CheckResult]
BREAKER_STATE_UNSPECIFIED: BreakerState
BREAKER_STATE_CLOSED: BreakerState
BREAKER_STATE_OPEN: BreakerState
BREAKER_STATE_HALF_OPEN: BreakerState
CHECK_RESULT_UNSPECIFIED: CheckResult
CHECK_RESULT_ADMITTED: CheckResult
CHECK_RESULT_ANSWERED: CheckResult
CHECK_RESULT_REFUSED: CheckResult
CHECK_RESULT_FAILED: CheckResult

class RequestContext(_message.Message):
    __slots__ = ("idempotency_key", "session", "hops")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    session: str
    hops: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, idempotency_key: _Optional[str] = ..., session: _Optional[str] = ..., hops: _Optional[_Iterable[str]] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _generate_pb2.GenerateInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _generate_pb2.GenerateOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_generate_pb2.GenerateOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class GenerateStreamRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _generate_pb2.GenerateInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class GenerateStreamResponse(_message.Message):
    __slots__ = ("events", "final")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    final: AttemptReport
    def __init__(self, events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ..., final: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class AttemptReport(_message.Message):
    __slots__ = ("usage", "source", "first_token", "total", "provider_request_id", "upstream")
    USAGE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_FIELD_NUMBER: _ClassVar[int]
    usage: _generate_pb2.Usage
    source: _usage_pb2.UsageSource
    first_token: _duration_pb2.Duration
    total: _duration_pb2.Duration
    provider_request_id: str
    upstream: _usage_pb2.UpstreamCharge
    def __init__(self, usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., source: _Optional[_Union[_usage_pb2.UsageSource, str]] = ..., first_token: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., provider_request_id: _Optional[str] = ..., upstream: _Optional[_Union[_usage_pb2.UpstreamCharge, _Mapping]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _embed_pb2.EmbedInput
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_embed_pb2.EmbedInput, _Mapping]] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _embed_pb2.EmbedOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_embed_pb2.EmbedOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class EmbedStreamRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _embed_pb2.EmbedInput
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_embed_pb2.EmbedInput, _Mapping]] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class EmbedStreamResponse(_message.Message):
    __slots__ = ("output", "embeddings", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _embed_pb2.EmbedOutput
    embeddings: _containers.RepeatedCompositeFieldContainer[_embed_pb2.Embedding]
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_embed_pb2.EmbedOutput, _Mapping]] = ..., embeddings: _Optional[_Iterable[_Union[_embed_pb2.Embedding, _Mapping]]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class RerankRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _rerank_pb2.RerankInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_rerank_pb2.RerankInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class RerankResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _rerank_pb2.RerankOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_rerank_pb2.RerankOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class ModerateRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _moderate_pb2.ModerateInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_moderate_pb2.ModerateInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class ModerateResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _moderate_pb2.ModerateOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_moderate_pb2.ModerateOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class AssessRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _assess_pb2.AssessInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_assess_pb2.AssessInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class AssessResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _assess_pb2.AssessOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_assess_pb2.AssessOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class GenerateImageRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _generate_image_pb2.GenerateImageInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_generate_image_pb2.GenerateImageInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class GenerateImageResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _generate_image_pb2.GenerateImageOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_generate_image_pb2.GenerateImageOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class SpeakRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _sound_pb2.SpeakInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_sound_pb2.SpeakInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class SpeakResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _sound_pb2.SpeakOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_sound_pb2.SpeakOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class TranscribeRequest(_message.Message):
    __slots__ = ("grant", "attempt", "input", "exact", "context")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    EXACT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    input: _sound_pb2.TranscribeInput
    exact: bool
    context: RequestContext
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_sound_pb2.TranscribeInput, _Mapping]] = ..., exact: _Optional[bool] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("output", "report")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    output: _sound_pb2.TranscribeOutput
    report: AttemptReport
    def __init__(self, output: _Optional[_Union[_sound_pb2.TranscribeOutput, _Mapping]] = ..., report: _Optional[_Union[AttemptReport, _Mapping]] = ...) -> None: ...

class CountTokensRequest(_message.Message):
    __slots__ = ("attempt", "input", "context", "bounds", "domain")
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    attempt: _plan_pb2.Attempt
    input: _generate_pb2.GenerateInput
    context: RequestContext
    bounds: _admission_pb2.RequestBounds
    domain: str
    def __init__(self, attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ..., input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., context: _Optional[_Union[RequestContext, _Mapping]] = ..., bounds: _Optional[_Union[_admission_pb2.RequestBounds, _Mapping]] = ..., domain: _Optional[str] = ...) -> None: ...

class CountTokensResponse(_message.Message):
    __slots__ = ("count",)
    COUNT_FIELD_NUMBER: _ClassVar[int]
    count: _embed_pb2.TokenCount
    def __init__(self, count: _Optional[_Union[_embed_pb2.TokenCount, _Mapping]] = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEndpointsResponse(_message.Message):
    __slots__ = ("endpoints", "next_page_token", "silent_processes")
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SILENT_PROCESSES_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    next_page_token: str
    silent_processes: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., silent_processes: _Optional[_Iterable[str]] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("name", "provider", "base_url", "has_credential", "breaker", "in_flight", "max_in_flight", "local", "region", "refusal", "breakers", "fault")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PROVIDER_FIELD_NUMBER: _ClassVar[int]
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    HAS_CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    MAX_IN_FLIGHT_FIELD_NUMBER: _ClassVar[int]
    LOCAL_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    BREAKERS_FIELD_NUMBER: _ClassVar[int]
    FAULT_FIELD_NUMBER: _ClassVar[int]
    name: str
    provider: str
    base_url: str
    has_credential: bool
    breaker: BreakerState
    in_flight: int
    max_in_flight: int
    local: bool
    region: str
    refusal: str
    breakers: _containers.RepeatedCompositeFieldContainer[Breaker]
    fault: str
    def __init__(self, name: _Optional[str] = ..., provider: _Optional[str] = ..., base_url: _Optional[str] = ..., has_credential: _Optional[bool] = ..., breaker: _Optional[_Union[BreakerState, str]] = ..., in_flight: _Optional[int] = ..., max_in_flight: _Optional[int] = ..., local: _Optional[bool] = ..., region: _Optional[str] = ..., refusal: _Optional[str] = ..., breakers: _Optional[_Iterable[_Union[Breaker, _Mapping]]] = ..., fault: _Optional[str] = ...) -> None: ...

class Breaker(_message.Message):
    __slots__ = ("process", "model", "state")
    PROCESS_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    process: str
    model: str
    state: BreakerState
    def __init__(self, process: _Optional[str] = ..., model: _Optional[str] = ..., state: _Optional[_Union[BreakerState, str]] = ...) -> None: ...

class DiscoverModelsRequest(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    def __init__(self, endpoint: _Optional[str] = ...) -> None: ...

class DiscoverModelsResponse(_message.Message):
    __slots__ = ("models", "descriptions")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTIONS_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedScalarFieldContainer[str]
    descriptions: _containers.RepeatedCompositeFieldContainer[ModelDescription]
    def __init__(self, models: _Optional[_Iterable[str]] = ..., descriptions: _Optional[_Iterable[_Union[ModelDescription, _Mapping]]] = ...) -> None: ...

class ModelDescription(_message.Message):
    __slots__ = ("model", "capabilities", "context_window", "max_output_tokens")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    model: str
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    context_window: int
    max_output_tokens: int
    def __init__(self, model: _Optional[str] = ..., capabilities: _Optional[_Iterable[str]] = ..., context_window: _Optional[int] = ..., max_output_tokens: _Optional[int] = ...) -> None: ...

class CheckEndpointRequest(_message.Message):
    __slots__ = ("endpoint", "timeout")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    TIMEOUT_FIELD_NUMBER: _ClassVar[int]
    endpoint: str
    timeout: _duration_pb2.Duration
    def __init__(self, endpoint: _Optional[str] = ..., timeout: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CheckEndpointResponse(_message.Message):
    __slots__ = ("result", "reason", "message", "status", "duration")
    RESULT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    result: CheckResult
    reason: str
    message: str
    status: int
    duration: _duration_pb2.Duration
    def __init__(self, result: _Optional[_Union[CheckResult, str]] = ..., reason: _Optional[str] = ..., message: _Optional[str] = ..., status: _Optional[int] = ..., duration: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...
