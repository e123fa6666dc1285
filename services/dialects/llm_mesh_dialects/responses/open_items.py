"""Items of a response while they grow: each writes the events that tell of it, and in the end the item itself."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.openai.logprobs import write_logprob
from llm_mesh_dialects.responses.items_reading import ITEM
from llm_mesh_dialects.responses.redacted import encrypted_of
from llm_mesh_dialects.responses.vocabulary import DIALECT

Json = dict[str, Any]
_OUTPUT_TEXT: Final = "output_text"
_REFUSAL: Final = "refusal"


def _logprob(each: generate_pb2.TokenLogprob) -> Json:
    """As chat completions have it, but that there are always bytes."""
    return {**write_logprob(each), "bytes": list(each.utf8 or each.token.encode())}


class GrowingMessage:
    """A text, a refusal, or one after the other."""

    def __init__(self, number: str, place: int, extras: Sequence[content_pb2.Extra]) -> None:
        beside: Any = next((parsed(each.json) for each in extras if each.dialect == DIALECT and each.key == ITEM), {})
        own = {key: beside[key] for key in ("id", "phase") if isinstance(beside, dict) and isinstance(beside.get(key), str)}
        self._place = place
        self._contents: list[Json] = []
        self._texts: list[str] = []
        self.item: Json = {"id": number, "type": "message", "role": "assistant", **own, "status": "in_progress", "content": []}

    def begin(self) -> list[Json]:
        """The item is there."""
        return [{"type": "response.output_item.added", "output_index": self._place, "item": {**self.item}}]

    def text(self, delta: generate_pb2.TextDelta) -> list[Json]:
        """More of its text."""
        events = self._turn_to(_OUTPUT_TEXT)
        logprobs = [_logprob(each) for each in delta.logprobs]
        self._texts.append(delta.text)
        self._contents[-1]["logprobs"].extend(logprobs)
        return [*events, {"type": "response.output_text.delta", **self._at(), "delta": delta.text, "logprobs": logprobs}]

    def refusal(self, delta: generate_pb2.TextDelta) -> list[Json]:
        """More of its refusal."""
        events = self._turn_to(_REFUSAL)
        self._texts.append(delta.text)
        return [*events, {"type": "response.refusal.delta", **self._at(), "delta": delta.text}]

    def annotate(self, annotation: Json) -> list[Json]:
        """A source of its text."""
        events = self._turn_to(_OUTPUT_TEXT)
        annotations = self._contents[-1]["annotations"]
        annotations.append(annotation)
        number = {"annotation_index": len(annotations) - 1, "annotation": annotation}
        return [*events, {"type": "response.output_text.annotation.added", **self._at(), **number}]

    def place_content(self, content: Json) -> list[Json]:
        """A content of a type that is not modelled, whole."""
        events = self._end_content()
        self._contents.append(content)
        added, done = ({"type": f"response.content_part.{word}", **self._at(), "part": content} for word in ("added", "done"))
        self._texts = []
        return [*events, added, done]

    def end(self, status: str) -> list[Json]:
        """The item is whole, or as far as it got."""
        events = self._end_content()
        self.item = {**self.item, "status": status, "content": self._contents}
        return [*events, {"type": "response.output_item.done", "output_index": self._place, "item": self.item}]

    def _at(self) -> Json:
        return {"item_id": self.item["id"], "output_index": self._place, "content_index": len(self._contents) - 1}

    def _turn_to(self, kind: str) -> list[Json]:
        """Begins a content of that type, where the last one is of another."""
        if self._contents and self._contents[-1]["type"] == kind:
            return []
        events = self._end_content()
        part: Json = (
            {"type": kind, "text": "", "annotations": [], "logprobs": []} if kind == _OUTPUT_TEXT else {"type": kind, "refusal": ""}
        )
        self._contents.append(part)
        shown = {**part, "annotations": [], "logprobs": []} if kind == _OUTPUT_TEXT else {**part}
        return [*events, {"type": "response.content_part.added", **self._at(), "part": shown}]

    def _end_content(self) -> list[Json]:
        if not self._contents or self._contents[-1]["type"] not in {_OUTPUT_TEXT, _REFUSAL}:
            return []
        part, text = self._contents[-1], "".join(self._texts)
        self._texts = []
        if part["type"] == _OUTPUT_TEXT:
            part["text"] = text
            whole: Json = {"type": "response.output_text.done", **self._at(), "text": text, "logprobs": part["logprobs"]}
        else:
            part["refusal"] = text
            whole = {"type": "response.refusal.done", **self._at(), "refusal": text}
        return [whole, {"type": "response.content_part.done", **self._at(), "part": part}]


class GrowingReasoning:
    """What the model thinks, as a summary, and the proof with which it goes back."""

    def __init__(self, number: str, place: int) -> None:
        self._place = place
        self._texts: list[str] = []
        self._encrypted = ""
        self.item: Json = {"id": number, "type": "reasoning", "summary": [], "status": "in_progress"}

    def begin(self) -> list[Json]:
        """The item is there."""
        return [{"type": "response.output_item.added", "output_index": self._place, "item": {**self.item}}]

    def think(self, delta: generate_pb2.ReasoningDelta) -> list[Json]:
        """More of it."""
        events: list[Json] = []
        if delta.text:
            if not self._texts:
                part = {"type": "summary_text", "text": ""}
                events.append({"type": "response.reasoning_summary_part.added", **self._at(), "part": part})
            self._texts.append(delta.text)
            events.append({"type": "response.reasoning_summary_text.delta", **self._at(), "delta": delta.text})
        self._encrypted += delta.signature or (encrypted_of(delta.redacted) if delta.redacted else "")
        return events

    @property
    def proven(self) -> bool:
        """Whether its proof has come, after which other reasoning is another item."""
        return bool(self._encrypted)

    def end(self, status: str) -> list[Json]:
        """The item is whole, or as far as it got."""
        events: list[Json] = []
        if self._texts:
            part = {"type": "summary_text", "text": "".join(self._texts)}
            events.append({"type": "response.reasoning_summary_text.done", **self._at(), "text": part["text"]})
            events.append({"type": "response.reasoning_summary_part.done", **self._at(), "part": part})
            self.item = {**self.item, "summary": [part]}
        proof = {"encrypted_content": self._encrypted} if self._encrypted else {}
        self.item = {**self.item, **proof, "status": status}
        return [*events, {"type": "response.output_item.done", "output_index": self._place, "item": self.item}]

    def _at(self) -> Json:
        return {"item_id": self.item["id"], "output_index": self._place, "summary_index": 0}


class GrowingCall:
    """A call of a function."""

    def __init__(self, number: str, place: int, started: generate_pb2.ToolCallStarted) -> None:
        beside = {each.key: parsed(each.json) for each in started.extras if each.dialect == DIALECT}
        self._place = place
        self._arguments: list[str] = []
        self.item: Json = {"id": number, "type": "function_call", **beside}
        self.item |= {"status": "in_progress", "call_id": started.id, "name": started.name, "arguments": ""}

    def begin(self) -> list[Json]:
        """The item is there."""
        return [{"type": "response.output_item.added", "output_index": self._place, "item": {**self.item}}]

    def argue(self, piece: str) -> list[Json]:
        """More of its arguments."""
        if not piece:
            return []
        self._arguments.append(piece)
        return [{"type": "response.function_call_arguments.delta", **self._at(), "delta": piece}]

    def end(self, status: str) -> list[Json]:
        """The item is whole, or as far as it got."""
        arguments = "".join(self._arguments)
        self.item = {**self.item, "status": status, "arguments": arguments}
        whole = {"type": "response.function_call_arguments.done", **self._at(), "name": self.item["name"], "arguments": arguments}
        return [whole, {"type": "response.output_item.done", "output_index": self._place, "item": self.item}]

    def _at(self) -> Json:
        return {"item_id": self.item["id"], "output_index": self._place}
