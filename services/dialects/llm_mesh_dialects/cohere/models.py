"""What the provider says of its models in `GET /v1/models`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count

_ENDPOINTS: Final[Mapping[str, Sequence[str]]] = {
    "chat": ("generate", "streaming", "seed"),
    "embed": ("embeddings",),
    "rerank": ("rerank",),
}
_FEATURES: Final[Mapping[str, Sequence[str]]] = {
    "tools": ("tools", "parallel_tool_calls"),
    "json_mode": ("json_object",),
    "json_schema": ("json_schema",),
    "logprobs": ("logprobs",),
    "vision": ("image_input",),
    "reasoning": ("reasoning",),
}


class ListedModel(NamedTuple):
    """What the list says of a model."""

    name: str
    capabilities: list[str]
    """In the registry's words."""
    context_window: int
    """0: not said."""


def listed(body: object) -> Iterator[ListedModel]:
    """All models that can be called."""
    for each in Fields(body).each("models"):
        endpoints = [word for word in each.items("endpoints") if isinstance(word, str)]
        features = [word for word in each.items("features") if isinstance(word, str)]
        words = [capability for word in endpoints for capability in _ENDPOINTS.get(word, ())]
        if "generate" in words:
            words += [capability for word in features for capability in _FEATURES.get(word, ())]
        yield ListedModel(each.required_text("name"), list(dict.fromkeys(words)), loose_count(each.raw("context_length")) or 0)
