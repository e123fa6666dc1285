import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.inference.v1 import assess_pb2 as _assess_pb2
from llm_mesh.inference.v1 import embed_pb2 as _embed_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.inference.v1 import generate_image_pb2 as _generate_image_pb2
from llm_mesh.inference.v1 import moderate_pb2 as _moderate_pb2
from llm_mesh.inference.v1 import rerank_pb2 as _rerank_pb2
from llm_mesh.inference.v1 import sound_pb2 as _sound_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.policy.v1 import admission_pb2 as _admission_pb2
from llm_mesh.policy.v1 import audit_pb2 as _audit_pb2
from llm_mesh.policy.v1 import usage_pb2 as _usage_pb2
from llm_mesh.router.v1 import plan_pb2 as _plan_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FindingAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINDING_ACTION_UNSPECIFIED: _ClassVar[FindingAction]
    FINDING_ACTION_LOGGED: _ClassVar[FindingAction]
    FINDING_ACTION_MASKED: _ClassVar[FindingAction]
    FINDING_ACTION_BLOCKED: _ClassVar[FindingAction]
FINDING_ACTION_UNSPECIFIED: FindingAction
FINDING_ACTION_LOGGED: FindingAction
FINDING_ACTION_MASKED: FindingAction
FINDING_ACTION_BLOCKED: FindingAction

class AuthorizeRequest(_message.Message):
    __slots__ = ("credential", "method", "resource", "action", "project", "minimum_revision")
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    MINIMUM_REVISION_FIELD_NUMBER: _ClassVar[int]
    credential: str
    method: str
    resource: str
    action: str
    project: str
    minimum_revision: int
    def __init__(self, credential: _Optional[str] = ..., method: _Optional[str] = ..., resource: _Optional[str] = ..., action: _Optional[str] = ..., project: _Optional[str] = ..., minimum_revision: _Optional[int] = ...) -> None: ...

class AuthorizeResponse(_message.Message):
    __slots__ = ("caller", "sealed_caller", "revision", "valid_for")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    SEALED_CALLER_FIELD_NUMBER: _ClassVar[int]
    REVISION_FIELD_NUMBER: _ClassVar[int]
    VALID_FOR_FIELD_NUMBER: _ClassVar[int]
    caller: _admission_pb2.Caller
    sealed_caller: _resources_pb2.Sealed
    revision: int
    valid_for: _duration_pb2.Duration
    def __init__(self, caller: _Optional[_Union[_admission_pb2.Caller, _Mapping]] = ..., sealed_caller: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., revision: _Optional[int] = ..., valid_for: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ...) -> None: ...

class CreateDelegationRequest(_message.Message):
    __slots__ = ("caller", "expire_time", "purpose")
    CALLER_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    caller: _resources_pb2.Sealed
    expire_time: _timestamp_pb2.Timestamp
    purpose: str
    def __init__(self, caller: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., purpose: _Optional[str] = ...) -> None: ...

class CreateDelegationResponse(_message.Message):
    __slots__ = ("delegation",)
    DELEGATION_FIELD_NUMBER: _ClassVar[int]
    delegation: _resources_pb2.Sealed
    def __init__(self, delegation: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ...) -> None: ...

class RedeemDelegationRequest(_message.Message):
    __slots__ = ("delegation",)
    DELEGATION_FIELD_NUMBER: _ClassVar[int]
    delegation: _resources_pb2.Sealed
    def __init__(self, delegation: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ...) -> None: ...

