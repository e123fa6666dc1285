import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.conversations.v1 import items_pb2 as _items_pb2
from llm_mesh.gateway.v1 import gateway_pb2 as _gateway_pb2
from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import carries_pb2 as _carries_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from llm_mesh.policy.v1 import policy_pb2 as _policy_pb2
from llm_mesh.policy.v1 import usage_pb2 as _usage_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ResponseStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RESPONSE_STATUS_UNSPECIFIED: _ClassVar[ResponseStatus]
    RESPONSE_STATUS_IN_PROGRESS: _ClassVar[ResponseStatus]
    RESPONSE_STATUS_COMPLETED: _ClassVar[ResponseStatus]
    RESPONSE_STATUS_INCOMPLETE: _ClassVar[ResponseStatus]
    RESPONSE_STATUS_FAILED: _ClassVar[ResponseStatus]
    RESPONSE_STATUS_CANCELLED: _ClassVar[ResponseStatus]
RESPONSE_STATUS_UNSPECIFIED: ResponseStatus
RESPONSE_STATUS_IN_PROGRESS: ResponseStatus
RESPONSE_STATUS_COMPLETED: ResponseStatus
RESPONSE_STATUS_INCOMPLETE: ResponseStatus
RESPONSE_STATUS_FAILED: ResponseStatus
RESPONSE_STATUS_CANCELLED: ResponseStatus

