"""Items of an answer, from the dialect to parts of the typed payload.

An item of a type that is not modelled is kept whole, in its place. What a modelled item has beside its content stands at its first part.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields, unread
from llm_mesh_dialects.openai.logprobs import read_logprob
from llm_mesh_dialects.responses.proofs import OF_CALL_AFTER, OF_ITEM, proof_of_item, text_of_item
from llm_mesh_dialects.responses.vocabulary import DIALECT

CALLS: Final = frozenset({"function_call", "custom_tool_call"})
"""Items after which the model waits for the application."""
ITEM: Final = "item"
"""The extra of a message's first part that has what the message is beside its content."""
_MESSAGE: Final = frozenset({"type", "role", "content"})
_CALL: Final = frozenset({"type", "call_id", "name", "arguments"})
_STATUS: Final = "status"
"""That of an item: a stream says it too late, and the response says it as well."""

Part = content_pb2.Part


def output_parts(owner: Fields) -> Iterator[tuple[Part, list[generate_pb2.TokenLogprob]]]:
    """The parts of an answer's items, in order, each with the log-probabilities of its text."""
    items = list(owner.each("output"))
    for place, item in enumerate(items):
        following = items[place + 1].peek("type") if place + 1 < len(items) else ""
        read = _KINDS.get(item.required_text("type"))
        if read is None:
            yield opaque_item(item.whole_object()), []
        else:
            yield from read(item, following == "function_call")


def opaque_item(item: Mapping[str, Any]) -> Part:
    """An item that is not modelled, whole."""
    kind = item.get("type")
    return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=str(kind), json=dumped(dict(item), "output"), item=True))


def message_extras(item: Mapping[str, Any]) -> list[content_pb2.Extra]:
    """What a message is beside its content, such as its id and phase."""
    left = _beside(item, _MESSAGE)
    return as_extras(DIALECT, {ITEM: left}) if left else []


def call_extras(item: Mapping[str, Any]) -> list[content_pb2.Extra]:
    """What a call has beside its content."""
    return as_extras(DIALECT, _beside(item, _CALL))


def placed_proof(item: Mapping[str, Any], *, before_call: bool) -> str:
    """The proof of an item of reasoning with its place; empty where it has none."""
    proof = proof_of_item(item)
    return f"{OF_CALL_AFTER if before_call else OF_ITEM}:{proof}" if proof else ""


def _beside(item: Mapping[str, Any], modelled: frozenset[str]) -> dict[str, Any]:
    return {key: value for key, value in unread(dict(item), modelled).items() if value is not None and key != _STATUS}


def _message(item: Fields, _before_call: bool) -> Iterator[tuple[Part, list[generate_pb2.TokenLogprob]]]:  # noqa: FBT001 (one of a table)
    extras = message_extras(item.whole_object())
    for content in item.each("content"):
        part, logprobs = _content(content)
        part.extras.extend(extras)
        extras = []
        yield part, logprobs


def _content(content: Fields) -> tuple[Part, list[generate_pb2.TokenLogprob]]:
    kind = content.required_text("type")
    if kind == "output_text":
        text = content_pb2.Text(text=content.text("text") or "")
        text.annotations.extend(
            content_pb2.Extra(dialect=DIALECT, key=each.text("type") or "", json=dumped(each.whole_object()))
            for each in content.each("annotations")
        )
        return Part(text=text), [read_logprob(each) for each in content.each("logprobs")]
    if kind == "refusal":
        return Part(refusal=content_pb2.Refusal(text=content.text("refusal") or "")), []
    return Part(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(content.whole_object()))), []


def _call(item: Fields, _before_call: bool) -> Iterator[tuple[Part, list[generate_pb2.TokenLogprob]]]:  # noqa: FBT001
    call = content_pb2.ToolCall(
        id=item.required_text("call_id"), name=item.required_text("name"), arguments_json=item.text("arguments") or ""
    )
    yield Part(tool_call=call, extras=call_extras(item.whole_object())), []


def _reasoning(item: Fields, before_call: bool) -> Iterator[tuple[Part, list[generate_pb2.TokenLogprob]]]:  # noqa: FBT001
    text, proof = text_of_item(item.whole_object()), placed_proof(item.whole_object(), before_call=before_call)
    if text or proof:
        yield Part(reasoning=content_pb2.Reasoning(text=text, signature=proof)), []


_KINDS: Final[Mapping[str, Callable[[Fields, bool], Iterator[tuple[Part, list[generate_pb2.TokenLogprob]]]]]] = {
    "message": _message,
    "function_call": _call,
    "reasoning": _reasoning,
}
