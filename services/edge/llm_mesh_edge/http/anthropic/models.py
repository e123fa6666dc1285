"""Models in Anthropic's shape."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_dialects.anthropic import models


def listed(summaries: Sequence[gateway_pb2.ModelSummary]) -> object:
    """The list, whole, as its only page."""
    return models.page([one(each) for each in summaries])


def one(model: gateway_pb2.ModelSummary) -> dict[str, Any]:
    """One model."""
    return models.model(model.alias, created_at=datetime.fromtimestamp(model.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