class Response(_message.Message):
    __slots__ = ("id", "status", "create_time", "end_time", "expire_time", "stored", "unstored_cause", "background", "model", "previous_response", "conversation", "metadata", "client_request", "failure")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    STORED_FIELD_NUMBER: _ClassVar[int]
    UNSTORED_CAUSE_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CLIENT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: ResponseStatus
    create_time: _timestamp_pb2.Timestamp
    end_time: _timestamp_pb2.Timestamp
    expire_time: _timestamp_pb2.Timestamp
    stored: bool
    unstored_cause: str
    background: bool
    model: str
    previous_response: str
    conversation: str
    metadata: _containers.ScalarMap[str, str]
    client_request: bytes
    failure: ResponseFailure
    def __init__(self, id: _Optional[str] = ..., status: _Optional[_Union[ResponseStatus, str]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expire_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stored: _Optional[bool] = ..., unstored_cause: _Optional[str] = ..., background: _Optional[bool] = ..., model: _Optional[str] = ..., previous_response: _Optional[str] = ..., conversation: _Optional[str] = ..., metadata: _Optional[_Mapping[str, str]] = ..., client_request: _Optional[bytes] = ..., failure: _Optional[_Union[ResponseFailure, _Mapping]] = ...) -> None: ...

class ResponseFailure(_message.Message):
    __slots__ = ("reason", "domain", "message")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DOMAIN_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    reason: str
    domain: str
    message: str
    def __init__(self, reason: _Optional[str] = ..., domain: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class CreateResponseRequest(_message.Message):
    __slots__ = ("input", "options", "previous_response", "conversation", "instructions", "store", "background", "metadata", "client_request")
    class MetadataEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    PREVIOUS_RESPONSE_FIELD_NUMBER: _ClassVar[int]
    CONVERSATION_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    STORE_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    METADATA_FIELD_NUMBER: _ClassVar[int]
    CLIENT_REQUEST_FIELD_NUMBER: _ClassVar[int]
    input: _generate_pb2.GenerateInput
    options: _gateway_pb2.RequestOptions
    previous_response: str
    conversation: str
    instructions: _containers.RepeatedCompositeFieldContainer[_content_pb2.Message]
    store: bool
    background: bool
    metadata: _containers.ScalarMap[str, str]
    client_request: bytes
    def __init__(self, input: _Optional[_Union[_generate_pb2.GenerateInput, _Mapping]] = ..., options: _Optional[_Union[_gateway_pb2.RequestOptions, _Mapping]] = ..., previous_response: _Optional[str] = ..., conversation: _Optional[str] = ..., instructions: _Optional[_Iterable[_Union[_content_pb2.Message, _Mapping]]] = ..., store: _Optional[bool] = ..., background: _Optional[bool] = ..., metadata: _Optional[_Mapping[str, str]] = ..., client_request: _Optional[bytes] = ...) -> None: ...

class CreateResponseResponse(_message.Message):
    __slots__ = ("events", "receipt", "limits", "reservation", "decision_id", "replayed", "screened", "response", "first_event")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    RESERVATION_FIELD_NUMBER: _ClassVar[int]
    DECISION_ID_FIELD_NUMBER: _ClassVar[int]
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    SCREENED_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    FIRST_EVENT_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    receipt: _gateway_pb2.Receipt
    limits: _containers.RepeatedCompositeFieldContainer[_policy_pb2.LimitStatus]
    reservation: str
    decision_id: str
    replayed: bool
    screened: _containers.RepeatedCompositeFieldContainer[_usage_pb2.ScreeningCount]
    response: Response
    first_event: int
    def __init__(self, events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ..., receipt: _Optional[_Union[_gateway_pb2.Receipt, _Mapping]] = ..., limits: _Optional[_Iterable[_Union[_policy_pb2.LimitStatus, _Mapping]]] = ..., reservation: _Optional[str] = ..., decision_id: _Optional[str] = ..., replayed: _Optional[bool] = ..., screened: _Optional[_Iterable[_Union[_usage_pb2.ScreeningCount, _Mapping]]] = ..., response: _Optional[_Union[Response, _Mapping]] = ..., first_event: _Optional[int] = ...) -> None: ...

class GetResponseRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class GetResponseResponse(_message.Message):
    __slots__ = ("response", "events", "receipt")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    response: Response
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    receipt: _gateway_pb2.Receipt
    def __init__(self, response: _Optional[_Union[Response, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ..., receipt: _Optional[_Union[_gateway_pb2.Receipt, _Mapping]] = ...) -> None: ...

class ResumeResponseRequest(_message.Message):
    __slots__ = ("id", "first_event")
    ID_FIELD_NUMBER: _ClassVar[int]
    FIRST_EVENT_FIELD_NUMBER: _ClassVar[int]
    id: str
    first_event: int
    def __init__(self, id: _Optional[str] = ..., first_event: _Optional[int] = ...) -> None: ...

class ResumeResponseResponse(_message.Message):
    __slots__ = ("events", "receipt", "response", "first_event")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    FIRST_EVENT_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    receipt: _gateway_pb2.Receipt
    response: Response
    first_event: int
    def __init__(self, events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ..., receipt: _Optional[_Union[_gateway_pb2.Receipt, _Mapping]] = ..., response: _Optional[_Union[Response, _Mapping]] = ..., first_event: _Optional[int] = ...) -> None: ...

class CancelResponseRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class CancelResponseResponse(_message.Message):
    __slots__ = ("response", "events")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    response: Response
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    def __init__(self, response: _Optional[_Union[Response, _Mapping]] = ..., events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ...) -> None: ...

class DeleteResponseRequest(_message.Message):
    __slots__ = ("id",)
    ID_FIELD_NUMBER: _ClassVar[int]
    id: str
    def __init__(self, id: _Optional[str] = ...) -> None: ...

class DeleteResponseResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListInputItemsRequest(_message.Message):
    __slots__ = ("response", "page")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    PAGE_FIELD_NUMBER: _ClassVar[int]
    response: str
    page: _items_pb2.ItemPage
    def __init__(self, response: _Optional[str] = ..., page: _Optional[_Union[_items_pb2.ItemPage, _Mapping]] = ...) -> None: ...

class ListInputItemsResponse(_message.Message):
    __slots__ = ("items", "next_page_token")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[_items_pb2.Item]
    next_page_token: str
    def __init__(self, items: _Optional[_Iterable[_Union[_items_pb2.Item, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class SealedResponse(_message.Message):
    __slots__ = ("response", "input", "output", "events", "receipt")
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    INPUT_FIELD_NUMBER: _ClassVar[int]
    OUTPUT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    response: Response
    input: _containers.RepeatedCompositeFieldContainer[_items_pb2.Item]
    output: _containers.RepeatedCompositeFieldContainer[_items_pb2.Item]
    events: _containers.RepeatedCompositeFieldContainer[_generate_pb2.StreamEvent]
    receipt: _gateway_pb2.Receipt
    def __init__(self, response: _Optional[_Union[Response, _Mapping]] = ..., input: _Optional[_Iterable[_Union[_items_pb2.Item, _Mapping]]] = ..., output: _Optional[_Iterable[_Union[_items_pb2.Item, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[_generate_pb2.StreamEvent, _Mapping]]] = ..., receipt: _Optional[_Union[_gateway_pb2.Receipt, _Mapping]] = ...) -> None: ...
