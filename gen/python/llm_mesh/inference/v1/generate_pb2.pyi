from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FinishReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINISH_REASON_UNSPECIFIED: _ClassVar[FinishReason]
    FINISH_REASON_STOP: _ClassVar[FinishReason]
    FINISH_REASON_LENGTH: _ClassVar[FinishReason]
    FINISH_REASON_TOOL_CALLS: _ClassVar[FinishReason]
    FINISH_REASON_CONTENT_FILTER: _ClassVar[FinishReason]
    FINISH_REASON_REFUSAL: _ClassVar[FinishReason]
    FINISH_REASON_PAUSE: _ClassVar[FinishReason]
    FINISH_REASON_OTHER: _ClassVar[FinishReason]

class ServiceTier(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SERVICE_TIER_UNSPECIFIED: _ClassVar[ServiceTier]
    SERVICE_TIER_STANDARD: _ClassVar[ServiceTier]
    SERVICE_TIER_PRIORITY: _ClassVar[ServiceTier]
    SERVICE_TIER_FLEX: _ClassVar[ServiceTier]
    SERVICE_TIER_BATCH: _ClassVar[ServiceTier]

class TranslationAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TRANSLATION_ACTION_UNSPECIFIED: _ClassVar[TranslationAction]
    TRANSLATION_ACTION_DROPPED: _ClassVar[TranslationAction]
    TRANSLATION_ACTION_APPROXIMATED: _ClassVar[TranslationAction]
    TRANSLATION_ACTION_RENAMED: _ClassVar[TranslationAction]
FINISH_REASON_UNSPECIFIED: FinishReason
FINISH_REASON_STOP: FinishReason
FINISH_REASON_LENGTH: FinishReason
FINISH_REASON_TOOL_CALLS: FinishReason
FINISH_REASON_CONTENT_FILTER: FinishReason
FINISH_REASON_REFUSAL: FinishReason
FINISH_REASON_PAUSE: FinishReason
FINISH_REASON_OTHER: FinishReason
SERVICE_TIER_UNSPECIFIED: ServiceTier
SERVICE_TIER_STANDARD: ServiceTier
SERVICE_TIER_PRIORITY: ServiceTier
SERVICE_TIER_FLEX: ServiceTier
SERVICE_TIER_BATCH: ServiceTier
TRANSLATION_ACTION_UNSPECIFIED: TranslationAction
TRANSLATION_ACTION_DROPPED: TranslationAction
TRANSLATION_ACTION_APPROXIMATED: TranslationAction
TRANSLATION_ACTION_RENAMED: TranslationAction

class GenerateInput(_message.Message):
    __slots__ = ("model", "messages", "tools", "tool_choice", "parallel_tool_calls", "response_format", "sampling", "reasoning", "candidate_count", "max_output_tokens", "stop", "logprobs", "modalities", "end_user", "prompt_cache_key", "include_usage", "source_dialect", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    TOOLS_FIELD_NUMBER: _ClassVar[int]
    TOOL_CHOICE_FIELD_NUMBER: _ClassVar[int]
    PARALLEL_TOOL_CALLS_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FORMAT_FIELD_NUMBER: _ClassVar[int]
    SAMPLING_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    MAX_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    MODALITIES_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    PROMPT_CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_USAGE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    messages: _containers.RepeatedCompositeFieldContainer[_content_pb2.Message]
    tools: _containers.RepeatedCompositeFieldContainer[_content_pb2.Tool]
    tool_choice: _content_pb2.ToolChoice
    parallel_tool_calls: bool
    response_format: _content_pb2.ResponseFormat
    sampling: Sampling
    reasoning: ReasoningOptions
    candidate_count: int
    max_output_tokens: int
    stop: _containers.RepeatedScalarFieldContainer[str]
    logprobs: LogprobOptions
    modalities: _containers.RepeatedScalarFieldContainer[str]
    end_user: str
    prompt_cache_key: str
    include_usage: bool
    source_dialect: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., messages: _Optional[_Iterable[_Union[_content_pb2.Message, _Mapping]]] = ..., tools: _Optional[_Iterable[_Union[_content_pb2.Tool, _Mapping]]] = ..., tool_choice: _Optional[_Union[_content_pb2.ToolChoice, _Mapping]] = ..., parallel_tool_calls: _Optional[bool] = ..., response_format: _Optional[_Union[_content_pb2.ResponseFormat, _Mapping]] = ..., sampling: _Optional[_Union[Sampling, _Mapping]] = ..., reasoning: _Optional[_Union[ReasoningOptions, _Mapping]] = ..., candidate_count: _Optional[int] = ..., max_output_tokens: _Optional[int] = ..., stop: _Optional[_Iterable[str]] = ..., logprobs: _Optional[_Union[LogprobOptions, _Mapping]] = ..., modalities: _Optional[_Iterable[str]] = ..., end_user: _Optional[str] = ..., prompt_cache_key: _Optional[str] = ..., include_usage: _Optional[bool] = ..., source_dialect: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class Sampling(_message.Message):
    __slots__ = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty", "seed", "logit_bias")
    class LogitBiasEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: float
        def __init__(self, key: _Optional[str] = ..., value: _Optional[float] = ...) -> None: ...
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    TOP_P_FIELD_NUMBER: _ClassVar[int]
    TOP_K_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_PENALTY_FIELD_NUMBER: _ClassVar[int]
    PRESENCE_PENALTY_FIELD_NUMBER: _ClassVar[int]
    SEED_FIELD_NUMBER: _ClassVar[int]
    LOGIT_BIAS_FIELD_NUMBER: _ClassVar[int]
    temperature: float
    top_p: float
    top_k: int
    frequency_penalty: float
    presence_penalty: float
    seed: int
    logit_bias: _containers.ScalarMap[str, float]
    def __init__(self, temperature: _Optional[float] = ..., top_p: _Optional[float] = ..., top_k: _Optional[int] = ..., frequency_penalty: _Optional[float] = ..., presence_penalty: _Optional[float] = ..., seed: _Optional[int] = ..., logit_bias: _Optional[_Mapping[str, float]] = ...) -> None: ...

class ReasoningOptions(_message.Message):
    __slots__ = ("effort", "budget_tokens")
    EFFORT_FIELD_NUMBER: _ClassVar[int]
    BUDGET_TOKENS_FIELD_NUMBER: _ClassVar[int]
    effort: str
    budget_tokens: int
    def __init__(self, effort: _Optional[str] = ..., budget_tokens: _Optional[int] = ...) -> None: ...

class LogprobOptions(_message.Message):
    __slots__ = ("top",)
    TOP_FIELD_NUMBER: _ClassVar[int]
    top: int
    def __init__(self, top: _Optional[int] = ...) -> None: ...

class GenerateOutput(_message.Message):
    __slots__ = ("id", "model", "created", "choices", "usage", "translations", "extras")
    ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    CHOICES_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    id: str
    model: str
    created: int
    choices: _containers.RepeatedCompositeFieldContainer[Choice]
    usage: Usage
    translations: _containers.RepeatedCompositeFieldContainer[Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, id: _Optional[str] = ..., model: _Optional[str] = ..., created: _Optional[int] = ..., choices: _Optional[_Iterable[_Union[Choice, _Mapping]]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., translations: _Optional[_Iterable[_Union[Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class Choice(_message.Message):
    __slots__ = ("index", "message", "finish_reason", "native_finish_reason", "logprobs", "refusal_logprobs", "extras")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    NATIVE_FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    index: int
    message: _content_pb2.Message
    finish_reason: FinishReason
    native_finish_reason: str
    logprobs: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    refusal_logprobs: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, index: _Optional[int] = ..., message: _Optional[_Union[_content_pb2.Message, _Mapping]] = ..., finish_reason: _Optional[_Union[FinishReason, str]] = ..., native_finish_reason: _Optional[str] = ..., logprobs: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ..., refusal_logprobs: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class TokenLogprob(_message.Message):
    __slots__ = ("token", "logprob", "utf8", "top")
    TOKEN_FIELD_NUMBER: _ClassVar[int]
    LOGPROB_FIELD_NUMBER: _ClassVar[int]
    UTF8_FIELD_NUMBER: _ClassVar[int]
    TOP_FIELD_NUMBER: _ClassVar[int]
    token: str
    logprob: float
    utf8: bytes
    top: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    def __init__(self, token: _Optional[str] = ..., logprob: _Optional[float] = ..., utf8: _Optional[bytes] = ..., top: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ...) -> None: ...

class Usage(_message.Message):
    __slots__ = ("input_tokens", "output_tokens", "cached_input_tokens", "cache_write_input_tokens", "reasoning_output_tokens", "audio_input_tokens", "audio_output_tokens", "accepted_prediction_tokens", "rejected_prediction_tokens", "extras", "cache_write_5m_input_tokens", "cache_write_30m_input_tokens", "cache_write_1h_input_tokens", "cache_write_12h_input_tokens", "image_input_tokens", "image_output_tokens", "service_tier", "images", "audio_input_milliseconds", "audio_output_milliseconds", "characters", "search_units", "iterations")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REASONING_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_PREDICTION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    REJECTED_PREDICTION_TOKENS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_5M_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_30M_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_1H_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    CACHE_WRITE_12H_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    IMAGE_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SERVICE_TIER_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    AUDIO_INPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    AUDIO_OUTPUT_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    CHARACTERS_FIELD_NUMBER: _ClassVar[int]
    SEARCH_UNITS_FIELD_NUMBER: _ClassVar[int]
    ITERATIONS_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    output_tokens: int
    cached_input_tokens: int
    cache_write_input_tokens: int
    reasoning_output_tokens: int
    audio_input_tokens: int
    audio_output_tokens: int
    accepted_prediction_tokens: int
    rejected_prediction_tokens: int
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    cache_write_5m_input_tokens: int
    cache_write_30m_input_tokens: int
    cache_write_1h_input_tokens: int
    cache_write_12h_input_tokens: int
    image_input_tokens: int
    image_output_tokens: int
    service_tier: ServiceTier
    images: _containers.RepeatedCompositeFieldContainer[ImageCount]
    audio_input_milliseconds: int
    audio_output_milliseconds: int
    characters: int
    search_units: int
    iterations: _containers.RepeatedCompositeFieldContainer[ModelUsage]
    def __init__(self, input_tokens: _Optional[int] = ..., output_tokens: _Optional[int] = ..., cached_input_tokens: _Optional[int] = ..., cache_write_input_tokens: _Optional[int] = ..., reasoning_output_tokens: _Optional[int] = ..., audio_input_tokens: _Optional[int] = ..., audio_output_tokens: _Optional[int] = ..., accepted_prediction_tokens: _Optional[int] = ..., rejected_prediction_tokens: _Optional[int] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ..., cache_write_5m_input_tokens: _Optional[int] = ..., cache_write_30m_input_tokens: _Optional[int] = ..., cache_write_1h_input_tokens: _Optional[int] = ..., cache_write_12h_input_tokens: _Optional[int] = ..., image_input_tokens: _Optional[int] = ..., image_output_tokens: _Optional[int] = ..., service_tier: _Optional[_Union[ServiceTier, str]] = ..., images: _Optional[_Iterable[_Union[ImageCount, _Mapping]]] = ..., audio_input_milliseconds: _Optional[int] = ..., audio_output_milliseconds: _Optional[int] = ..., characters: _Optional[int] = ..., search_units: _Optional[int] = ..., iterations: _Optional[_Iterable[_Union[ModelUsage, _Mapping]]] = ...) -> None: ...

class ImageCount(_message.Message):
    __slots__ = ("size", "quality", "count")
    SIZE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    size: str
    quality: str
    count: int
    def __init__(self, size: _Optional[str] = ..., quality: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class ModelUsage(_message.Message):
    __slots__ = ("model", "usage", "type")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    model: str
    usage: Usage
    type: str
    def __init__(self, model: _Optional[str] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., type: _Optional[str] = ...) -> None: ...

class Translation(_message.Message):
    __slots__ = ("field", "action", "note")
    FIELD_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    field: str
    action: TranslationAction
    note: str
    def __init__(self, field: _Optional[str] = ..., action: _Optional[_Union[TranslationAction, str]] = ..., note: _Optional[str] = ...) -> None: ...

class StreamEvent(_message.Message):
    __slots__ = ("started", "text", "reasoning", "refusal", "tool_call_started", "tool_call", "audio", "choice_finished", "usage", "continued", "finished", "opaque")
    STARTED_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REASONING_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_STARTED_FIELD_NUMBER: _ClassVar[int]
    TOOL_CALL_FIELD_NUMBER: _ClassVar[int]
    AUDIO_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FINISHED_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    CONTINUED_FIELD_NUMBER: _ClassVar[int]
    FINISHED_FIELD_NUMBER: _ClassVar[int]
    OPAQUE_FIELD_NUMBER: _ClassVar[int]
    started: Started
    text: TextDelta
    reasoning: ReasoningDelta
    refusal: TextDelta
    tool_call_started: ToolCallStarted
    tool_call: ToolCallDelta
    audio: AudioDelta
    choice_finished: ChoiceFinished
    usage: Usage
    continued: Continued
    finished: Finished
    opaque: _content_pb2.OpaquePart
    def __init__(self, started: _Optional[_Union[Started, _Mapping]] = ..., text: _Optional[_Union[TextDelta, _Mapping]] = ..., reasoning: _Optional[_Union[ReasoningDelta, _Mapping]] = ..., refusal: _Optional[_Union[TextDelta, _Mapping]] = ..., tool_call_started: _Optional[_Union[ToolCallStarted, _Mapping]] = ..., tool_call: _Optional[_Union[ToolCallDelta, _Mapping]] = ..., audio: _Optional[_Union[AudioDelta, _Mapping]] = ..., choice_finished: _Optional[_Union[ChoiceFinished, _Mapping]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ..., continued: _Optional[_Union[Continued, _Mapping]] = ..., finished: _Optional[_Union[Finished, _Mapping]] = ..., opaque: _Optional[_Union[_content_pb2.OpaquePart, _Mapping]] = ...) -> None: ...

class StreamEvents(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[StreamEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[StreamEvent, _Mapping]]] = ...) -> None: ...

class Started(_message.Message):
    __slots__ = ("id", "model", "created", "translations", "extras", "usage")
    ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    id: str
    model: str
    created: int
    translations: _containers.RepeatedCompositeFieldContainer[Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    usage: Usage
    def __init__(self, id: _Optional[str] = ..., model: _Optional[str] = ..., created: _Optional[int] = ..., translations: _Optional[_Iterable[_Union[Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ..., usage: _Optional[_Union[Usage, _Mapping]] = ...) -> None: ...

class TextDelta(_message.Message):
    __slots__ = ("choice", "text", "logprobs", "extras")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LOGPROBS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    choice: int
    text: str
    logprobs: _containers.RepeatedCompositeFieldContainer[TokenLogprob]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, choice: _Optional[int] = ..., text: _Optional[str] = ..., logprobs: _Optional[_Iterable[_Union[TokenLogprob, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class ReasoningDelta(_message.Message):
    __slots__ = ("choice", "text", "signature", "redacted")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    REDACTED_FIELD_NUMBER: _ClassVar[int]
    choice: int
    text: str
    signature: str
    redacted: bytes
    def __init__(self, choice: _Optional[int] = ..., text: _Optional[str] = ..., signature: _Optional[str] = ..., redacted: _Optional[bytes] = ...) -> None: ...

class ToolCallStarted(_message.Message):
    __slots__ = ("choice", "index", "id", "name", "extras")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    choice: int
    index: int
    id: str
    name: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, choice: _Optional[int] = ..., index: _Optional[int] = ..., id: _Optional[str] = ..., name: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class ToolCallDelta(_message.Message):
    __slots__ = ("choice", "index", "arguments_json")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    ARGUMENTS_JSON_FIELD_NUMBER: _ClassVar[int]
    choice: int
    index: int
    arguments_json: str
    def __init__(self, choice: _Optional[int] = ..., index: _Optional[int] = ..., arguments_json: _Optional[str] = ...) -> None: ...

class AudioDelta(_message.Message):
    __slots__ = ("choice", "data", "transcript")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIPT_FIELD_NUMBER: _ClassVar[int]
    choice: int
    data: bytes
    transcript: str
    def __init__(self, choice: _Optional[int] = ..., data: _Optional[bytes] = ..., transcript: _Optional[str] = ...) -> None: ...

class ChoiceFinished(_message.Message):
    __slots__ = ("choice", "finish_reason", "native_finish_reason", "extras")
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    NATIVE_FINISH_REASON_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    choice: int
    finish_reason: FinishReason
    native_finish_reason: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, choice: _Optional[int] = ..., finish_reason: _Optional[_Union[FinishReason, str]] = ..., native_finish_reason: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class Continued(_message.Message):
    __slots__ = ("attempt_id",)
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    def __init__(self, attempt_id: _Optional[str] = ...) -> None: ...

class Finished(_message.Message):
    __slots__ = ("extras",)
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...
