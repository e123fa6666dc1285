"""How hard a model shall think: from an effort or a number of tokens to an effort that the model has."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.report import Report

_ORDER: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
_TOKENS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768}
_KNOWN: Final[tuple[tuple[str, tuple[str, ...]], ...]] = (
    (r"(gpt-3|gpt-4|chatgpt-4|davinci|babbage)", ()),
    (r"o[134](-|$)", ("low", "medium", "high")),
    (r"gpt-5(-mini|-nano|-20\d\d|$)", ("minimal", "low", "medium", "high")),
)
"""What models of OpenAI have, by the begin of their names. Of others nothing is known."""
_LIKELY: Final = ("none", "minimal", "low", "medium", "high", "xhigh")


def efforts_of(model: str) -> Sequence[str]:
    """The efforts that a model takes, as far as its name tells."""
    name = model.lower().rpartition("/")[2]
    return next((efforts for pattern, efforts in _KNOWN if re.match(pattern, name)), _LIKELY)


def effort_for(reasoning: generate_pb2.ReasoningOptions, model: str, report: Report) -> str:
    """The nearest effort that the model has; empty where it has none."""
    field = "reasoning.effort" if reasoning.effort else "reasoning.budget_tokens"
    efforts = efforts_of(model)
    if not efforts:
        report.dropped(field, "the model does not reason")
        return ""
    requested = reasoning.effort or _of_budget(reasoning.budget_tokens)
    nearest = min(efforts, key=lambda effort: (abs(_ORDER.index(effort) - _ORDER.index(requested)), -_ORDER.index(effort)))
    if reasoning.budget_tokens and not reasoning.effort:
        report.approximated(field, f"the provider takes an effort, not a number of tokens: {nearest}")
    elif nearest != requested:
        report.approximated(field, f"the nearest effort of the model is {nearest}")
    return nearest


def _of_budget(tokens: int) -> str:
    return min(_TOKENS, key=lambda effort: abs(math.log(tokens / _TOKENS[effort])))