class RedeemDelegationResponse(_message.Message):
    __slots__ = ("credential", "expire_time")
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    credential: str
    expire_time: _timestamp_pb2.Timestamp
    def __init__(self, credential: _Optional[str] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class WatchRevisionRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchRevisionResponse(_message.Message):
    __slots__ = ("revision",)
    REVISION_FIELD_NUMBER: _ClassVar[int]
    revision: int
    def __init__(self, revision: _Optional[int] = ...) -> None: ...

class AdmitRequest(_message.Message):
    __slots__ = ("caller", "generate", "embed", "rerank", "moderate", "assess", "generate_image", "speak", "transcribe", "tags", "request_id", "counts_only", "bounds")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    CALLER_FIELD_NUMBER: _ClassVar[int]
    GENERATE_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    RERANK_FIELD_NUMBER: _ClassVar[int]
    MODERATE_FIELD_NUMBER: _ClassVar[int]
    ASSESS_FIELD_NUMBER: _ClassVar[int]
    GENERATE_IMAGE_FIELD_NUMBER: _ClassVar[int]
    SPEAK_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIBE_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    COUNTS_ONLY_FIELD_NUMBER: _ClassVar[int]
    BOUNDS_FIELD_NUMBER: _ClassVar[int]
    caller: _resources_pb2.Sealed
    generate: _generate_pb2.GenerateInput
    embed: _embed_pb2.EmbedInput
    rerank: _rerank_pb2.RerankInput
    moderate: _moderate_pb2.ModerateInput
    assess: _assess_pb2.AssessInput
    generate_image: _generate_image_pb2.GenerateImageInput
    speak: _sound_pb2.SpeakInput
    transcribe: _sound_pb2.TranscribeInput
    tags: _containers.ScalarMap[str, str]
    request_id: str
    counts_only: bool
    bounds: _admission_pb2.RequestBounds
    def __init__(self, caller: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., generate: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., embed: _Optional[_Union[_embed_pb2.EmbedInput, _Mapping]] = ..., rerank: _Optional[_Union[_rerank_pb2.RerankInput, _Mapping]] = ..., moderate: _Optional[_Union[_moderate_pb2.ModerateInput, _Mapping]] = ..., assess: _Optional[_Union[_assess_pb2.AssessInput, _Mapping]] = ..., generate_image: _Optional[_Union[_generate_image_pb2.GenerateImageInput, _Mapping]] = ..., speak: _Optional[_Union[_sound_pb2.SpeakInput, _Mapping]] = ..., transcribe: _Optional[_Union[_sound_pb2.TranscribeInput, _Mapping]] = ..., tags: _Optional[_Mapping[str, str]] = ..., request_id: _Optional[str] = ..., counts_only: _Optional[bool] = ..., bounds: _Optional[_Union[_admission_pb2.RequestBounds, _Mapping]] = ...) -> None: ...

class AdmitResponse(_message.Message):
    __slots__ = ("admission", "obligations", "constraints", "generate", "embed", "rerank", "moderate", "assess", "generate_image", "speak", "transcribe", "findings", "screened")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    OBLIGATIONS_FIELD_NUMBER: _ClassVar[int]
    CONSTRAINTS_FIELD_NUMBER: _ClassVar[int]
    GENERATE_FIELD_NUMBER: _ClassVar[int]
    EMBED_FIELD_NUMBER: _ClassVar[int]
    RERANK_FIELD_NUMBER: _ClassVar[int]
    MODERATE_FIELD_NUMBER: _ClassVar[int]
    ASSESS_FIELD_NUMBER: _ClassVar[int]
    GENERATE_IMAGE_FIELD_NUMBER: _ClassVar[int]
    SPEAK_FIELD_NUMBER: _ClassVar[int]
    TRANSCRIBE_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    admission: _resources_pb2.Sealed
    obligations: _admission_pb2.Obligations
    constraints: _admission_pb2.Constraints
    generate: _generate_pb2.GenerateInput
    embed: _embed_pb2.EmbedInput
    rerank: _rerank_pb2.RerankInput
    moderate: _moderate_pb2.ModerateInput
    assess: _assess_pb2.AssessInput
    generate_image: _generate_image_pb2.GenerateImageInput
    speak: _sound_pb2.SpeakInput
    transcribe: _sound_pb2.TranscribeInput
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., obligations: _Optional[_Union[_admission_pb2.Obligations, _Mapping]] = ..., constraints: _Optional[_Union[_admission_pb2.Constraints, _Mapping]] = ..., generate: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., embed: _Optional[_Union[_embed_pb2.EmbedInput, _Mapping]] = ..., rerank: _Optional[_Union[_rerank_pb2.RerankInput, _Mapping]] = ..., moderate: _Optional[_Union[_moderate_pb2.ModerateInput, _Mapping]] = ..., assess: _Optional[_Union[_assess_pb2.AssessInput, _Mapping]] = ..., generate_image: _Optional[_Union[_generate_image_pb2.GenerateImageInput, _Mapping]] = ..., speak: _Optional[_Union[_sound_pb2.SpeakInput, _Mapping]] = ..., transcribe: _Optional[_Union[_sound_pb2.TranscribeInput, _Mapping]] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("detector", "action", "field", "start", "end")
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    detector: str
    action: FindingAction
    field: str
    start: int
    end: int
    def __init__(self, detector: _Optional[str] = ..., action: _Optional[_Union[FindingAction, str]] = ..., field: _Optional[str] = ..., start: _Optional[int] = ..., end: _Optional[int] = ...) -> None: ...

class ReserveRequest(_message.Message):
    __slots__ = ("reservation_id", "admission", "plan", "epoch", "idempotency_key", "request_digest", "request_id", "candidate_count")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_COUNT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    admission: _resources_pb2.Sealed
    plan: _plan_pb2.Plan
    epoch: str
    idempotency_key: str
    request_digest: bytes
    request_id: str
    candidate_count: int
    def __init__(self, reservation_id: _Optional[str] = ..., admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., epoch: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., request_digest: _Optional[bytes] = ..., request_id: _Optional[str] = ..., candidate_count: _Optional[int] = ...) -> None: ...

class ReserveResponse(_message.Message):
    __slots__ = ("grant", "reserved", "limits", "answer_limit_bytes")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    ANSWER_LIMIT_BYTES_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    reserved: _resources_pb2.Money
    limits: _containers.RepeatedCompositeFieldContainer[LimitStatus]
    answer_limit_bytes: int
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., reserved: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., limits: _Optional[_Iterable[_Union[LimitStatus, _Mapping]]] = ..., answer_limit_bytes: _Optional[int] = ...) -> None: ...

