from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GenerateImageInput(_message.Message):
    __slots__ = ("model", "prompt", "count", "size", "quality", "mime_type", "background", "compression", "style", "end_user", "source_dialect", "extras", "images", "mask")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    COMPRESSION_FIELD_NUMBER: _ClassVar[int]
    STYLE_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    MASK_FIELD_NUMBER: _ClassVar[int]
    model: str
    prompt: str
    count: int
    size: str
    quality: str
    mime_type: str
    background: str
    compression: int
    style: str
    end_user: str
    source_dialect: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    images: _containers.RepeatedCompositeFieldContainer[_content_pb2.Media]
    mask: _content_pb2.Media
    def __init__(self, model: _Optional[str] = ..., prompt: _Optional[str] = ..., count: _Optional[int] = ..., size: _Optional[str] = ..., quality: _Optional[str] = ..., mime_type: _Optional[str] = ..., background: _Optional[str] = ..., compression: _Optional[int] = ..., style: _Optional[str] = ..., end_user: _Optional[str] = ..., source_dialect: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ..., images: _Optional[_Iterable[_Union[_content_pb2.Media, _Mapping]]] = ..., mask: _Optional[_Union[_content_pb2.Media, _Mapping]] = ...) -> None: ...

class GenerateImageOutput(_message.Message):
    __slots__ = ("model", "created", "images", "size", "quality", "usage", "translations", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    CREATED_FIELD_NUMBER: _ClassVar[int]
    IMAGES_FIELD_NUMBER: _ClassVar[int]
    SIZE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    created: int
    images: _containers.RepeatedCompositeFieldContainer[GeneratedImage]
    size: str
    quality: str
    usage: _generate_pb2.Usage
    translations: _containers.RepeatedCompositeFieldContainer[_generate_pb2.Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., created: _Optional[int] = ..., images: _Optional[_Iterable[_Union[GeneratedImage, _Mapping]]] = ..., size: _Optional[str] = ..., quality: _Optional[str] = ..., usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., translations: _Optional[_Iterable[_Union[_generate_pb2.Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class GeneratedImage(_message.Message):
    __slots__ = ("image", "revised_prompt", "extras")
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    REVISED_PROMPT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    image: _content_pb2.Media
    revised_prompt: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, image: _Optional[_Union[_content_pb2.Media, _Mapping]] = ..., revised_prompt: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...
