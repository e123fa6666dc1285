"""Response transforms: what policy obliges the gateway to do with an answer before its caller sees it."""

from llm_mesh_gateway.domain.transforms.chain import (
    UNCHANGED,
    AnswerContext,
    ResponseChain,
    ResponseTransform,
    Transforms,
    Translations,
    chain_of,
)
from llm_mesh_gateway.domain.transforms.order import TextRun
from llm_mesh_gateway.domain.transforms.screening import ScreeningTransform
from llm_mesh_gateway.domain.transforms.texts import AnswerTexts

__all__ = [
    "UNCHANGED",
    "AnswerContext",
    "AnswerTexts",
    "ResponseChain",
    "ResponseTransform",
    "ScreeningTransform",
    "TextRun",
    "Transforms",
    "Translations",
    "chain_of",
]
