import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import resources_pb2 as _resources_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AttemptOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ATTEMPT_OUTCOME_UNSPECIFIED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_COMPLETED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_FAILED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_INTERRUPTED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_CANCELLED: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_NOT_SENT: _ClassVar[AttemptOutcome]
    ATTEMPT_OUTCOME_LOST: _ClassVar[AttemptOutcome]

class UsageSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    USAGE_SOURCE_UNSPECIFIED: _ClassVar[UsageSource]
    USAGE_SOURCE_PROVIDER: _ClassVar[UsageSource]
    USAGE_SOURCE_COUNTED: _ClassVar[UsageSource]
    USAGE_SOURCE_ESTIMATED: _ClassVar[UsageSource]

class ReservationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESERVATION_STATE_UNSPECIFIED: _ClassVar[ReservationState]
    RESERVATION_STATE_HELD: _ClassVar[ReservationState]
    RESERVATION_STATE_SETTLED: _ClassVar[ReservationState]
    RESERVATION_STATE_ESTIMATED: _ClassVar[ReservationState]
    RESERVATION_STATE_RELEASED: _ClassVar[ReservationState]
    RESERVATION_STATE_REFUSED: _ClassVar[ReservationState]

class ScreeningDirection(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SCREENING_DIRECTION_UNSPECIFIED: _ClassVar[ScreeningDirection]
    SCREENING_DIRECTION_REQUEST: _ClassVar[ScreeningDirection]
    SCREENING_DIRECTION_ANSWER: _ClassVar[ScreeningDirection]
ATTEMPT_OUTCOME_UNSPECIFIED: AttemptOutcome
ATTEMPT_OUTCOME_COMPLETED: AttemptOutcome
ATTEMPT_OUTCOME_FAILED: AttemptOutcome
ATTEMPT_OUTCOME_INTERRUPTED: AttemptOutcome
ATTEMPT_OUTCOME_CANCELLED: AttemptOutcome
ATTEMPT_OUTCOME_NOT_SENT: AttemptOutcome
ATTEMPT_OUTCOME_LOST: AttemptOutcome
USAGE_SOURCE_UNSPECIFIED: UsageSource
USAGE_SOURCE_PROVIDER: UsageSource
USAGE_SOURCE_COUNTED: UsageSource
USAGE_SOURCE_ESTIMATED: UsageSource
RESERVATION_STATE_UNSPECIFIED: ReservationState
RESERVATION_STATE_HELD: ReservationState
RESERVATION_STATE_SETTLED: ReservationState
RESERVATION_STATE_ESTIMATED: ReservationState
RESERVATION_STATE_RELEASED: ReservationState
RESERVATION_STATE_REFUSED: ReservationState
SCREENING_DIRECTION_UNSPECIFIED: ScreeningDirection
SCREENING_DIRECTION_REQUEST: ScreeningDirection
SCREENING_DIRECTION_ANSWER: ScreeningDirection

class UsageLine(_message.Message):
    __slots__ = ("attempt_id", "outcome", "usage", "source", "start_time", "duration_us", "first_token_us", "error_reason", "streamed", "counted_input_tokens", "counted_output_tokens", "error_field", "upstream")
    ATTEMPT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    DURATION_US_FIELD_NUMBER: _ClassVar[int]
    FIRST_TOKEN_US_FIELD_NUMBER: _ClassVar[int]
    ERROR_REASON_FIELD_NUMBER: _ClassVar[int]
    STREAMED_FIELD_NUMBER: _ClassVar[int]
    COUNTED_INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    COUNTED_OUTPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    ERROR_FIELD_FIELD_NUMBER: _ClassVar[int]
    UPSTREAM_FIELD_NUMBER: _ClassVar[int]
    attempt_id: str
    outcome: AttemptOutcome
    usage: _generate_pb2.Usage
    source: UsageSource
    start_time: _timestamp_pb2.Timestamp
    duration_us: int
    first_token_us: int
    error_reason: str
    streamed: bool
    counted_input_tokens: int
    counted_output_tokens: int
    error_field: str
    upstream: UpstreamCharge
    def __init__(self, attempt_id: _Optional[str] = ..., outcome: _Optional[_Union[AttemptOutcome, str]] = ..., usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., source: _Optional[_Union[UsageSource, str]] = ..., start_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., duration_us: _Optional[int] = ..., first_token_us: _Optional[int] = ..., error_reason: _Optional[str] = ..., streamed: _Optional[bool] = ..., counted_input_tokens: _Optional[int] = ..., counted_output_tokens: _Optional[int] = ..., error_field: _Optional[str] = ..., upstream: _Optional[_Union[UpstreamCharge, _Mapping]] = ...) -> None: ...

class UpstreamCharge(_message.Message):
    __slots__ = ("charge", "reservation", "model", "replayed")
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    charge: _resources_pb2.Money
    reservation: str
    model: str
    replayed: bool
    def __init__(self, charge: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., reservation: _Optional[str] = ..., model: _Optional[str] = ..., replayed: _Optional[bool] = ...) -> None: ...

class ChargeLine(_message.Message):
    __slots__ = ("usage", "model", "price", "charge", "overrun", "adapter", "endpoint", "charge_to", "implausible", "reported_usage")
    USAGE_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    CHARGE_FIELD_NUMBER: _ClassVar[int]
    OVERRUN_FIELD_NUMBER: _ClassVar[int]
    ADAPTER_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    CHARGE_TO_FIELD_NUMBER: _ClassVar[int]
    IMPLAUSIBLE_FIELD_NUMBER: _ClassVar[int]
    REPORTED_USAGE_FIELD_NUMBER: _ClassVar[int]
    usage: UsageLine
    model: str
    price: str
    charge: _resources_pb2.Money
    overrun: bool
    adapter: str
    endpoint: str
    charge_to: str
    implausible: bool
    reported_usage: _generate_pb2.Usage
    def __init__(self, usage: _Optional[_Union[UsageLine, _Mapping]] = ..., model: _Optional[str] = ..., price: _Optional[str] = ..., charge: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., overrun: _Optional[bool] = ..., adapter: _Optional[str] = ..., endpoint: _Optional[str] = ..., charge_to: _Optional[str] = ..., implausible: _Optional[bool] = ..., reported_usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ...) -> None: ...

class ScreeningCount(_message.Message):
    __slots__ = ("detector", "logged", "masked", "blocked", "direction")
    DETECTOR_FIELD_NUMBER: _ClassVar[int]
    LOGGED_FIELD_NUMBER: _ClassVar[int]
    MASKED_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    detector: str
    logged: int
    masked: int
    blocked: int
    direction: ScreeningDirection
    def __init__(self, detector: _Optional[str] = ..., logged: _Optional[int] = ..., masked: _Optional[int] = ..., blocked: _Optional[int] = ..., direction: _Optional[_Union[ScreeningDirection, str]] = ...) -> None: ...

class LedgerEntry(_message.Message):
    __slots__ = ("name", "state", "request_id", "alias", "operation", "principal", "key", "tags", "reserved", "charged", "lines", "reserve_time", "settle_time", "decision_id", "adjustments", "overrun", "admission_id", "screened", "refused_reason", "refused_field")
    class TagsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    NAME_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_ID_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    OPERATION_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    TAGS_FIELD_NUMBER: _ClassVar[int]
    RESERVED_FIELD_NUMBER: _ClassVar[int]
    CHARGED_FIELD_NUMBER: _ClassVar[int]
    LINES_FIELD_NUMBER: _ClassVar[int]
    RESERVE_TIME_FIELD_NUMBER: _ClassVar[int]
    SETTLE_TIME_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    ADJUSTMENTS_FIELD_NUMBER: _ClassVar[int]
    OVERRUN_FIELD_NUMBER: _ClassVar[int]
    ADMISSION_ID_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_REASON_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_FIELD_NUMBER: _ClassVar[int]
    name: str
    state: ReservationState
    request_id: str
    alias: str
    operation: str
    principal: str
    key: str
    tags: _containers.ScalarMap[str, str]
    reserved: _resources_pb2.Money
    charged: _resources_pb2.Money
    lines: _containers.RepeatedCompositeFieldContainer[ChargeLine]
    reserve_time: _timestamp_pb2.Timestamp
    settle_time: _timestamp_pb2.Timestamp
    decision_id: str
    adjustments: _containers.RepeatedCompositeFieldContainer[Adjustment]
    overrun: bool
    admission_id: str
    screened: _containers.RepeatedCompositeFieldContainer[ScreeningCount]
    refused_reason: str
    refused_field: str
    def __init__(self, name: _Optional[str] = ..., state: _Optional[_Union[ReservationState, str]] = ..., request_id: _Optional[str] = ..., alias: _Optional[str] = ..., operation: _Optional[str] = ..., principal: _Optional[str] = ..., key: _Optional[str] = ..., tags: _Optional[_Mapping[str, str]] = ..., reserved: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., charged: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., lines: _Optional[_Iterable[_Union[ChargeLine, _Mapping]]] = ..., reserve_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., settle_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., decision_id: _Optional[str] = ..., adjustments: _Optional[_Iterable[_Union[Adjustment, _Mapping]]] = ..., overrun: _Optional[bool] = ..., admission_id: _Optional[str] = ..., screened: _Optional[_Iterable[_Union[ScreeningCount, _Mapping]]] = ..., refused_reason: _Optional[str] = ..., refused_field: _Optional[str] = ...) -> None: ...

class Adjustment(_message.Message):
    __slots__ = ("amount", "reason", "create_time")
    AMOUNT_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    amount: _resources_pb2.Money
    reason: str
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, amount: _Optional[_Union[_resources_pb2.Money, _Mapping]] = ..., reason: _Optional[str] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class UsageEvent(_message.Message):
    __slots__ = ("sequence", "entry", "domain", "project", "version")
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    sequence: int
    entry: LedgerEntry
    domain: str
    project: str
    version: int
    def __init__(self, sequence: _Optional[int] = ..., entry: _Optional[_Union[LedgerEntry, _Mapping]] = ..., domain: _Optional[str] = ..., project: _Optional[str] = ..., version: _Optional[int] = ...) -> None: ...
