"""How much the model shall think, from the typed payload to the dialect.

Older models take a budget of tokens, newer ones an effort and decide the rest by themselves. A wish in one form becomes the
nearest in the other. A request of this dialect keeps its own way of asking; one of another dialect turns thinking on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.anthropic.quirks import AnthropicQuirks
from llm_mesh_dialects.anthropic.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_LEAST: Final = 1024
_LEAST_ANSWER: Final = 256
_BUDGETS: Final = {"minimal": 1024, "low": 2048, "medium": 8192, "high": 16384, "xhigh": 32768, "max": 32768}
_NEARER: Final = {"minimal": "low", "max": "xhigh", "xhigh": "high"}
_FORCED: Final = frozenset({content_pb2.TOOL_CHOICE_MODE_REQUIRED, content_pb2.TOOL_CHOICE_MODE_NAMED})


@dataclass(frozen=True, slots=True)
class ThinkingRoom:
    """What the rest of a request leaves for thinking."""

    limit: int
    """The limit of the answer, of which thinking is a part."""
    obstacle: str = ""
    """Why the provider would refuse thinking with this conversation; empty where it would not."""
    own: bool = False
    """The request came in this dialect: its own figures hold."""

    @property
    def most(self) -> int:
        """The largest budget that leaves something for the answer."""
        return self.limit - 1 if self.own else self.limit - max(_LEAST_ANSWER, self.limit // 4)


def think(body: dict[str, Any], request: generate_pb2.GenerateInput, quirks: AnthropicQuirks, room: ThinkingRoom, report: Report) -> None:
    """Writes `thinking` and `output_config.effort`."""
    effort, budget = request.reasoning.effort, request.reasoning.budget_tokens
    if effort == "none":
        if quirks.thinking_off:
            body["thinking"] = {"type": "disabled"}
        else:
            report.dropped("reasoning.effort", "the model always thinks")
        return
    if budget:
        _budget(body, budget, quirks, room, report)
    if not effort:
        return
    if quirks.efforts:
        _effort(body, effort, quirks, report)
    elif not quirks.budget:
        report.dropped("reasoning.effort", "the model does not think")
    unasked = request.source_dialect != DIALECT and not budget
    if unasked and request.tool_choice.mode not in _FORCED:  # which thinking does not go with
        _turn_on(body, effort, quirks, room, report)


def thinks(body: dict[str, Any]) -> bool:
    """Whether the body turns thinking on."""
    return body.get("thinking", {}).get("type") in {"enabled", "adaptive"}


def _effort(body: dict[str, Any], effort: str, quirks: AnthropicQuirks, report: Report) -> None:
    level = effort
    while level not in quirks.efforts and level in _NEARER:
        level = _NEARER[level]
    if level not in quirks.efforts:
        report.dropped("reasoning.effort", f"the model knows no effort {effort}")
        return
    if level != effort:
        report.approximated("reasoning.effort", f"the nearest effort of the model is {level}")
    body.setdefault("output_config", {})["effort"] = level


def _turn_on(body: dict[str, Any], effort: str, quirks: AnthropicQuirks, room: ThinkingRoom, report: Report) -> None:
    if quirks.adaptive:
        body["thinking"] = {"type": "adaptive"}
    elif quirks.budget and (tokens := _BUDGETS.get(effort)):
        if _impossible("reasoning.effort", room, report):
            return
        body["thinking"] = {"type": "enabled", "budget_tokens": min(tokens, room.most)}
        report.approximated("reasoning.effort", "the model takes a number of tokens, not an effort")


def _impossible(field: str, room: ThinkingRoom, report: Report) -> bool:
    if room.obstacle and not room.own:
        report.dropped(field, room.obstacle)
        return True
    if room.most < _LEAST:
        report.dropped(field, "the limit of the answer leaves no room for thinking")
        return True
    return False


def _budget(body: dict[str, Any], budget: int, quirks: AnthropicQuirks, room: ThinkingRoom, report: Report) -> None:
    field = "reasoning.budget_tokens"
    if not quirks.budget:
        if quirks.adaptive:
            body["thinking"] = {"type": "adaptive"}
            report.approximated(field, "the model decides by itself how much to think")
        else:
            report.dropped(field, "the model does not think")
        return
    if _impossible(field, room, report):
        return
    fitting = min(max(budget, _LEAST), room.most)
    if fitting != budget:
        report.approximated(field, f"at least {_LEAST}, and below the limit of the answer")
    body["thinking"] = {"type": "enabled", "budget_tokens": fitting}
