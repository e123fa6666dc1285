"""The OpenAI dialect: chat completions and embeddings, from and to the typed payload, for clients and for providers."""

from llm_mesh_dialects.openai import (
    decisions,
    embeddings,
    errors,
    images,
    moderations,
    requests,
    reranking,
    responses,
    speech,
    streams,
    transcriptions,
    vectors,
)
from llm_mesh_dialects.openai.quirks import OPENAI, OpenAIQuirks
from llm_mesh_dialects.openai.vocabulary import DIALECT

__all__ = [
    "DIALECT",
    "OPENAI",
    "OpenAIQuirks",
    "decisions",
    "embeddings",
    "errors",
    "images",
    "moderations",
    "requests",
    "reranking",
    "responses",
    "speech",
    "streams",
    "transcriptions",
    "vectors",
]
