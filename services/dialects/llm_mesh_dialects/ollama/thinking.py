"""Whether and how much a model thinks: `think` is true or false, and for some models a level."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.report import Report

_WITH_LEVELS: Final = "gpt-oss"
"""These models think in three levels and cannot leave it; all others do, or do not."""
_LEVELS: Final = {"none": "low", "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
_LOW, _MEDIUM = 2_048, 8_192
"""Tokens up to which a budget is low, or medium."""


def think(body: dict[str, Any], reasoning: generate_pb2.ReasoningOptions, model: str, report: Report) -> None:
    """Writes `think`."""
    effort, budget = reasoning.effort, reasoning.budget_tokens
    if not effort and not budget:
        return
    field = "reasoning.effort" if effort else "reasoning.budget_tokens"
    if _WITH_LEVELS in model.lower():
        level = _LEVELS.get(effort) or _level_of(budget)
        if level != effort:
            report.approximated(field, f"the nearest level of the model is {level}")
        body["think"] = level
        return
    body["think"] = effort != "none"
    if body["think"]:
        report.approximated(field, "the model thinks, or does not: it takes no effort and no number of tokens")


def _level_of(budget: int) -> str:
    return "low" if budget <= _LOW else "medium" if budget <= _MEDIUM else "high"
