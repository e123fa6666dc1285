"""Lists of models, at the Gemini API and at Vertex."""

from collections.abc import Mapping, Sequence
from typing import Final

_METHODS: Final = ["generateContent", "countTokens", "batchEmbedContents"]


def model(name: str) -> dict[str, object]:
    """A model as the Gemini API describes it."""
    return {
        "name": f"models/{name}",
        "displayName": f"{name} (simulator)",
        "inputTokenLimit": 1_048_576,
        "outputTokenLimit": 65_536,
        "supportedGenerationMethods": _METHODS,
        "thinking": True,
    }


def models(known: Sequence[str], query: Mapping[str, str], *, vertex: bool) -> dict[str, object]:
    """A page of models."""
    size = query.get("pageSize", "")
    shown = known[: int(size) if size.isdigit() and int(size) else 50]
    if vertex:
        return {"publisherModels": [{"name": f"publishers/google/models/{name}"} for name in shown]}
    return {"models": [model(name) for name in shown]}
