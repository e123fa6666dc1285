"""Messages, whole."""

from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall, Usage
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.anthropic.context import ContextEdits
from llm_mesh_simulator.provider.anthropic.prompt import signature
from llm_mesh_simulator.provider.reply import AnswerIdentity

_REASONS: Final = {
    Finish.STOP: "end_turn",
    Finish.SEQUENCE: "stop_sequence",
    Finish.LENGTH: "max_tokens",
    Finish.TOOLS: "tool_use",
    Finish.REFUSAL: "refusal",
}


@dataclass(frozen=True, slots=True)
class MessageForm:
    """What of the answer's form the request settles."""

    show_thinking: bool = True
    context: ContextEdits | None = None


def message(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: MessageForm, identity: AnswerIdentity) -> dict[str, object]:
    """The answer to a request without `stream`."""
    choice = answer.choices[0]
    whole: dict[str, object] = {
        "id": "msg_" + identity.number,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": _content(choice, form),
        **stop(choice, behaviour),
    }
    if answer.usage is not None:
        whole["usage"] = {**usage(answer.usage), **iterations(answer.usage, form)}
    if form.context is not None:
        whole["context_management"] = form.context.response
    return whole


def iterations(used: Usage, form: MessageForm) -> dict[str, object]:
    """The parts of the bill, where there are several."""
    return {"iterations": form.context.iterations(used)} if form.context is not None and form.context.compacted else {}


def stop(choice: Choice, behaviour: Behaviour) -> dict[str, object]:
    """Why the message ended."""
    reason = behaviour.finish or _REASONS[choice.finish]
    details = {"type": "refusal", "category": None, "explanation": None} if reason == "refusal" else None
    return {"stop_reason": reason, "stop_sequence": choice.stop_sequence, "stop_details": details}


def thinking(choice: Choice, form: MessageForm) -> tuple[str, str]:
    """The thinking that is shown, and its signature."""
    text = "".join(choice.reasoning) if form.show_thinking else ""
    return text, signature(text)


def call_id(call: ToolCall) -> str:
    """The id that the result of the call must name."""
    return "toolu_" + call.id


def _content(choice: Choice, form: MessageForm) -> list[dict[str, object]]:
    blocks: list[dict[str, object]] = []
    if form.context is not None and form.context.compacted:
        blocks.append(form.context.block)
    if choice.reasoning:
        text, proof = thinking(choice, form)
        blocks.append({"type": "thinking", "thinking": text, "signature": proof})
    if choice.text:
        blocks.append({"type": "text", "text": "".join(choice.text)})
    blocks += [{"type": "tool_use", "id": call_id(call), "name": call.name, "input": _input(call)} for call in choice.calls]
    return blocks


def _input(call: ToolCall) -> object:
    try:
        return orjson.loads("".join(call.arguments))
    except orjson.JSONDecodeError:
        # Cut off by max_tokens: Anthropic then shows what could be read, which here is nothing.
        return {}


def usage(used: Usage) -> dict[str, object]:
    """Usage as a whole message reports it: `input_tokens` are those that the cache had no part in."""
    return {**cumulative(used), "cache_creation": _creation(used), "service_tier": "standard"}


def starting_usage(used: Usage) -> dict[str, object]:
    """Usage as the first event of a stream reports it, when one token has been made."""
    return {**usage(used), "output_tokens": min(1, used.completion), "output_tokens_details": None}


def cumulative(used: Usage) -> dict[str, object]:
    """Usage as the last events of a stream report it."""
    written = used.written + used.written_hour
    return {
        "input_tokens": max(0, used.prompt - used.cached - written),
        "cache_creation_input_tokens": written,
        "cache_read_input_tokens": used.cached,
        "output_tokens": used.completion,
        "output_tokens_details": {"thinking_tokens": used.reasoning},
    }


def _creation(used: Usage) -> dict[str, int]:
    return {"ephemeral_5m_input_tokens": used.written, "ephemeral_1h_input_tokens": used.written_hour}
