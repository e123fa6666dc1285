from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import carries_pb2 as _carries_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CountSource(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUNT_SOURCE_UNSPECIFIED: _ClassVar[CountSource]
    COUNT_SOURCE_PROVIDER: _ClassVar[CountSource]
    COUNT_SOURCE_COUNTED: _ClassVar[CountSource]
    COUNT_SOURCE_ESTIMATED: _ClassVar[CountSource]
COUNT_SOURCE_UNSPECIFIED: CountSource
COUNT_SOURCE_PROVIDER: CountSource
COUNT_SOURCE_COUNTED: CountSource
COUNT_SOURCE_ESTIMATED: CountSource

class EmbedInput(_message.Message):
    __slots__ = ("model", "items", "dimensions", "end_user", "source_dialect", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    DIMENSIONS_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    items: _containers.RepeatedCompositeFieldContainer[EmbedItem]
    dimensions: int
    end_user: str
    source_dialect: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., items: _Optional[_Iterable[_Union[EmbedItem, _Mapping]]] = ..., dimensions: _Optional[int] = ..., end_user: _Optional[str] = ..., source_dialect: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class EmbedItem(_message.Message):
    __slots__ = ("text", "tokens")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TOKENS_FIELD_NUMBER: _ClassVar[int]
    text: str
    tokens: TokenIds
    def __init__(self, text: _Optional[str] = ..., tokens: _Optional[_Union[TokenIds, _Mapping]] = ...) -> None: ...

class TokenIds(_message.Message):
    __slots__ = ("ids",)
    IDS_FIELD_NUMBER: _ClassVar[int]
    ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, ids: _Optional[_Iterable[int]] = ...) -> None: ...

class EmbedOutput(_message.Message):
    __slots__ = ("model", "embeddings", "usage", "translations", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    embeddings: _containers.RepeatedCompositeFieldContainer[Embedding]
    usage: _generate_pb2.Usage
    translations: _containers.RepeatedCompositeFieldContainer[_generate_pb2.Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., embeddings: _Optional[_Iterable[_Union[Embedding, _Mapping]]] = ..., usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., translations: _Optional[_Iterable[_Union[_generate_pb2.Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class EmbeddingBatch(_message.Message):
    __slots__ = ("embeddings",)
    EMBEDDINGS_FIELD_NUMBER: _ClassVar[int]
    embeddings: _containers.RepeatedCompositeFieldContainer[Embedding]
    def __init__(self, embeddings: _Optional[_Iterable[_Union[Embedding, _Mapping]]] = ...) -> None: ...

class Embedding(_message.Message):
    __slots__ = ("index", "values")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    VALUES_FIELD_NUMBER: _ClassVar[int]
    index: int
    values: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, index: _Optional[int] = ..., values: _Optional[_Iterable[float]] = ...) -> None: ...

class TokenCount(_message.Message):
    __slots__ = ("input_tokens", "source")
    INPUT_TOKENS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    input_tokens: int
    source: CountSource
    def __init__(self, input_tokens: _Optional[int] = ..., source: _Optional[_Union[CountSource, str]] = ...) -> None: ...
