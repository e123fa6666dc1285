"""Responses as server-sent events: each has a number, and its name stands in the line before and in the data."""

from collections.abc import Sequence
from typing import Any

import orjson

from llm_mesh_simulator.domain.answer import SimulatedAnswer
from llm_mesh_simulator.domain.behaviour import Behaviour
from llm_mesh_simulator.provider.openai.response_object import Document, ResponseForm, frame, items, shown_logprobs, whole
from llm_mesh_simulator.provider.reply import AnswerIdentity, Stream

_ERROR = "The server had an error while processing your request. Sorry about that!"


def events(model: str, answer: SimulatedAnswer, behaviour: Behaviour, form: ResponseForm, identity: AnswerIdentity) -> Stream:
    """The answer to a request with `stream`."""
    writer = _ItemWriter()
    begun = frame(model, form, identity)
    opening = [writer.numbered("response.created", response=begun), writer.numbered("response.in_progress", response=begun)]
    choice = answer.choices[0]
    for item in items(model, choice, behaviour, form, identity):
        if item["type"] == "reasoning":
            writer.think(item, choice.reasoning)
        elif item["type"] == "message":
            writer.say(item, choice.text, form)
        else:
            call = next(each for each in choice.calls if item["id"].endswith("_" + each.id))
            writer.call(item, call.arguments)
    ended = whole(model, answer, behaviour, form, identity)
    closing = [writer.closing] if writer.closing else []
    end = writer.numbered(f"response.{ended['status']}", response=ended)
    return Stream(opening, writer.pieces, closing, end, writer.numbered("error", code="server_error", message=_ERROR, param=None))


class _ItemWriter:
    """Items in order; what opens and closes one travels with the tokens beside it."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.closing = b""
        self._number = 0
        self._index = 0

    def numbered(self, kind: str, **fields: Any) -> bytes:  # noqa: ANN401 (JSON)
        """One event."""
        data = {"type": kind, "sequence_number": self._number, **fields}
        self._number += 1
        return b"event: " + kind.encode() + b"\ndata: " + orjson.dumps(data) + b"\n\n"

    def think(self, item: Document, thought: Sequence[str]) -> None:
        """Reasoning, with a summary where one is shown."""
        self._begin({**item, "summary": [], "encrypted_content": "", "status": "in_progress"})
        place = {"item_id": item["id"], "output_index": self._index, "summary_index": 0}
        if not item["summary"]:
            self._write([b""] * len(thought))
        else:
            part = item["summary"][0]
            self.closing += self.numbered("response.reasoning_summary_part.added", **place, part={**part, "text": ""})
            self._write([self.numbered("response.reasoning_summary_text.delta", **place, delta=token) for token in thought])
            self.closing += self.numbered("response.reasoning_summary_text.done", **place, text=part["text"])
            self.closing += self.numbered("response.reasoning_summary_part.done", **place, part=part)
        self._end(item)

    def say(self, item: Document, text: Sequence[str], form: ResponseForm) -> None:
        """A message with one part."""
        part = item["content"][0]
        kind, field = ("refusal", "refusal") if part["type"] == "refusal" else ("output_text", "text")
        place = {"item_id": item["id"], "output_index": self._index, "content_index": 0}
        self._begin({**item, "content": [], "status": "in_progress"})
        empty = {**part, field: "", **({"logprobs": []} if field == "text" else {})}
        self.closing += self.numbered("response.content_part.added", **place, part=empty)
        deltas = []
        for token in text:
            shown = {"logprobs": shown_logprobs([token], form)} if field == "text" else {}
            deltas.append(self.numbered(f"response.{kind}.delta", **place, delta=token, **shown))
        self._write(deltas)
        shown = {"logprobs": part["logprobs"]} if field == "text" else {}
        self.closing += self.numbered(f"response.{kind}.done", **place, **{field: part[field]}, **shown)
        self.closing += self.numbered("response.content_part.done", **place, part=part)
        self._end(item)

    def call(self, item: Document, arguments: Sequence[str]) -> None:
        """A call of a tool."""
        kind, field = ("function_call_arguments", "arguments") if item["type"] == "function_call" else ("custom_tool_call_input", "input")
        place = {"item_id": item["id"], "output_index": self._index}
        self._begin({**item, field: "", "status": "in_progress"})
        self._write([self.numbered(f"response.{kind}.delta", **place, delta=token) for token in arguments])
        self.closing += self.numbered(f"response.{kind}.done", **place, **{field: item[field]})
        self._end(item)

    def _begin(self, item: Document) -> None:
        self.closing += self.numbered("response.output_item.added", output_index=self._index, item=item)

    def _write(self, deltas: Sequence[bytes]) -> None:
        if deltas:
            self.pieces.append(self.closing + deltas[0])
            self.pieces.extend(deltas[1:])
            self.closing = b""

    def _end(self, item: Document) -> None:
        self.closing += self.numbered("response.output_item.done", output_index=self._index, item=item)
        self._index += 1
