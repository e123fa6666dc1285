"""How much the model shall think: each family of models has a key of its own for it."""

from __future__ import annotations

from typing import Any, Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic.requests.thinking_writing import ThinkingRoom, think
from llm_mesh_dialects.bedrock.families import Family
from llm_mesh_dialects.bedrock.requests.messages_writing import MessagesWriter
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.report import Report

_THREE: Final = {"none": "low", "minimal": "low", "low": "low", "medium": "medium", "high": "high", "xhigh": "high", "max": "high"}
"""The efforts of models that know three."""


def reasoning(
    body: dict[str, Any],
    fields: dict[str, Any],
    request: generate_pb2.GenerateInput,
    family: Family,
    conversation: MessagesWriter,
    report: Report,
) -> None:
    """Writes the wish into the body, or into the model's own `fields`."""
    if family.claude is not None:
        _of_claude(body, fields, request, family, conversation, report)
        return
    effort, budget = request.reasoning.effort, request.reasoning.budget_tokens
    if budget and family.budget:
        fields["thinking"] = {"type": "enabled", "budget_tokens": budget}
    elif budget:
        report.dropped("reasoning.budget_tokens", "the model takes no budget")
    if not effort:
        return
    if family.effort == "outputConfig":
        body.setdefault("outputConfig", {})["effort"] = effort
    elif family.effort == "reasoning_effort":
        fields["reasoning_effort"] = _nearest(effort, report)
    elif family.effort == "reasoningConfig":
        off = effort == "none"
        fields["reasoningConfig"] = {"type": "disabled"} if off else {"type": "enabled", "maxReasoningEffort": _nearest(effort, report)}
    else:
        report.dropped("reasoning.effort", "the model takes no effort")


def _of_claude(
    body: dict[str, Any],
    fields: dict[str, Any],
    request: generate_pb2.GenerateInput,
    family: Family,
    conversation: MessagesWriter,
    report: Report,
) -> None:
    """As Claude is asked by its maker, at the places where it is asked here."""
    if family.claude is None:
        return
    obstacle = ""
    if conversation.begins_answer:
        obstacle = "a model does not think in an answer that is begun already"
    elif conversation.continues_calls_without_thinking:
        obstacle = "the provider wants its own proof of the thinking before the tool call, which the request has not"
    limit = int(body["inferenceConfig"].get("maxTokens", 0))
    written: dict[str, Any] = {}
    think(written, request, family.claude, ThinkingRoom(limit, obstacle, own=request.source_dialect == DIALECT), report)
    if "thinking" in written:
        fields["thinking"] = written["thinking"]
    effort = written.get("output_config", {}).get("effort")
    if effort:
        body.setdefault("outputConfig", {})["effort"] = effort


def _nearest(effort: str, report: Report) -> str:
    nearest = _THREE.get(effort, effort)
    if nearest != effort:
        report.approximated("reasoning.effort", f"{nearest} is the nearest effort that the model takes")
    return nearest
