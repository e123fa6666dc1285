"""Responses, whole: the object, and the items of its output."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall, Usage
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.words import digest
from llm_mesh_simulator.provider.openai.completion import logprobs
from llm_mesh_simulator.provider.openai.response_prompt import encrypted
from llm_mesh_simulator.provider.reply import AnswerIdentity

Document = dict[str, Any]
_ECHOED: Final[Mapping[str, object]] = {
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
}
"""What a response repeats of its request, and what it says where the request says nothing."""


@dataclass(frozen=True, slots=True)
class ResponseForm:
    """What of the answer's form the request settles."""

    request: Mapping[str, object]
    logprobs: int | None = None
    summary: bool = False
    """Whether a summary of the reasoning is shown."""


def frame(model: str, form: ResponseForm, identity: AnswerIdentity) -> Document:
    """The object before anything is written."""
    echoed = {key: form.request.get(key, usual) for key, usual in _ECHOED.items()}
    return {
        "id": "resp_" + identity.number,
        "object": "response",
        "created_at": identity.created,
        "status": "in_progress",
        "background": False,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        "service_tier": "default",
        "usage": None,
        **echoed,
    }


def whole(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: ResponseForm, identity: AnswerIdentity) -> Document:
    """The answer to a request without `stream`."""
    choice = answer.choices[0]
    reason = behaviour.finish or ("max_output_tokens" if choice.finish is Finish.LENGTH else "")
    document = frame(model, form, identity)
    document["status"] = "incomplete" if reason else "completed"
    document["incomplete_details"] = {"reason": reason} if reason else None
    document["output"] = items(model, choice, behaviour, form, identity)
    document["usage"] = usage(answer.usage) if answer.usage is not None else None
    document["completed_at"] = None if reason else identity.created
    return document


def items(model: str, choice: Choice, behaviour: Behaviour, form: ResponseForm, identity: AnswerIdentity) -> list[Document]:
    """The items of an output, in order."""
    listed: list[Document] = []
    if choice.reasoning:
        listed.append(reasoning(model, choice.reasoning, behaviour, form))
    if choice.text:
        listed.append(message(choice.text, behaviour, form, identity))
    listed += [tool_call(call) for call in choice.calls]
    if listed and choice.finish is Finish.LENGTH:
        listed[-1]["status"] = "incomplete"
    return listed


def reasoning(model: str, thought: Sequence[str], behaviour: Behaviour, form: ResponseForm) -> Document:
    """What was thought: shown as far as the request says, and to be sent back."""
    item_id = "rs_" + digest("reasoning", *thought).hex()[:24]
    shown = form.summary or behaviour.reasoning_content
    summary = [{"type": "summary_text", "text": "".join(thought)}] if shown else []
    return {"id": item_id, "type": "reasoning", "summary": summary, "encrypted_content": encrypted(model, item_id), "status": "completed"}


def message(text: Sequence[str], behaviour: Behaviour, form: ResponseForm, identity: AnswerIdentity) -> Document:
    """What is said."""
    content: Document = {"type": "output_text", "text": "".join(text), "annotations": [], "logprobs": shown_logprobs(text, form)}
    if behaviour.refusal:
        content = {"type": "refusal", "refusal": "".join(text)}
    return {"id": "msg_" + identity.number, "type": "message", "role": "assistant", "status": "completed", "content": [content]}


def tool_call(call: ToolCall) -> Document:
    """A call with all its arguments."""
    arguments = "".join(call.arguments)
    kind, field = ("custom_tool_call", "input") if call.custom else ("function_call", "arguments")
    prefix = "ctc_" if call.custom else "fc_"
    return {"id": prefix + call.id, "type": kind, "call_id": "call_" + call.id, "name": call.name, field: arguments, "status": "completed"}


def shown_logprobs(text: Sequence[str], form: ResponseForm) -> list[Document]:
    """Log-probabilities, where they are asked for."""
    shown = logprobs(text, form.logprobs, refused=False)
    content = shown["content"] if shown is not None else []
    return content if isinstance(content, list) else []


def usage(used: Usage) -> Document:
    """Usage with its details."""
    return {
        "input_tokens": used.prompt,
        "input_tokens_details": {"cached_tokens": used.cached, "cache_write_tokens": 0},
        "output_tokens": used.completion,
        "output_tokens_details": {"reasoning_tokens": used.reasoning},
        "total_tokens": used.prompt + used.completion,
    }
