"""Lists of models, for clients."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llm_mesh_dialects.gemini.requests.reading import MODELS


def page(models: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The answer to `GET /models`: one page with all of them."""
    return {"models": list(models)}


def model(alias: str, *, methods: Sequence[str], context: int, most_output: int) -> dict[str, Any]:
    """One model. `context` and `most_output` are tokens; 0 where they are not known."""
    known: dict[str, Any] = {"name": f"{MODELS}{alias}", "displayName": alias, "supportedGenerationMethods": list(methods)}
    limits = {"inputTokenLimit": context, "outputTokenLimit": most_output}
    return known | {key: value for key, value in limits.items() if value}
