from llm_mesh.inference.v1 import content_pb2 as _content_pb2
from llm_mesh.inference.v1 import generate_pb2 as _generate_pb2
from llm_mesh.mesh.v1 import rules_pb2 as _rules_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AssessInput(_message.Message):
    __slots__ = ("model", "state", "questions", "prompt_cache_key", "end_user", "source_dialect", "extras")
    MODEL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    QUESTIONS_FIELD_NUMBER: _ClassVar[int]
    PROMPT_CACHE_KEY_FIELD_NUMBER: _ClassVar[int]
    END_USER_FIELD_NUMBER: _ClassVar[int]
    SOURCE_DIALECT_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    model: str
    state: _containers.RepeatedCompositeFieldContainer[_content_pb2.Message]
    questions: _containers.RepeatedCompositeFieldContainer[AssessQuestion]
    prompt_cache_key: str
    end_user: str
    source_dialect: str
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, model: _Optional[str] = ..., state: _Optional[_Iterable[_Union[_content_pb2.Message, _Mapping]]] = ..., questions: _Optional[_Iterable[_Union[AssessQuestion, _Mapping]]] = ..., prompt_cache_key: _Optional[str] = ..., end_user: _Optional[str] = ..., source_dialect: _Optional[str] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class AssessQuestion(_message.Message):
    __slots__ = ("name", "instructions", "predicate", "choice", "score")
    NAME_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    PREDICATE_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    name: str
    instructions: _containers.RepeatedCompositeFieldContainer[_content_pb2.Part]
    predicate: PredicateQuestion
    choice: ChoiceQuestion
    score: ScoreQuestion
    def __init__(self, name: _Optional[str] = ..., instructions: _Optional[_Iterable[_Union[_content_pb2.Part, _Mapping]]] = ..., predicate: _Optional[_Union[PredicateQuestion, _Mapping]] = ..., choice: _Optional[_Union[ChoiceQuestion, _Mapping]] = ..., score: _Optional[_Union[ScoreQuestion, _Mapping]] = ...) -> None: ...

class PredicateQuestion(_message.Message):
    __slots__ = ("true_description", "false_description")
    TRUE_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    FALSE_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    true_description: str
    false_description: str
    def __init__(self, true_description: _Optional[str] = ..., false_description: _Optional[str] = ...) -> None: ...

class ChoiceQuestion(_message.Message):
    __slots__ = ("options",)
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[ChoiceOption]
    def __init__(self, options: _Optional[_Iterable[_Union[ChoiceOption, _Mapping]]] = ...) -> None: ...

class ChoiceOption(_message.Message):
    __slots__ = ("text", "truth", "description")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    TRUTH_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    text: str
    truth: bool
    description: str
    def __init__(self, text: _Optional[str] = ..., truth: _Optional[bool] = ..., description: _Optional[str] = ...) -> None: ...

class ScoreQuestion(_message.Message):
    __slots__ = ("levels",)
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    levels: _containers.RepeatedCompositeFieldContainer[ScoreLevel]
    def __init__(self, levels: _Optional[_Iterable[_Union[ScoreLevel, _Mapping]]] = ...) -> None: ...

class ScoreLevel(_message.Message):
    __slots__ = ("label", "description")
    LABEL_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    label: str
    description: str
    def __init__(self, label: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class AssessOutput(_message.Message):
    __slots__ = ("id", "model", "answers", "usage", "translations", "extras")
    ID_FIELD_NUMBER: _ClassVar[int]
    MODEL_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    USAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSLATIONS_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    id: str
    model: str
    answers: _containers.RepeatedCompositeFieldContainer[AssessAnswer]
    usage: _generate_pb2.Usage
    translations: _containers.RepeatedCompositeFieldContainer[_generate_pb2.Translation]
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, id: _Optional[str] = ..., model: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[AssessAnswer, _Mapping]]] = ..., usage: _Optional[_Union[_generate_pb2.Usage, _Mapping]] = ..., translations: _Optional[_Iterable[_Union[_generate_pb2.Translation, _Mapping]]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class AssessAnswer(_message.Message):
    __slots__ = ("name", "predicate", "choice", "score", "refusal", "extras")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PREDICATE_FIELD_NUMBER: _ClassVar[int]
    CHOICE_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    REFUSAL_FIELD_NUMBER: _ClassVar[int]
    EXTRAS_FIELD_NUMBER: _ClassVar[int]
    name: str
    predicate: PredicateAnswer
    choice: ChoiceAnswer
    score: ScoreAnswer
    refusal: AssessRefusal
    extras: _containers.RepeatedCompositeFieldContainer[_content_pb2.Extra]
    def __init__(self, name: _Optional[str] = ..., predicate: _Optional[_Union[PredicateAnswer, _Mapping]] = ..., choice: _Optional[_Union[ChoiceAnswer, _Mapping]] = ..., score: _Optional[_Union[ScoreAnswer, _Mapping]] = ..., refusal: _Optional[_Union[AssessRefusal, _Mapping]] = ..., extras: _Optional[_Iterable[_Union[_content_pb2.Extra, _Mapping]]] = ...) -> None: ...

class PredicateAnswer(_message.Message):
    __slots__ = ("probability",)
    PROBABILITY_FIELD_NUMBER: _ClassVar[int]
    probability: float
    def __init__(self, probability: _Optional[float] = ...) -> None: ...

class ChoiceAnswer(_message.Message):
    __slots__ = ("option", "confidence", "probabilities")
    OPTION_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    option: int
    confidence: float
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, option: _Optional[int] = ..., confidence: _Optional[float] = ..., probabilities: _Optional[_Iterable[float]] = ...) -> None: ...

class ScoreAnswer(_message.Message):
    __slots__ = ("score", "confidence", "probabilities")
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    PROBABILITIES_FIELD_NUMBER: _ClassVar[int]
    score: float
    confidence: float
    probabilities: _containers.RepeatedScalarFieldContainer[float]
    def __init__(self, score: _Optional[float] = ..., confidence: _Optional[float] = ..., probabilities: _Optional[_Iterable[float]] = ...) -> None: ...

class AssessRefusal(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: str
    def __init__(self, text: _Optional[str] = ...) -> None: ...
