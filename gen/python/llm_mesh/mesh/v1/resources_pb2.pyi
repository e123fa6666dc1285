from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ChangeAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CHANGE_ACTION_UNSPECIFIED: _ClassVar[ChangeAction]
    CHANGE_ACTION_CREATE: _ClassVar[ChangeAction]
    CHANGE_ACTION_UPDATE: _ClassVar[ChangeAction]
    CHANGE_ACTION_DELETE: _ClassVar[ChangeAction]
    CHANGE_ACTION_NONE: _ClassVar[ChangeAction]
CHANGE_ACTION_UNSPECIFIED: ChangeAction
CHANGE_ACTION_CREATE: ChangeAction
CHANGE_ACTION_UPDATE: ChangeAction
CHANGE_ACTION_DELETE: ChangeAction
CHANGE_ACTION_NONE: ChangeAction

class Money(_message.Message):
    __slots__ = ("currency", "nanos")
    CURRENCY_FIELD_NUMBER: _ClassVar[int]
    NANOS_FIELD_NUMBER: _ClassVar[int]
    currency: str
    nanos: int
    def __init__(self, currency: _Optional[str] = ..., nanos: _Optional[int] = ...) -> None: ...

class Sealed(_message.Message):
    __slots__ = ("payload", "seals")
    PAYLOAD_FIELD_NUMBER: _ClassVar[int]
    SEALS_FIELD_NUMBER: _ClassVar[int]
    payload: bytes
    seals: _containers.RepeatedCompositeFieldContainer[Seal]
    def __init__(self, payload: _Optional[bytes] = ..., seals: _Optional[_Iterable[_Union[Seal, _Mapping]]] = ...) -> None: ...

class Seal(_message.Message):
    __slots__ = ("audience", "mac")
    AUDIENCE_FIELD_NUMBER: _ClassVar[int]
    MAC_FIELD_NUMBER: _ClassVar[int]
    audience: str
    mac: bytes
    def __init__(self, audience: _Optional[str] = ..., mac: _Optional[bytes] = ...) -> None: ...

class Change(_message.Message):
    __slots__ = ("resource", "action", "fields", "loosens")
    RESOURCE_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    LOOSENS_FIELD_NUMBER: _ClassVar[int]
    resource: str
    action: ChangeAction
    fields: _containers.RepeatedCompositeFieldContainer[FieldChange]
    loosens: bool
    def __init__(self, resource: _Optional[str] = ..., action: _Optional[_Union[ChangeAction, str]] = ..., fields: _Optional[_Iterable[_Union[FieldChange, _Mapping]]] = ..., loosens: _Optional[bool] = ...) -> None: ...

class FieldChange(_message.Message):
    __slots__ = ("path", "before", "after", "loosens")
    PATH_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LOOSENS_FIELD_NUMBER: _ClassVar[int]
    path: str
    before: str
    after: str
    loosens: bool
    def __init__(self, path: _Optional[str] = ..., before: _Optional[str] = ..., after: _Optional[str] = ..., loosens: _Optional[bool] = ...) -> None: ...
