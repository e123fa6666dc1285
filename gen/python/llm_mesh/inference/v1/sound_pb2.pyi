from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SpeakInput(_message.Message):
    __slots__ = ("model", "text", "voice", "instructions", "format", "speed", "end_user", "source_dialect", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    VOICE_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    SPEED_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    text: str
    voice: str
    instructions: str
    format: str
    speed: float
    end_user: str
    source_dialect: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., text: _Optional[str] = ..., voice: _Optional[str] = ..., instructions: _Optional[str] = ..., format: _Optional[str] = ..., speed: _Optional[float] = ..., end_user: _Optional[str] = ..., source_dialect: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class SpeakOutput(_message.Message):
    __slots__ = ("model", "sound", "mime_type", "usage", "translations", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SOUND_FIELD_NUMBER: _ClassVar[int]
    MIME_TYPE_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    sound: bytes
    mime_type: str
    usage: _generate_pb2.Usage
    translations: _containers.RepeatedCompositeFieldContainer[_generate_pb2.Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., sound: _Optional[bytes] = ..., mime_type: _Optional[str] = ..., usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., translations: _Optional[_Iterable[_Union[_generate_pb2.Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class TranscribeInput(_message.Message):
    __slots__ = ("model", "sound", "languages", "prompt", "keywords", "temperature", "segments", "words", "speakers", "end_user", "source_dialect", "extras", "to_english")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    SOUND_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    PROMPT_FIELD_NUMBER: _ClassVar[int]
    KEYWORDS_FIELD_NUMBER: _ClassVar[int]
    TEMPERATURE_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    SPEAKERS_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    TO_ENGLISH_FIELD_NUMBER: _ClassVar[int]
    model: str
    sound: _content_pb2.Media
    languages: _containers.RepeatedScalarFieldContainer[str]
    prompt: str
    keywords: _containers.RepeatedScalarFieldContainer[str]
    temperature: float
    segments: bool
    words: bool
    speakers: bool
    end_user: str
    source_dialect: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    to_english: bool
    def __init__(self, model: _Optional[str] = ..., sound: _Optional[_Union[_content_pb2.Media, _Mapping]] = ..., languages: _Optional[_Iterable[str]] = ..., prompt: _Optional[str] = ..., keywords: _Optional[_Iterable[str]] = ..., temperature: _Optional[float] = ..., segments: _Optional[bool] = ..., words: _Optional[bool] = ..., speakers: _Optional[bool] = ..., end_user: _Optional[str] = ..., source_dialect: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ..., to_english: _Optional[bool] = ...) -> None: ...

class TranscribeOutput(_message.Message):
    __slots__ = ("model", "text", "languages", "duration_milliseconds", "segments", "words", "usage", "translations", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    LANGUAGES_FIELD_NUMBER: _ClassVar[int]
    DURATION_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    WORDS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    text: str
    languages: _containers.RepeatedScalarFieldContainer[str]
    duration_milliseconds: int
    segments: _containers.RepeatedCompositeFieldContainer[TranscribedSegment]
    words: _containers.RepeatedCompositeFieldContainer[TranscribedWord]
    usage: _generate_pb2.Usage
    translations: _containers.RepeatedCompositeFieldContainer[_generate_pb2.Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., text: _Optional[str] = ..., languages: _Optional[_Iterable[str]] = ..., duration_milliseconds: _Optional[int] = ..., segments: _Optional[_Iterable[_Union[TranscribedSegment, _Mapping]]] = ..., words: _Optional[_Iterable[_Union[TranscribedWord, _Mapping]]] = ..., usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., translations: _Optional[_Iterable[_Union[_generate_pb2.Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class TranscribedSegment(_message.Message):
    __slots__ = ("start_milliseconds", "end_milliseconds", "text", "speaker", "extras")
    START_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    END_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SPEAKER_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    start_milliseconds: int
    end_milliseconds: int
    text: str
    speaker: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, start_milliseconds: _Optional[int] = ..., end_milliseconds: _Optional[int] = ..., text: _Optional[str] = ..., speaker: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class TranscribedWord(_message.Message):
    __slots__ = ("start_milliseconds", "end_milliseconds", "text")
    START_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    END_MILLISECONDS_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    start_milliseconds: int
    end_milliseconds: int
    text: str
    def __init__(self, start_milliseconds: _Optional[int] = ..., end_milliseconds: _Optional[int] = ..., text: _Optional[str] = ...) -> None: ...
