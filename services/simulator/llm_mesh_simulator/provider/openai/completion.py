"""Chat completions, whole."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall, Usage
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.words import digest, words
from llm_mesh_simulator.provider.reply import AnswerIdentity

FINGERPRINT: Final = "fp_simulator"
_FINISHES: Final = {
    Finish.STOP: "stop",
    Finish.SEQUENCE: "stop",
    Finish.LENGTH: "length",
    Finish.TOOLS: "tool_calls",
    Finish.REFUSAL: "stop",
}


@dataclass(frozen=True, slots=True)
class CompletionForm:
    """What of the answer's form the request settles."""

    logprobs: int | None = None
    """How many alternatives to show per token; None: no log probabilities."""
    include_usage: bool = False


def completion(
    model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: CompletionForm, identity: AnswerIdentity
) -> dict[str, object]:
    """The answer to a request without `stream`."""
    whole: dict[str, object] = {
        "id": "chatcmpl-" + identity.number,
        "object": "chat.completion",
        "created": identity.created,
        "model": model,
        "choices": [_choice(index, choice, behaviour, form) for index, choice in enumerate(answer.choices)],
    }
    if answer.usage is not None:
        whole["usage"] = usage(answer.usage)
    whole["service_tier"] = "default"
    whole["system_fingerprint"] = FINGERPRINT
    return whole


def _choice(index: int, choice: Choice, behaviour: Behaviour, form: CompletionForm) -> dict[str, object]:
    refused = behaviour.refusal
    text = "".join(choice.text)
    message: dict[str, object] = {
        "role": "assistant",
        "content": None if refused or choice.calls else text,
        "refusal": text if refused else None,
        "annotations": [],
    }
    if behaviour.reasoning_content and choice.reasoning:
        message["reasoning_content"] = "".join(choice.reasoning)
    if choice.calls:
        message["tool_calls"] = [tool_call(call) for call in choice.calls]
    return {
        "index": index,
        "message": message,
        "logprobs": logprobs(choice.text, form.logprobs, refused=refused),
        "finish_reason": finish(choice, behaviour),
    }


def finish(choice: Choice, behaviour: Behaviour) -> str:
    """The finish reason."""
    return behaviour.finish or _FINISHES[choice.finish]


def tool_call(call: ToolCall) -> dict[str, object]:
    """A tool call with all its arguments."""
    arguments = "".join(call.arguments)
    if call.custom:
        return {"id": "call_" + call.id, "type": "custom", "custom": {"name": call.name, "input": arguments}}
    return {"id": "call_" + call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}}


def usage(used: Usage) -> dict[str, object]:
    """Usage with its details."""
    return {
        "prompt_tokens": used.prompt,
        "completion_tokens": used.completion,
        "total_tokens": used.prompt + used.completion,
        "prompt_tokens_details": {"cached_tokens": used.cached, "audio_tokens": 0},
        "completion_tokens_details": {
            "reasoning_tokens": used.reasoning,
            "audio_tokens": 0,
            "accepted_prediction_tokens": 0,
            "rejected_prediction_tokens": 0,
        },
    }


def logprobs(text: Sequence[str], top: int | None, *, refused: bool) -> dict[str, object] | None:
    """Log probabilities of tokens; made up, but the same each time."""
    if top is None:
        return None
    shown = [_logprob(token, top) for token in text]
    return {"content": None if refused else shown, "refusal": shown if refused else None}


def _logprob(token: str, top: int) -> dict[str, object]:
    sure = -round(digest("logprob", token)[0] / 1024, 6)
    others = [(word, sure - 1.5 - 0.25 * rank) for rank, word in enumerate(words(max(top - 1, 0), "top", token))]
    alternatives = [(token, sure), *others][:top]
    return {**_entry(token, sure), "top_logprobs": [_entry(*each) for each in alternatives]}


def _entry(token: str, logprob: float) -> dict[str, object]:
    return {"token": token, "logprob": logprob, "bytes": list(token.encode())}
