"""How much the model shall think, from the typed payload to the dialect: a level for newer models, a number of tokens for older ones.

A wish in one form becomes the nearest in the other. What a level is in tokens, Google says itself of its own endpoint in OpenAI's dialect.
"""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.gemini.quirks import GeminiQuirks
from llm_mesh_dialects.report import Report

_EFFORT: Final = "reasoning.effort"
_BUDGET: Final = "reasoning.budget_tokens"
_TOKENS: Final = {"minimal": 1_024, "low": 1_024, "medium": 8_192, "high": 24_576, "xhigh": 32_768, "max": 32_768}
_LEVELS: Final = ((1_024, "low"), (8_192, "medium"))
"""Up to so many tokens, a level; more is `high`."""
_NEARER: Final = {"none": "minimal", "minimal": "low", "max": "xhigh", "xhigh": "high", "medium": "high"}
_LEAST_ANSWER: Final = 4
"""A fourth of the limit stays for the answer, where a number of tokens stands for an effort."""


def thinking_config(request: generate_pb2.GenerateInput, quirks: GeminiQuirks, limit: int, report: Report) -> dict[str, Any]:
    """The `thinkingConfig`; empty where nothing is said. `limit` is that of the answer, of which thinking is a part."""
    effort, budget = request.reasoning.effort, request.reasoning.budget_tokens
    if not effort and not budget:
        return {}
    if quirks.thinking == "none":
        if effort != "none":
            report.dropped(_EFFORT if effort else _BUDGET, "the model does not think")
        return {}
    if quirks.thinking == "budget":
        return _budgeted(effort, budget, quirks, limit, report)
    if effort and budget:
        report.dropped(_BUDGET, "the model takes an effort, not a number of tokens")
    return _levelled(effort, quirks, report) if effort else _nearest_level(budget, quirks, report)


def _budgeted(effort: str, budget: int, quirks: GeminiQuirks, limit: int, report: Report) -> dict[str, Any]:
    if budget:
        fitting = min(max(budget, quirks.least_budget), quirks.most_budget)
        if fitting != budget:
            report.approximated(_BUDGET, f"the model takes {quirks.least_budget} to {quirks.most_budget} tokens")
        return {"thinkingBudget": fitting, "includeThoughts": True}
    if effort == "none":
        if quirks.least_budget:
            report.approximated(_EFFORT, f"the model always thinks: at least {quirks.least_budget} tokens")
        return {"thinkingBudget": quirks.least_budget}
    tokens = _TOKENS.get(effort)
    if tokens is None:
        report.dropped(_EFFORT, f"the model knows no effort {effort}")
        return {}
    most = min(quirks.most_budget, limit - limit // _LEAST_ANSWER) if limit else quirks.most_budget
    report.approximated(_EFFORT, "the model takes a number of tokens, not an effort")
    return {"thinkingBudget": max(quirks.least_budget, min(tokens, most)), "includeThoughts": True}


def _levelled(effort: str, quirks: GeminiQuirks, report: Report) -> dict[str, Any]:
    level = effort
    while level not in quirks.levels and level in _NEARER:
        level = _NEARER[level]
    if level not in quirks.levels:
        report.dropped(_EFFORT, f"the model knows no effort {effort}")
        return {}
    if level != effort:
        report.approximated(_EFFORT, f"the nearest effort of the model is {level}")
    return {"thinkingLevel": level.upper(), **({} if effort == "none" else {"includeThoughts": True})}


def _nearest_level(budget: int, quirks: GeminiQuirks, report: Report) -> dict[str, Any]:
    level = next((level for most, level in _LEVELS if budget <= most), "high")
    level = level if level in quirks.levels else _NEARER[level]
    report.approximated(_BUDGET, f"the model takes an effort, not a number of tokens: {level}")
    return {"thinkingLevel": level.upper(), "includeThoughts": True}
