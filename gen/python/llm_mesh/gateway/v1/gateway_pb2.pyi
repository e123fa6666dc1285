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
from llm_mesh.policy.v1 import policy_pb2 as _policy_pb2
from llm_mesh.policy.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ServiceState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_STATE_UNSPECIFIED: _ClassVar[ServiceState]
    SERVICE_STATE_SERVING: _ClassVar[ServiceState]
    SERVICE_STATE_NOT_SERVING: _ClassVar[ServiceState]
    SERVICE_STATE_UNREACHABLE: _ClassVar[ServiceState]

class Fidelity(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIDELITY_UNSPECIFIED: _ClassVar[Fidelity]
    FIDELITY_BEST_EFFORT: _ClassVar[Fidelity]
    FIDELITY_EXACT: _ClassVar[Fidelity]
SERVICE_STATE_UNSPECIFIED: ServiceState
SERVICE_STATE_SERVING: ServiceState
SERVICE_STATE_NOT_SERVING: ServiceState
SERVICE_STATE_UNREACHABLE: ServiceState
FIDELITY_UNSPECIFIED: Fidelity
FIDELITY_BEST_EFFORT: Fidelity
FIDELITY_EXACT: Fidelity

class RequestOptions(_message.Message):
    __slots__ = ("prompt", "tags", "idempotency_key", "fidelity", "session", "hops", "bounds")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    FIDELITY_FIELD_NUMBER: _ClassVar[int]
    SESSION_FIELD_NUMBER: _ClassVar[int]
    HOPS_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    prompt: PromptReference
    tags: _containers.ScalarMap[str, str]
    idempotency_key: str
    fidelity: Fidelity
    session: str
    hops: _containers.RepeatedScalarFieldContainer[str]
    bounds: _admission_pb2.RequestBounds
    def __init__(self, prompt: _Optional[_Union[PromptReference, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ..., idempotency_key: _Optional[str] = ..., fidelity: _Optional[_Union[Fidelity, str]] = ..., session: _Optional[str] = ..., hops: _Optional[_Iterable[str]] = ..., bounds: _Optional[_Union[_admission_pb2.RequestBounds, _Mapping]] = ...) -> None: ...

class PromptReference(_message.Message):
    __slots__ = ("name", "label", "variables_json")
    NAME_FIELD_NUMBER: _ClassVar[int]
    LABEL_FIELD_NUMBER: _ClassVar[int]
    VARIABLES_JSON_FIELD_NUMBER: _ClassVar[int]
    name: str
    label: str
    variables_json: str
    def __init__(self, name: _Optional[str] = ..., label: _Optional[str] = ..., variables_json: _Optional[str] = ...) -> None: ...

class GenerateRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _generate_pb2.GenerateInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class GenerateResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _generate_pb2.GenerateOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_generate_pb2.GenerateOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class GenerateStreamRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _generate_pb2.GenerateInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class GenerateStreamResponse(_message.Message):
    __slots__ = ("events", "receipt", "limits", "reservation", "decision_id", "replayed", "screened")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    receipt: Receipt
    limits: _containers.RepeatedCompositeFieldContainer[_policy_pb2.LimitStatus]
    reservation: str
    decision_id: str
    replayed: bool
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ..., limits: _Optional[_Iterable[_Union[_policy_pb2.LimitStatus, _Mapping]]] = ..., reservation: _Optional[str] = ..., decision_id: _Optional[str] = ..., replayed: _Optional[bool] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class EmbedRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _embed_pb2.EmbedInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_embed_pb2.EmbedInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class EmbedResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _embed_pb2.EmbedOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_embed_pb2.EmbedOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class EmbedStreamRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _embed_pb2.EmbedInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_embed_pb2.EmbedInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class EmbedStreamResponse(_message.Message):
    __slots__ = ("output", "embeddings", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _embed_pb2.EmbedOutput
    embeddings: _containers.RepeatedCompositeFieldContainer[_embed_pb2.Embedding]
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_embed_pb2.EmbedOutput, _Mapping]] = ..., embeddings: _Optional[_Iterable[_Union[_embed_pb2.Embedding, _Mapping]]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class RerankRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _rerank_pb2.RerankInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_rerank_pb2.RerankInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class RerankResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _rerank_pb2.RerankOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_rerank_pb2.RerankOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class ModerateRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _moderate_pb2.ModerateInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_moderate_pb2.ModerateInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class ModerateResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _moderate_pb2.ModerateOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_moderate_pb2.ModerateOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class AssessRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _assess_pb2.AssessInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_assess_pb2.AssessInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class AssessResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _assess_pb2.AssessOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_assess_pb2.AssessOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class GenerateImageRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _generate_image_pb2.GenerateImageInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_generate_image_pb2.GenerateImageInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class GenerateImageResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _generate_image_pb2.GenerateImageOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_generate_image_pb2.GenerateImageOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class SpeakRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _sound_pb2.SpeakInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_sound_pb2.SpeakInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class SpeakResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _sound_pb2.SpeakOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_sound_pb2.SpeakOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class TranscribeRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _sound_pb2.TranscribeInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_sound_pb2.TranscribeInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class TranscribeResponse(_message.Message):
    __slots__ = ("output", "receipt")
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    output: _sound_pb2.TranscribeOutput
    receipt: Receipt
    def __init__(self, output: _Optional[_Union[_sound_pb2.TranscribeOutput, _Mapping]] = ..., receipt: _Optional[_Union[Receipt, _Mapping]] = ...) -> None: ...

class CountTokensRequest(_message.Message):
    __slots__ = ("input", "options")
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    input: _generate_pb2.GenerateInput
    options: RequestOptions
    def __init__(self, input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., options: _Optional[_Union[RequestOptions, _Mapping]] = ...) -> None: ...

class CountTokensResponse(_message.Message):
    __slots__ = ("count", "decision_id", "screened")
    COUNT_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    count: _embed_pb2.TokenCount
    decision_id: str
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, count: _Optional[_Union[_embed_pb2.TokenCount, _Mapping]] = ..., decision_id: _Optional[str] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class CheckServicesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckServicesResponse(_message.Message):
    __slots__ = ("services",)
    SERVICES_FIELD_NUMBER: _ClassVar[int]
    services: _containers.RepeatedCompositeFieldContainer[ServiceCheck]
    def __init__(self, services: _Optional[_Iterable[_Union[ServiceCheck, _Mapping]]] = ...) -> None: ...

class ServiceCheck(_message.Message):
    __slots__ = ("service", "state")
    SERVICE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    service: str
    state: ServiceState
    def __init__(self, service: _Optional[str] = ..., state: _Optional[_Union[ServiceState, str]] = ...) -> None: ...

class ListModelsRequest(_message.Message):
    __slots__ = ("page_size", "page_token")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListModelsResponse(_message.Message):
    __slots__ = ("models", "next_page_token")
    MODELS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    models: _containers.RepeatedCompositeFieldContainer[ModelSummary]
    next_page_token: str
    def __init__(self, models: _Optional[_Iterable[_Union[ModelSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ModelSummary(_message.Message):
    __slots__ = ("alias", "owner", "created", "capabilities", "context_window", "max_output_tokens")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    CAPABILITIES_FIELD_NUMBER: _ClassVar[int]
    CONTEXT_WINDOW_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    alias: str
    owner: str
    created: int
    capabilities: _containers.RepeatedScalarFieldContainer[str]
    context_window: int
    max_output_tokens: int
    def __init__(self, alias: _Optional[str] = ..., owner: _Optional[str] = ..., created: _Optional[int] = ..., capabilities: _Optional[_Iterable[str]] = ..., context_window: _Optional[int] = ..., max_output_tokens: _Optional[int] = ...) -> None: ...

class Receipt(_message.Message):
    __slots__ = ("reservation", "request_id", "charged", "lines", "decision_id", "model", "limits", "total", "prompt_version", "replayed", "first", "screened")
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    FIRST_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    reservation: str
    request_id: str
    charged: _resources_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ChargeLine]
    decision_id: str
    model: str
    limits: _containers.RepeatedCompositeFieldContainer[_policy_pb2.LimitStatus]
    total: _duration_pb2.Duration
    prompt_version: str
    replayed: bool
    first: Receipt
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, reservation: _Optional[str] = ..., request_id: _Optional[str] = ..., charged: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_usage_pb2.ChargeLine, _Mapping]]] = ..., decision_id: _Optional[str] = ..., model: _Optional[str] = ..., limits: _Optional[_Iterable[_Union[_policy_pb2.LimitStatus, _Mapping]]] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., prompt_version: _Optional[str] = ..., replayed: _Optional[bool] = ..., first: _Optional[_Union[Receipt, _Mapping]] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class RecordedAnswer(_message.Message):
    __slots__ = ("messages", "model", "prompt_version", "total")
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_VERSION_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedScalarFieldContainer[bytes]
    model: str
    prompt_version: str
    total: _duration_pb2.Duration
    def __init__(self, messages: _Optional[_Iterable[bytes]] = ..., model: _Optional[str] = ..., prompt_version: _Optional[str] = ..., total: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CheckReadinessRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckReadinessResponse(_message.Message):
    __slots__ = ("conditions",)
    CONDITIONS_FIELD_NUMBER: _ClassVar[int]
    conditions: _containers.RepeatedCompositeFieldContainer[ReadinessCondition]
    def __init__(self, conditions: _Optional[_Iterable[_Union[ReadinessCondition, _Mapping]]] = ...) -> None: ...

class ReadinessCondition(_message.Message):
    __slots__ = ("name", "met")
    NAME_FIELD_NUMBER: _ClassVar[int]
    MET_FIELD_NUMBER: _ClassVar[int]
    name: str
    met: bool
    def __init__(self, name: _Optional[str] = ..., met: _Optional[bool] = ...) -> None: ...