class KeptAnswer(_message.Message):
    __slots__ = ("type", "content")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    type: str
    content: bytes
    def __init__(self, type: _Optional[str] = ..., content: _Optional[bytes] = ...) -> None: ...

class GetKeptAnswerRequest(_message.Message):
    __slots__ = ("admission", "idempotency_key", "request_digest", "request_id")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    REQUEST_DIGEST_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    admission: _resources_pb2.Sealed
    idempotency_key: str
    request_digest: bytes
    request_id: str
    def __init__(self, admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., idempotency_key: _Optional[str] = ..., request_digest: _Optional[bytes] = ..., request_id: _Optional[str] = ...) -> None: ...

class GetKeptAnswerResponse(_message.Message):
    __slots__ = ("entry", "answer")
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    entry: _usage_pb2.LedgerEntry
    answer: KeptAnswer
    def __init__(self, entry: _Optional[_Union[_usage_pb2.LedgerEntry, _Mapping]] = ..., answer: _Optional[_Union[KeptAnswer, _Mapping]] = ...) -> None: ...

class LimitStatus(_message.Message):
    __slots__ = ("metric", "limit", "remaining", "reset_after", "subject")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    REMAINING_FIELD_NUMBER: _ClassVar[int]
    RESET_AFTER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    metric: str
    limit: int
    remaining: int
    reset_after: _duration_pb2.Duration
    subject: str
    def __init__(self, metric: _Optional[str] = ..., limit: _Optional[int] = ..., remaining: _Optional[int] = ..., reset_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., subject: _Optional[str] = ...) -> None: ...

class ExtendRequest(_message.Message):
    __slots__ = ("reservation_id", "admission", "attempt")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    ATTEMPT_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    admission: _resources_pb2.Sealed
    attempt: _plan_pb2.Attempt
    def __init__(self, reservation_id: _Optional[str] = ..., admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., attempt: _Optional[_Union[_plan_pb2.Attempt, _Mapping]] = ...) -> None: ...

class ExtendResponse(_message.Message):
    __slots__ = ("grant", "reserved")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    grant: _resources_pb2.Sealed
    reserved: _resources_pb2.Money
    def __init__(self, grant: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., reserved: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ...) -> None: ...

class SettleRequest(_message.Message):
    __slots__ = ("reservation_id", "lines", "epoch", "answer", "idempotency_key", "screened")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    lines: _containers.RepeatedCompositeFieldContainer[_usage_pb2.UsageLine]
    epoch: str
    answer: KeptAnswer
    idempotency_key: str
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, reservation_id: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_usage_pb2.UsageLine, _Mapping]]] = ..., epoch: _Optional[str] = ..., answer: _Optional[_Union[KeptAnswer, _Mapping]] = ..., idempotency_key: _Optional[str] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class SettleResponse(_message.Message):
    __slots__ = ("charged", "lines", "state", "repeated_call")
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REPEATED_CALL_FIELD_NUMBER: _ClassVar[int]
    charged: _resources_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ChargeLine]
    state: _usage_pb2.ReservationState
    repeated_call: bool
    def __init__(self, charged: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[_usage_pb2.ChargeLine, _Mapping]]] = ..., state: _Optional[_Union[_usage_pb2.ReservationState, str]] = ..., repeated_call: _Optional[bool] = ...) -> None: ...

