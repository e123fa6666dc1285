from llm_mesh.mesh.v1 import access_pb2 as _access_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Retention(_message.Message):
    __slots__ = ("project", "days", "by_default")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    BY_DEFAULT_FIELD_NUMBER: _ClassVar[int]
    project: str
    days: int
    by_default: bool
    def __init__(self, project: _Optional[str] = ..., days: _Optional[int] = ..., by_default: _Optional[bool] = ...) -> None: ...

class GetRetentionRequest(_message.Message):
    __slots__ = ("project",)
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    project: str
    def __init__(self, project: _Optional[str] = ...) -> None: ...

class GetRetentionResponse(_message.Message):
    __slots__ = ("retention",)
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    retention: Retention
    def __init__(self, retention: _Optional[_Union[Retention, _Mapping]] = ...) -> None: ...

class UpdateRetentionRequest(_message.Message):
    __slots__ = ("project", "days")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    project: str
    days: int
    def __init__(self, project: _Optional[str] = ..., days: _Optional[int] = ...) -> None: ...

class UpdateRetentionResponse(_message.Message):
    __slots__ = ("retention",)
    RETENTION_FIELD_NUMBER: _ClassVar[int]
    retention: Retention
    def __init__(self, retention: _Optional[_Union[Retention, _Mapping]] = ...) -> None: ...

class EraseContentRequest(_message.Message):
    __slots__ = ("project", "everything", "principal", "end_user")
    PROJECT_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    project: str
    everything: bool
    principal: str
    end_user: str
    def __init__(self, project: _Optional[str] = ..., everything: _Optional[bool] = ..., principal: _Optional[str] = ..., end_user: _Optional[str] = ...) -> None: ...

class EraseContentResponse(_message.Message):
    __slots__ = ("responses", "conversations")
    RESPONSES_FIELD_NUMBER: _ClassVar[int]
    CONVERSATIONS_FIELD_NUMBER: _ClassVar[int]
    responses: int
    conversations: int
    def __init__(self, responses: _Optional[int] = ..., conversations: _Optional[int] = ...) -> None: ...
