"""Answers, whole."""

from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall, Usage
from llm_mesh_simulator.domain.behaviour import Behaviour, Quirk
from llm_mesh_simulator.provider import quirks
from llm_mesh_simulator.provider.anthropic.prompt import signature

BLOCKED: Final = "The simulated guardrail has blocked this."
_REASONS: Final = {
    Finish.STOP: "end_turn",
    Finish.SEQUENCE: "stop_sequence",
    Finish.LENGTH: "max_tokens",
    Finish.TOOLS: "tool_use",
    Finish.REFUSAL: "content_filtered",
}
_TRACE: Final = {
    "guardrail": {
        "inputAssessment": {
            "simulated": {
                "topicPolicy": {"topics": [{"name": "Forbidden", "type": "DENY", "action": "BLOCKED", "detected": True}]},
                "wordPolicy": {"customWords": [{"match": "forbidden", "action": "BLOCKED", "detected": True}], "managedWordLists": []},
            }
        }
    }
}


@dataclass(frozen=True, slots=True)
class Form:
    """What of the answer's form the request settles."""

    blocked: bool = False
    tier: str = ""


def message(answer: SimulatedAnswer, behaviour: Behaviour, form: Form) -> dict[str, object]:
    """The answer to Converse."""
    choice = answer.choices[0]
    return {
        "output": {"message": {"role": "assistant", "content": _content(choice, form)}},
        "stopReason": stop(choice, behaviour, form),
        **metadata(answer, form),
    }


def metadata(answer: SimulatedAnswer, form: Form) -> dict[str, object]:
    """What stands beside the answer, or comes last."""
    beside: dict[str, object] = {"metrics": {"latencyMs": 1}}
    if answer.usage is not None:
        beside["usage"] = usage(answer.usage)
    if form.blocked:
        beside["trace"] = _TRACE
    if form.tier:
        beside["serviceTier"] = {"type": form.tier}
    return beside


def stop(choice: Choice, behaviour: Behaviour, form: Form) -> str:
    """Why the answer ended."""
    return behaviour.finish or ("guardrail_intervened" if form.blocked else _REASONS[choice.finish])


def call_id(call: ToolCall) -> str:
    """The id that the result of the call must name."""
    return "tooluse_" + call.id


def reasoning(choice: Choice) -> tuple[str, str]:
    """The reasoning, and its signature."""
    text = "".join(choice.reasoning)
    return text, signature(text)


def usage(used: Usage) -> dict[str, object]:
    """Usage: `inputTokens` are those that the cache had no part in."""
    written = used.written + used.written_hour
    fresh = max(0, used.prompt - used.cached - written)
    figures: dict[str, object] = {
        "inputTokens": fresh,
        "outputTokens": used.completion,
        "totalTokens": used.prompt + used.completion,
        "cacheReadInputTokens": used.cached,
        "cacheWriteInputTokens": written,
    }
    details = [{"ttl": ttl, "inputTokens": count} for ttl, count in (("5m", used.written), ("1h", used.written_hour)) if count]
    return figures | ({"cacheDetails": details} if details else {})


def padded(value: dict[str, object], behaviour: Behaviour, *, first: bool = False) -> bytes:
    """The JSON of an object, with the quirks that a behaviour wants in it."""
    return quirks.document(orjson.dumps(value), behaviour.wire if first else behaviour.wire - {Quirk.HUGE})


def _content(choice: Choice, form: Form) -> list[dict[str, object]]:
    if form.blocked:
        return [{"text": BLOCKED}]
    blocks: list[dict[str, object]] = []
    if choice.reasoning:
        text, proof = reasoning(choice)
        blocks.append({"reasoningContent": {"reasoningText": {"text": text, "signature": proof}}})
    if choice.text:
        blocks.append({"text": "".join(choice.text)})
    blocks += [{"toolUse": {"toolUseId": call_id(call), "name": call.name, "input": _input(call)}} for call in choice.calls]
    return blocks


def _input(call: ToolCall) -> object:
    try:
        return orjson.loads("".join(call.arguments))
    except orjson.JSONDecodeError:
        return {}  # cut off by maxTokens
