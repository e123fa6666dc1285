"""The keys of Cohere's dialect that the typed payload does not model: which go on, which are refused, and why.

Read in Cohere's API reference and in its Python library 7.3.1, in November 2026. docs/extras.md is made of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from llm_mesh_dialects.allowing import KeyRule, Table, costly, safe
from llm_mesh_dialects.cohere.vocabulary import DIALECT

_PRIORITY: Final = safe("says how early the request is handled; unset is the earliest")

_REQUEST: Final[Mapping[str, KeyRule]] = {
    "documents": safe("texts that the answer may cite; counted as input"),
    "citation_options": safe("how the answer cites", inner=("mode",)),
    "safety_mode": costly("it turns the provider's guards off", harmless=("CONTEXTUAL", "STRICT")),
    "strict_tools": safe("arguments follow their schemas"),
    "thinking": safe("reasoning counts as output, within the limit of the answer", inner=("type", "token_budget")),
    "priority": _PRIORITY,
}
_EMBEDDINGS: Final[Mapping[str, KeyRule]] = {
    "embedding.input_type": safe("what the vectors are for"),
    "embedding.truncate": safe("what happens to texts that are too long"),
    "embedding.max_tokens": safe("how much of a text is read"),
    "embedding.priority": _PRIORITY,
}
_RERANKING: Final[Mapping[str, KeyRule]] = {
    "rerank.relevant_spans": safe("asks for the places of a document that answer the query"),
    "rerank.priority": _PRIORITY,
}

TABLE: Final = Table(DIALECT, {**_REQUEST, **_EMBEDDINGS, **_RERANKING})
"""All keys, by name."""
