"""Answers in chunks: as server-sent events, or as the items of one JSON array."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import orjson

from llm_mesh_simulator.domain.answer import Choice, Finish, SimulatedAnswer, ToolCall
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.gemini import candidates, proofs
from llm_mesh_simulator.provider.gemini.candidates import CandidateForm, Part
from llm_mesh_simulator.provider.gemini.errors import STREAM_ERROR
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream

_EVENT, _END = b"data: ", b"\r\n\r\n"
_COMMA: Final = b",\r\n"


def chunks(
    model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: CandidateForm, identity: AnswerIdentity, *, events: bool
) -> Stream:
    """The answer to a streamed request."""
    pieces: list[bytes] = []
    write = _event if events else _item

    def chunk(made: Sequence[Part], *, last: bool = False) -> bytes:
        used = answer.usage if last or answer.usage is None else replace(answer.usage, completion=0, reasoning=0)
        whole = orjson.dumps(candidates.frame(model, identity, made, used, form))
        return write(whole, first=not any(pieces))

    for index, choice in enumerate(answer.choices):
        for number, made in _pieces(model, index, choice, form):
            pieces += [b""] * number  # thought in silence
            if made:
                pieces.append(chunk([made]))
    endings = [
        {"index": index, **_signed_end(model, choice), **candidates.end(choice, behaviour)} for index, choice in enumerate(answer.choices)
    ]
    closing = [chunk(endings, last=True)]
    return Stream([], pieces, closing, b"" if events else b"]", write(STREAM_ERROR, first=not any(pieces)))


def _event(data: bytes, *, first: bool) -> bytes:
    del first
    return _EVENT + data + _END


def _item(data: bytes, *, first: bool) -> bytes:
    return (b"[" if first else _COMMA) + data


def _pieces(model: str, index: int, choice: Choice, form: CandidateForm) -> Iterator[tuple[int, Part]]:
    """The pieces of one candidate, each with how many tokens were thought in silence before it."""
    for token in choice.reasoning:
        if form.show_thoughts:
            yield 0, candidates.candidate(index, _mute(choice), [{"text": token, "thought": True}], form)
        else:
            yield 1, {}
    if choice.finish is not Finish.REFUSAL:
        for token in choice.text:
            yield 0, candidates.candidate(index, replace(choice, text=(token,)), [{"text": token}], form)
    for number, call in enumerate(choice.calls):
        yield from ((0, candidates.candidate(index, _mute(choice), [part], form)) for part in _call(model, call, number, form))
        if not form.partial and len(call.arguments) > 1:
            yield len(call.arguments) - 1, {}


def _mute(choice: Choice) -> Choice:
    return replace(choice, text=())


def _signed_end(model: str, choice: Choice) -> Part:
    """A text's signature comes last, at a text of its own that is empty."""
    if not choice.reasoning or not choice.text or choice.finish is Finish.REFUSAL:
        return {}
    proof = proofs.of_text(model, "".join(choice.text))
    return {"content": {"parts": [{"text": "", "thoughtSignature": proof}], "role": "model"}}


def _call(model: str, call: ToolCall, number: int, form: CandidateForm) -> Iterator[Part]:
    arguments = candidates.arguments(call)
    signed = candidates.signature(model, call, number)
    if not form.partial:
        yield {"functionCall": {"name": call.name, "args": arguments}, **signed}
        return
    yield {"functionCall": {"name": call.name, "willContinue": True}, **signed}
    for path, value in _leaves("$", arguments):
        for piece in _values(value):
            yield {"functionCall": {"partialArgs": [{"jsonPath": path, **piece}], "willContinue": True}}
    yield {"functionCall": {}}


def _leaves(path: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(f"{path}.{key}" if key.isidentifier() else f"{path}['{key}']", inner)
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(f"{path}[{index}]", inner)
    elif not isinstance(value, dict):
        yield path, value


def _values(value: object) -> Iterator[Part]:
    if isinstance(value, bool):
        yield {"boolValue": value}
    elif isinstance(value, int | float):
        yield {"numberValue": value}
    elif isinstance(value, str):
        half = len(value) // 2
        yield {"stringValue": value[:half], "willContinue": True}
        yield {"stringValue": value[half:]}
    else:
        yield {"nullValue": "NULL_VALUE"}
