import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ItemOrder(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ITEM_ORDER_UNSPECIFIED: _ClassVar[ItemOrder]
    ITEM_ORDER_NEWEST_FIRST: _ClassVar[ItemOrder]
    ITEM_ORDER_OLDEST_FIRST: _ClassVar[ItemOrder]
ITEM_ORDER_UNSPECIFIED: ItemOrder
ITEM_ORDER_NEWEST_FIRST: ItemOrder
ITEM_ORDER_OLDEST_FIRST: ItemOrder

class Item(_message.Message):
    __slots__ = ("id", "message", "create_time")
    ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    id: str
    message: _content_pb2.Message
    create_time: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., message: _Optional[_Union[_content_pb2.Message, _Mapping]] = ..., create_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ItemPage(_message.Message):
    __slots__ = ("page_size", "page_token", "order")
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    ORDER_FIELD_NUMBER: _ClassVar[int]
    page_size: int
    page_token: str
    order: ItemOrder
    def __init__(self, page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., order: _Optional[_Union[ItemOrder, str]] = ...) -> None: ...
