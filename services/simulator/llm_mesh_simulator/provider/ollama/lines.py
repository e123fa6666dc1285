"""Answers to chats: one object, or one in each line, of which the last has the counts."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.ollama.errors import STREAM_ERROR
from llm_mesh_simulator.provider.openai.completion import logprobs
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream

_NANOS: Final = 10**9
_DURATIONS: Final = {"total_duration": 2_000_000, "load_duration": 1_000_000, "prompt_eval_duration": 500_000, "eval_duration": 500_000}


@dataclass(frozen=True, slots=True)
class OllamaAnswerForm:
    """What of the answer's form the request settles."""

    logprobs: int | None = None
    """How many alternatives to show per token; None: no log probabilities."""


def whole(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: OllamaAnswerForm, identity: AnswerIdentity) -> dict[str, object]:
    """The answer to a request without `stream`."""
    choice = answer.choices[0]
    message: dict[str, object] = {"role": "assistant", "content": "".join(choice.text)}
    if choice.reasoning:
        message["thinking"] = "".join(choice.reasoning)
    if choice.calls:
        message["tool_calls"] = _calls(choice)
    made: dict[str, object] = {"model": model, "created_at": _moment(identity), "message": message, **_end(choice, answer, behaviour)}
    if form.logprobs is not None:
        made["logprobs"] = _probabilities(choice.text, form.logprobs)
    return made


def lines(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: OllamaAnswerForm, identity: AnswerIdentity) -> Stream:
    """The answer to a request with `stream`."""
    choice = answer.choices[0]
    common = {"model": model, "created_at": _moment(identity)}

    def line(message: dict[str, object], **more: object) -> bytes:
        return orjson.dumps({**common, "message": {"role": "assistant", "content": "", **message}, "done": False, **more}) + b"\n"

    pieces = [line({"thinking": token}) for token in choice.reasoning]
    for token in choice.text:
        shown = {} if form.logprobs is None else {"logprobs": _probabilities([token], form.logprobs)}
        pieces.append(line({"content": token}, **shown))
    for number, call in enumerate(choice.calls):
        # A call comes in one line; its other tokens are made in silence.
        silent = [b""] * max(0, len(call.arguments) - 1)
        pieces += [*silent, line({"tool_calls": _calls(choice)[number : number + 1]})]
    end = orjson.dumps({**common, "message": {"role": "assistant", "content": ""}, **_end(choice, answer, behaviour)}) + b"\n"
    return Stream([], pieces, [], end, STREAM_ERROR)


def _calls(choice: Choice) -> list[dict[str, object]]:
    """Without ids; arguments that the limit cut off are no object, and stand in one."""
    return [{"function": {"name": call.name, "arguments": _arguments("".join(call.arguments))}} for call in choice.calls]


def _arguments(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return {"cut_off": text}


def _end(choice: Choice, answer: SimulatedAnswer, behaviour: Behaviour) -> dict[str, object]:
    reason = behaviour.finish or ("length" if choice.finish is Finish.LENGTH else "stop")
    end: dict[str, object] = {"done": True, "done_reason": reason, **_DURATIONS}
    if answer.usage is not None:
        end |= {"prompt_eval_count": answer.usage.prompt, "eval_count": answer.usage.completion}
    return end


def _probabilities(text: Sequence[str], top: int) -> object:
    shown = logprobs(text, top, refused=False)
    return shown["content"] if shown is not None else None


def _moment(identity: AnswerIdentity) -> str:
    """The time of the answer; its fraction is unlike that of any other."""
    fraction = int(identity.number[-9:], 16) % _NANOS
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(identity.created))}.{fraction:09d}Z"
