"""Answers, whole and in chunks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall, Usage
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.words import digest, words
from llm_mesh_simulator.provider.gemini import proofs
from llm_mesh_simulator.provider.reply import AnswerIdentity

_FINISHES: Final = {
    Finish.STOP: "STOP",
    Finish.SEQUENCE: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOLS: "STOP",
    Finish.REFUSAL: "SAFETY",
}
Part = dict[str, object]


@dataclass(frozen=True, slots=True)
class CandidateForm:
    """What of the answer's form the request settles."""

    show_thoughts: bool = False
    logprobs: int | None = None
    """How many alternatives to show per token; None: no log probabilities."""
    partial: bool = False
    """Whether arguments of functions are streamed in pieces."""
    vertex: bool = False


def frame(
    model: str, identity: AnswerIdentity, candidates: Sequence[Mapping[str, object]], used: Usage | None, form: CandidateForm
) -> Part:
    """What answers and chunks of them have in common."""
    made: Part = {"candidates": list(candidates)} if candidates else {}
    if used is not None:
        made["usageMetadata"] = usage(used, form)
    return {**made, "modelVersion": model, "responseId": identity.number}


def whole(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: CandidateForm, identity: AnswerIdentity) -> Part:
    """The answer to a request without a stream."""
    candidates = [candidate(index, choice, parts(model, choice, form), form) | end(choice, behaviour) for index, choice in _each(answer)]
    return frame(model, identity, candidates, answer.usage, form)


def candidate(index: int, choice: Choice, content: Sequence[Part], form: CandidateForm) -> Part:
    """One candidate as an answer has it, or as a chunk has what is new of it."""
    made: Part = {"index": index}
    if content:
        made["content"] = {"parts": list(content), "role": "model"}
    if form.logprobs is not None and choice.text:
        made["logprobsResult"] = logprobs(choice.text, form.logprobs)
    return made


def end(choice: Choice, behaviour: Behaviour) -> Part:
    """Why a candidate ended."""
    return {"finishReason": behaviour.finish or _FINISHES[choice.finish]}


def parts(model: str, choice: Choice, form: CandidateForm) -> list[Part]:
    """The parts of a candidate. A provider withholds the text of what it does not want to be said."""
    made: list[Part] = []
    if choice.reasoning and form.show_thoughts:
        made.append({"text": "".join(choice.reasoning), "thought": True})
    if choice.text and choice.finish is not Finish.REFUSAL:
        text = "".join(choice.text)
        signed: Part = {"thoughtSignature": proofs.of_text(model, text)} if choice.reasoning else {}
        made.append({"text": text, **signed})
    for number, call in enumerate(choice.calls):
        made.append({"functionCall": {"name": call.name, "args": arguments(call)}, **signature(model, call, number)})
    return made


def signature(model: str, call: ToolCall, number: int) -> Part:
    """What proves a call: of several at once, the first has it."""
    return {} if number else {"thoughtSignature": proofs.of_call(model, call.name, arguments(call))}


def arguments(call: ToolCall) -> dict[str, object]:
    """The arguments of a call; none of what was cut off by the limit."""
    try:
        value = orjson.loads("".join(call.arguments))
    except orjson.JSONDecodeError:
        return {}
    return value if isinstance(value, dict) else {}


def usage(used: Usage, form: CandidateForm) -> Part:
    """Usage: thoughts are no part of the candidates."""
    made: Part = {
        "promptTokenCount": used.prompt,
        "candidatesTokenCount": max(0, used.completion - used.reasoning),
        "totalTokenCount": used.prompt + used.completion,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": used.prompt}],
    }
    if used.reasoning:
        made["thoughtsTokenCount"] = used.reasoning
    if used.cached:
        made["cachedContentTokenCount"] = used.cached
    if form.vertex:
        made["trafficType"] = "ON_DEMAND"
    return made


def logprobs(text: Sequence[str], top: int) -> Part:
    """Log probabilities of tokens; made up, but the same each time."""
    chosen = [{"token": token, "tokenId": digest(token)[0], "logProbability": _sure(token)} for token in text]
    made: Part = {"chosenCandidates": chosen}
    if top:
        made["topCandidates"] = [{"candidates": list(_alternatives(token, top))} for token in text]
    return made


def _alternatives(token: str, top: int) -> Iterator[Part]:
    yield {"token": token, "tokenId": digest(token)[0], "logProbability": _sure(token)}
    for rank, word in enumerate(words(top - 1, "top", token)):
        yield {"token": word, "tokenId": digest(word)[0], "logProbability": _sure(token) - 1.5 - 0.25 * rank}


def _sure(token: str) -> float:
    return -round(digest("logprob", token)[0] / 1024, 6)


def _each(answer: SimulatedAnswer) -> Iterator[tuple[int, Choice]]:
    return enumerate(answer.choices)
