"""From typed events to the events of the dialect, in the order in which OpenAI sends them, and to the response that they make up.

The same events of the mesh make the same numbered events again: who reads a stored response finds each where it was. Source: OpenAI's API
reference and its Python SDK 3.52, in November 2026.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError
from llm_mesh_dialects.event_names import is_event_name
from llm_mesh_dialects.extras import parsed
from llm_mesh_dialects.loose import loose_count
from llm_mesh_dialects.responses.echoes_writing import echo_of
from llm_mesh_dialects.responses.items_reading import ITEM
from llm_mesh_dialects.responses.open_items import GrowingCall, GrowingMessage, GrowingReasoning, Json
from llm_mesh_dialects.responses.usage_writing import usage_of
from llm_mesh_dialects.responses.vocabulary import ANNOTATED, DIALECT, OBJECT, PART_DONE

_ADDED: Final = "response.output_item.added"
_INCOMPLETE: Final[Mapping[int, str]] = {
    generate_pb2.FINISH_REASON_LENGTH: "max_output_tokens",
    generate_pb2.FINISH_REASON_CONTENT_FILTER: "content_filter",
}
_STEERED: Final = "steered"
_LIFECYCLE: Final = frozenset(
    {"error"} | {f"response.{word}" for word in ("created", "queued", "in_progress", "completed", "incomplete", "failed", "cancelled")}
)
"""Events that are this writer's to send, once each."""


@dataclass(frozen=True, slots=True)
class ResponseFacts:
    """What a response is beside its request and its answer."""

    id: str
    created: int
    """Seconds since 1970, where the provider tells none."""
    members: Mapping[str, Any] = field(default_factory=dict)
    """What the mesh keeps of it: `store`, `background`, `previous_response_id`, `conversation`."""


