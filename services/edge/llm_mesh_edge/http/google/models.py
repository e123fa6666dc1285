"""Models in Google's shape."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.gemini import models

_METHODS = (
    ("generate", ("generateContent", "streamGenerateContent", "countTokens")),
    ("embeddings", ("embedContent", "batchEmbedContents")),
)
"""What of the dialect serves a capability."""


def listed(summaries: Sequence[gateway_pb2.ModelSummary]) -> object:
    """The list, whole, as its only page."""
    return models.page([one(each) for each in summaries])


def one(model: gateway_pb2.ModelSummary) -> dict[str, object]:
    """One model."""
    methods = [method for capability, named in _METHODS if capability in model.capabilities for method in named]
    return models.model(model.alias, methods=methods, context=model.context_window, most_output=model.max_output_tokens)
