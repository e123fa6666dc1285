"""Models in OpenAI's shape."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.gateway.v1 import gateway_pb2


def listed(models: Sequence[gateway_pb2.ModelSummary]) -> object:
    """The list, whole: the dialect knows no pages."""
    return {"object": "list", "data": [one(each) for each in models]}


def one(model: gateway_pb2.ModelSummary) -> dict[str, object]:
    """One model."""
    known: dict[str, object] = {"id": model.alias, "object": "model", "created": model.created, "owned_by": model.owner}
    extension = {
        "capabilities": list(model.capabilities),
        "context_window": model.context_window,
        "max_output_tokens": model.max_output_tokens,
    }
    members = {key: value for key, value in extension.items() if value}
    return known | ({"llm_mesh": members} if members else {})
