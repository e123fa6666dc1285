"""Answers to chats: whole, or as server-sent events."""

from dataclasses import dataclass
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall, Usage
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.domain.words import digest
from llm_mesh_simulator.provider.cohere.errors import STREAM_ERROR
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream

_FINISHES: Final = {
    Finish.STOP: "COMPLETE",
    Finish.SEQUENCE: "STOP_SEQUENCE",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.TOOLS: "TOOL_CALL",
    Finish.REFUSAL: "COMPLETE",
}
_PREAMBLE: Final = 66
"""Tokens of the provider's own instructions, which it counts and does not bill."""
_PLAN: Final = "I will call tools."


@dataclass(frozen=True, slots=True)
class CohereAnswerForm:
    """What of the answer's form the request settles."""

    logprobs: bool = False
    cited: object = None
    """The document that the answer cites. None: it cites nothing."""


def whole(answer: SimulatedAnswer, behaviour: Behaviour, form: CohereAnswerForm, identity: AnswerIdentity) -> dict[str, object]:
    """The answer to a request without `stream`."""
    choice = answer.choices[0]
    message: dict[str, object] = {"role": "assistant"}
    content: list[dict[str, str]] = []
    if choice.reasoning:
        content.append({"type": "thinking", "thinking": "".join(choice.reasoning)})
    if choice.text:
        content.append({"type": "text", "text": "".join(choice.text)})
    if content:
        message["content"] = content
    if choice.calls:
        message |= {"tool_plan": _PLAN, "tool_calls": [_call(call) for call in choice.calls]}
    if form.cited is not None and choice.text:
        message["citations"] = [_citation(choice, form)]
    made: dict[str, object] = {"id": identity.number, "message": message, "finish_reason": _finish(choice, behaviour)}
    if answer.usage is not None:
        made["usage"] = usage(answer.usage)
    if form.logprobs:
        made["logprobs"] = [_logprob(token) for token in choice.text]
    return made


def events(answer: SimulatedAnswer, behaviour: Behaviour, form: CohereAnswerForm, identity: AnswerIdentity) -> Stream:
    """The answer to a request with `stream`."""
    choice = answer.choices[0]
    begun = {"role": "assistant", "content": [], "tool_plan": "", "tool_calls": [], "citations": []}
    opening = [_event("message-start", {"message": begun}, id=identity.number)]
    pieces: list[bytes] = []
    index = 0
    for kind, texts in (("thinking", choice.reasoning), ("text", choice.text)):
        if texts:
            pieces += _block(kind, texts, index, form)
            index += 1
    if choice.calls:
        pieces += _calls(choice)
    closing: list[bytes] = []
    if form.cited is not None and choice.text:
        cited = {"message": {"citations": _citation(choice, form)}}
        closing = [_event("citation-start", cited, index=0), _event("citation-end", None, index=0)]
    delta: dict[str, object] = {"finish_reason": _finish(choice, behaviour)}
    if answer.usage is not None:
        delta["usage"] = usage(answer.usage)
    return Stream(opening, pieces, closing, _event("message-end", delta, id=identity.number), STREAM_ERROR)


def usage(used: Usage) -> dict[str, object]:
    """What is billed, and what was counted."""
    return {
        "billed_units": {"input_tokens": used.prompt, "output_tokens": used.completion},
        "tokens": {"input_tokens": used.prompt + _PREAMBLE, "output_tokens": used.completion},
        "cached_tokens": used.cached,
    }


def _block(kind: str, texts: tuple[str, ...], index: int, form: CohereAnswerForm) -> list[bytes]:
    """The events of one content; one piece per token."""
    start = _event("content-start", {"message": {"content": {"type": kind, kind: ""}}}, index=index)
    made = []
    for token in texts:
        more = {"logprobs": _logprob(token)} if form.logprobs and kind == "text" else {}
        made.append(_event("content-delta", {"message": {"content": {kind: token}}}, index=index, **more))
    made[0] = start + made[0]
    made[-1] += _event("content-end", None, index=index)
    return made


def _calls(choice: Choice) -> list[bytes]:
    made: list[bytes] = []
    before = _event("tool-plan-delta", {"message": {"tool_plan": _PLAN}})
    for index, call in enumerate(choice.calls):
        opened = _call(call) | {"function": {"name": call.name, "arguments": ""}}
        before += _event("tool-call-start", {"message": {"tool_calls": opened}}, index=index)
        deltas = [
            _event("tool-call-delta", {"message": {"tool_calls": {"function": {"arguments": each}}}}, index=index)
            for each in call.arguments
        ]
        deltas = deltas or [b""]
        deltas[0] = before + deltas[0]
        deltas[-1] += _event("tool-call-end", None, index=index)
        made += deltas
        before = b""
    return made


def _event(kind: str, delta: object, **more: object) -> bytes:
    body = {"type": kind, **more} | ({"delta": delta} if delta is not None else {})
    return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(body) + b"\n\n"


def _call(call: ToolCall) -> dict[str, object]:
    return {"id": f"{call.name}_{call.id}", "type": "function", "function": {"name": call.name, "arguments": "".join(call.arguments)}}


def _finish(choice: Choice, behaviour: Behaviour) -> str:
    return behaviour.finish or _FINISHES[choice.finish]


def _citation(choice: Choice, form: CohereAnswerForm) -> dict[str, object]:
    text = "".join(choice.text)
    document = form.cited if isinstance(form.cited, dict) else {"data": {"text": form.cited}}
    identity = document.get("id") or "doc:0"
    source = {"type": "document", "id": identity, "document": {"id": identity, **document.get("data", {})}}
    return {"start": 0, "end": len(text), "text": text, "sources": [source], "type": "TEXT_CONTENT"}


def _logprob(token: str) -> dict[str, object]:
    raw = digest("logprob", token)
    return {"text": token, "token_ids": [int.from_bytes(raw[:2], "big")], "logprobs": [-round(raw[0] / 1024, 6)]}