class ResponseWriter:
    """Writes one response. Only the first answer has a place in it: the dialect has one."""

    def __init__(self, request: generate_pb2.GenerateInput, facts: ResponseFacts) -> None:
        self._base = facts.id.partition("_")[2] or facts.id
        self._begun = False
        self._sequence = 0
        self._output: list[Json] = []
        self._open: GrowingMessage | GrowingReasoning | None = None
        self._calls: dict[int, GrowingCall] = {}
        self._places: dict[int, int] = {}
        """Where items of the provider's stand here that it writes events about."""
        self._unfinished: dict[str, int] = {}
        """By its id, the place of each of them that is not whole."""
        self._status = "completed"
        own = {"store": False, "background": False, "previous_response_id": None, "conversation": None}
        self.response: Json = {"id": facts.id, "object": OBJECT, "created_at": facts.created, "status": "in_progress"}
        self.response |= {"error": None, "incomplete_details": None, "model": request.model, "output": [], "usage": None}
        self.response |= echo_of(request) | own | dict(facts.members)
        self._writers: Mapping[str, Callable[[Any], list[Json]]] = {
            "started": self._start,
            "text": self._text,
            "refusal": self._refusal,
            "reasoning": self._think,
            "tool_call_started": self._call,
            "tool_call": self._argue,
            "audio": self._sound,
            "opaque": self._opaque,
            "choice_finished": self._finish_choice,
            "usage": self._count,
        }

    def write(self, events: Iterable[generate_pb2.StreamEvent]) -> list[Json]:
        """The events of the dialect for some typed ones. Raises `DialectError` for what has no place in the dialect."""
        written: list[Json] = []
        for event in events:
            kind = event.WhichOneof("kind")
            write = self._writers.get(kind or "")
            if write is None:
                continue
            piece = getattr(event, str(kind))
            if getattr(piece, "choice", 0) == 0:
                written += write(piece)
        return self._numbered(written)

    def close(self, members: Mapping[str, Any]) -> list[Json]:
        """The end of a response. `members` are told in it besides."""
        return self._end(self._status, members)

    def fail(self, code: str, message: str, members: Mapping[str, Any]) -> list[Json]:
        """The end of one that failed."""
        self.response["error"] = {"code": code, "message": message}
        return self._end("failed", members)

    def cancel(self, members: Mapping[str, Any]) -> list[Json]:
        """The end of one that its caller cancelled."""
        return self._end("cancelled", members)

    def _end(self, status: str, members: Mapping[str, Any]) -> list[Json]:
        events = self._begin() + self._end_items("completed" if status == "completed" else "incomplete")
        self.response |= {**members, "status": status, "output": self._output}
        return self._numbered([*events, {"type": f"response.{status}", "response": self.response}])

    def _numbered(self, events: list[Json]) -> list[Json]:
        for event in events:
            event["sequence_number"] = self._sequence
            self._sequence += 1
        return events

    def _begin(self) -> list[Json]:
        """The first events, where they were not written yet."""
        if self._begun:
            return []
        self._begun = True
        shown = {**self.response, "output": []}
        return [{"type": f"response.{word}", "response": shown} for word in ("created", "in_progress")]

    def _start(self, started: generate_pb2.Started) -> list[Json]:
        if started.created:
            self.response["created_at"] = started.created
        if started.model:
            self.response["model"] = started.model
        self._extend(started.extras)
        return self._begin()

    def _extend(self, extras: Iterable[content_pb2.Extra]) -> None:
        self.response |= {extra.key: parsed(extra.json) for extra in extras if extra.dialect == DIALECT}

    def _text(self, delta: generate_pb2.TextDelta) -> list[Json]:
        message, events = self._message(delta.extras)
        return [*events, *message.text(delta)]

    def _refusal(self, delta: generate_pb2.TextDelta) -> list[Json]:
        message, events = self._message(delta.extras)
        return [*events, *message.refusal(delta)]

    def _message(self, extras: Iterable[content_pb2.Extra] = ()) -> tuple[GrowingMessage, list[Json]]:
        """The message that grows; extras that say what a message is begin one."""
        beside = list(extras)
        begins = any(each.dialect == DIALECT and each.key == ITEM for each in beside)
        if isinstance(self._open, GrowingMessage) and not begins:
            return self._open, []
        events = self._end_items("completed")
        message = self._open = GrowingMessage(self._id("msg"), len(self._output), beside)
        return message, [*events, *message.begin()]

    def _think(self, delta: generate_pb2.ReasoningDelta) -> list[Json]:
        thought: GrowingMessage | GrowingReasoning | None = self._open
        events: list[Json] = []
        if not isinstance(thought, GrowingReasoning) or (thought.proven and delta.text):
            events = self._end_items("completed")
            thought = self._open = GrowingReasoning(self._id("rs"), len(self._output))
            events += thought.begin()
        return [*events, *thought.think(delta)]

    def _call(self, started: generate_pb2.ToolCallStarted) -> list[Json]:
        events = self._end_open("completed")
        place = len(self._output) + len(self._calls)
        call = self._calls[started.index] = GrowingCall(self._id("fc"), place, started)
        return [*events, *call.begin()]

    def _argue(self, delta: generate_pb2.ToolCallDelta) -> list[Json]:
        call = self._calls.get(delta.index)
        if call is None:
            raise DialectError("output", "a call of a tool goes on that has not begun, or has ended")
        return call.argue(delta.arguments_json)

    def _sound(self, _delta: generate_pb2.AudioDelta) -> list[Json]:
        raise DialectError("output", "the dialect has no sound in its answers")

    def _opaque(self, opaque: content_pb2.OpaquePart) -> list[Json]:
        if opaque.dialect != DIALECT:
            return []
        value = parsed(opaque.json)
        if not isinstance(value, dict):
            raise DialectError("output", "expected an object for each item and event that is not modelled")
        if opaque.item:
            return self._whole_item(value)
        if opaque.type == _ADDED:
            return self._begin_item(value)
        if opaque.type == ANNOTATED:
            message, events = self._message()
            return [*events, *message.annotate(_inner(value, "annotation"))]
        if opaque.type == PART_DONE:
            message, events = self._message()
            return [*events, *message.place_content(_inner(value, "part"))]
        return self._progress({**value, "type": opaque.type})

    def _progress(self, event: Json) -> list[Json]:
        """An event about an item that is not modelled."""
        if not is_event_name(event["type"]) or event["type"] in _LIFECYCLE:
            return []
        place = self._places.get(loose_count(event.get("output_index")) or 0)
        return [event if place is None or "output_index" not in event else {**event, "output_index": place}]

    def _begin_item(self, event: Json) -> list[Json]:
        """An item that is not modelled begins."""
        item = _inner(event, "item")
        events = self._end_items("completed")
        place = len(self._output)
        self._output.append(item)
        self._places[loose_count(event.get("output_index")) or 0] = place
        self._unfinished[str(item.get("id"))] = place
        return [*events, {"type": _ADDED, "output_index": place, "item": item}]

    def _whole_item(self, item: Json) -> list[Json]:
        """An item that is not modelled is whole."""
        place = self._unfinished.pop(str(item.get("id")), None)
        events: list[Json] = []
        if place is None:
            events = self._end_items("completed")
            place = len(self._output)
            self._output.append(item)
            events.append({"type": _ADDED, "output_index": place, "item": item})
        self._output[place] = item
        return [*events, {"type": "response.output_item.done", "output_index": place, "item": item}]

    def _finish_choice(self, finished: generate_pb2.ChoiceFinished) -> list[Json]:
        reason = _STEERED if finished.native_finish_reason == _STEERED else _INCOMPLETE.get(finished.finish_reason)
        if reason is not None:
            self._status = "incomplete"
            self.response["incomplete_details"] = {"reason": reason}
        self._extend(finished.extras)
        return self._end_items(self._status)

    def _count(self, used: generate_pb2.Usage) -> list[Json]:
        self.response["usage"] = usage_of(used)
        return []

    def _id(self, kind: str) -> str:
        return f"{kind}_{self._base}_{len(self._output) + len(self._calls)}"

    def _end_open(self, status: str) -> list[Json]:
        item, self._open = self._open, None
        if item is None:
            return []
        events = item.end(status)
        self._output.append(item.item)
        return events

    def _end_items(self, status: str) -> list[Json]:
        """Ends what is open: a message, reasoning, or calls, which may grow side by side."""
        events = self._begin() + self._end_open(status)
        for call in self._calls.values():
            events += call.end(status)
            self._output.append(call.item)
        self._calls = {}
        return events


def _inner(event: Json, key: str) -> Json:
    """The object that an event is about."""
    value = event.get(key)
    if not isinstance(value, dict):
        raise DialectError("output", f"an event of the provider has no object at {key}")
    return value