class ReleaseRequest(_message.Message):
    __slots__ = ("reservation_id", "epoch", "lines", "refusal")
    RESERVATION_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    reservation_id: str
    epoch: str
    lines: _containers.RepeatedCompositeFieldContainer[_usage_pb2.UsageLine]
    refusal: Refusal
    def __init__(self, reservation_id: _Optional[str] = ..., epoch: _Optional[str] = ..., lines: _Optional[_Iterable[_Union[_usage_pb2.UsageLine, _Mapping]]] = ..., refusal: _Optional[_Union[Refusal, _Mapping]] = ...) -> None: ...

class Refusal(_message.Message):
    __slots__ = ("admission", "reason", "field", "decision_id", "request_id")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    admission: _resources_pb2.Sealed
    reason: str
    field: str
    decision_id: str
    request_id: str
    def __init__(self, admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., reason: _Optional[str] = ..., field: _Optional[str] = ..., decision_id: _Optional[str] = ..., request_id: _Optional[str] = ...) -> None: ...

class ReleaseResponse(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: _usage_pb2.ReservationState
    def __init__(self, state: _Optional[_Union[_usage_pb2.ReservationState, str]] = ...) -> None: ...

class HeartbeatRequest(_message.Message):
    __slots__ = ("epoch", "instance", "closing", "replaces_epoch")
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    INSTANCE_FIELD_NUMBER: _ClassVar[int]
    CLOSING_FIELD_NUMBER: _ClassVar[int]
    REPLACES_EPOCH_FIELD_NUMBER: _ClassVar[int]
    epoch: str
    instance: str
    closing: bool
    replaces_epoch: str
    def __init__(self, epoch: _Optional[str] = ..., instance: _Optional[str] = ..., closing: _Optional[bool] = ..., replaces_epoch: _Optional[str] = ...) -> None: ...

class HeartbeatResponse(_message.Message):
    __slots__ = ("lost_after", "now")
    LOST_AFTER_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    lost_after: _duration_pb2.Duration
    now: _timestamp_pb2.Timestamp
    def __init__(self, lost_after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., now: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ScreenStreamRequest(_message.Message):
    __slots__ = ("start", "text")
    START_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    start: ScreenStart
    text: ScreenText
    def __init__(self, start: _Optional[_Union[ScreenStart, _Mapping]] = ..., text: _Optional[_Union[ScreenText, _Mapping]] = ...) -> None: ...

class ScreenStart(_message.Message):
    __slots__ = ("admission", "screen_state")
    ADMISSION_FIELD_NUMBER: _ClassVar[int]
    SCREEN_STATE_FIELD_NUMBER: _ClassVar[int]
    admission: _resources_pb2.Sealed
    screen_state: bytes
    def __init__(self, admission: _Optional[_Union[_resources_pb2.Sealed, _Mapping]] = ..., screen_state: _Optional[bytes] = ...) -> None: ...

class ScreenText(_message.Message):
    __slots__ = ("channel", "index", "seq", "text", "final")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    SEQ_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    FINAL_FIELD_NUMBER: _ClassVar[int]
    channel: str
    index: int
    seq: int
    text: str
    final: bool
    def __init__(self, channel: _Optional[str] = ..., index: _Optional[int] = ..., seq: _Optional[int] = ..., text: _Optional[str] = ..., final: _Optional[bool] = ...) -> None: ...

class ScreenStreamResponse(_message.Message):
    __slots__ = ("channel", "index", "released_text", "through_seq", "findings", "blocked", "screened")
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    RELEASED_TEXT_FIELD_NUMBER: _ClassVar[int]
    THROUGH_SEQ_FIELD_NUMBER: _ClassVar[int]
    FINDINGS_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    channel: str
    index: int
    released_text: str
    through_seq: int
    findings: _containers.RepeatedCompositeFieldContainer[Finding]
    blocked: bool
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    def __init__(self, channel: _Optional[str] = ..., index: _Optional[int] = ..., released_text: _Optional[str] = ..., through_seq: _Optional[int] = ..., findings: _Optional[_Iterable[_Union[Finding, _Mapping]]] = ..., blocked: _Optional[bool] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ...) -> None: ...

class ReplayUsageRequest(_message.Message):
    __slots__ = ("from_sequence",)
    FROM_SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    from_sequence: int
    def __init__(self, from_sequence: _Optional[int] = ...) -> None: ...

class ReplayUsageResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_usage_pb2.UsageEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_usage_pb2.UsageEvent, _Mapping]]] = ...) -> None: ...

class CheckReadinessRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class CheckReadinessResponse(_message.Message):
    __slots__ = ("has_keys",)
    HAS_KEYS_FIELD_NUMBER: _ClassVar[int]
    has_keys: bool
    def __init__(self, has_keys: _Optional[bool] = ...) -> None: ...
