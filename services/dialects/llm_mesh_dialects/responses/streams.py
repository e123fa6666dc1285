"""From a provider's events to typed events.

Items that are not modelled travel whole, once they are done, and so do the events that tell of their progress. A proof of reasoning waits
for the item after it, which says whether it belongs to a tool call.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import Halves, loose_count, loose_text, mended
from llm_mesh_dialects.openai.logprobs import read_logprob
from llm_mesh_dialects.responses.answers import rest_of
from llm_mesh_dialects.responses.items_reading import CALLS, call_extras, message_extras, opaque_item, placed_proof
from llm_mesh_dialects.responses.proofs import BREAK
from llm_mesh_dialects.responses.usage import read_usage
from llm_mesh_dialects.responses.vocabulary import DIALECT, finish_of

_MODELLED: Final = frozenset({"message", "function_call", "reasoning"})
_REPEATS: Final = frozenset(
    {"response.content_part.added", "response.output_text.done", "response.refusal.done", "response.function_call_arguments.done"}
    | {"response.reasoning_summary_text.done", "response.reasoning_summary_part.done", "response.reasoning_text.done"}
    | {"keepalive"}
)
"""Events that say nothing which others do not say."""

Event = generate_pb2.StreamEvent
TextWriter = Callable[[str, dict[str, Any]], Event]


@dataclass(slots=True)
class _ArgumentsOfCall:
    number: int
    has_arguments: bool = False


class ResponseEventReader:
    """Reads one stream. `ended` says whether the response has."""

    def __init__(self) -> None:
        self.ended = False
        self._started = False
        self._known: dict[str, Any] = {}
        self._calls: dict[int, _ArgumentsOfCall] = {}
        self._begun = 0
        self._extras: list[content_pb2.Extra] = []
        self._thought: dict[str, Any] | None = None
        self._called = False
        self._usage: generate_pb2.Usage | None = None
        self._halves = Halves()
        self._texts: Mapping[str, Callable[[str, dict[str, Any]], Event]] = {
            "response.output_text.delta": self._text,
            "response.refusal.delta": self._refusal,
            "response.reasoning_summary_text.delta": self._reasoning,
            "response.reasoning_text.delta": self._reasoning,
        }
        self._readers: Mapping[str, Callable[[dict[str, Any], list[Event]], None]] = {
            "response.created": self._begin,
            "response.queued": self._begin,
            "response.in_progress": self._begin,
            "response.output_item.added": self._item_added,
            "response.output_item.done": self._item_done,
            "response.content_part.done": self._part_done,
            "response.reasoning_summary_part.added": self._paragraph,
            "response.function_call_arguments.delta": self._arguments,
            "response.completed": self._end,
            "response.incomplete": self._end,
            "response.cancelled": self._end,
        }

    def feed(self, event: dict[str, Any], *, halves: bool = False) -> list[Event]:
        """The typed events of one event; raises `DialectError` where it is none. `halves`: its texts may have half of a surrogate pair."""
        if not isinstance(event, dict):
            raise DialectError("", "expected an object")
        kind = event.get("type")
        if not isinstance(kind, str):
            raise DialectError("type", "required: expected a string")
        if halves or self._halves:
            event = self._whole(kind, event)
            kind = str(event["type"])
        events: list[Event] = []
        write = self._texts.get(kind)
        if write is not None:
            self._delta(write, event, events)
        elif (read := self._readers.get(kind)) is not None:
            read(event, events)
        elif kind not in _REPEATS:
            events.append(Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(event, "event"))))
        return events

    def failed(self, response: object) -> list[Event]:
        """What a response that failed used."""
        self._usage = read_usage(response) if isinstance(response, dict) else None
        return [Event(usage=self._usage)] if self._usage is not None else []

    def finish(self) -> list[Event]:
        """The end of the stream: usage, and that the answer is whole. Raises `TruncatedError` where it is not."""
        if not self.ended:
            raise TruncatedError("the stream ended before the response did")
        events = [Event(usage=self._usage)] if self._usage is not None else []
        return [*events, Event(finished=generate_pb2.Finished())]

    def _whole(self, kind: str, event: dict[str, Any]) -> dict[str, Any]:
        """The event with whole characters: a half at the end of a delta waits for the other one, all others are replaced."""
        whole: dict[str, Any] = mended(event)
        if isinstance(delta := event.get("delta"), str):
            whole["delta"] = self._halves.mended((kind, str(event.get("output_index"))), delta)
        return whole

    def _delta(self, write: TextWriter, event: dict[str, Any], events: list[Event]) -> None:
        text = event.get("delta")
        if type(text) is not str:
            raise DialectError("delta", "expected a string")
        if text or event.get("logprobs"):
            events.append(write(text, event))

    def _text(self, text: str, event: dict[str, Any]) -> Event:
        made = Event()
        made.text.text = text
        if event.get("logprobs"):
            made.text.logprobs.extend(read_logprob(each) for each in Fields(event).each("logprobs"))
        if self._extras:
            self._place_extras(made.text)
        return made

    def _refusal(self, text: str, _event: dict[str, Any]) -> Event:
        made = Event(refusal=generate_pb2.TextDelta(text=text))
        self._place_extras(made.refusal)
        return made

    def _place_extras(self, delta: generate_pb2.TextDelta) -> None:
        """What the message is beside its content comes with its first piece."""
        delta.extras.extend(self._extras)
        self._extras = []

    def _reasoning(self, text: str, _event: dict[str, Any]) -> Event:
        return Event(reasoning=generate_pb2.ReasoningDelta(text=text))

    def _begin(self, event: dict[str, Any], events: list[Event]) -> None:
        response = event.get("response")
        if not isinstance(response, dict):
            raise DialectError("response", "required: expected an object")
        if self._started:
            return
        self._started = True
        self._known = rest_of(response)
        started = generate_pb2.Started(
            id=loose_text(response.get("id")),
            model=loose_text(response.get("model")),
            created=int(loose_count(response.get("created_at")) or 0),
            extras=as_extras(DIALECT, self._known),
        )
        events.append(Event(started=started))

    def _item_added(self, event: dict[str, Any], events: list[Event]) -> None:
        place, kind, item = _item(event)
        self._prove(events, before_call=kind == "function_call")
        self._called = self._called or kind in CALLS
        if kind == "message":
            self._extras = message_extras(item)
        elif kind == "function_call":
            self._call(place, item, events)
        elif kind not in _MODELLED:
            events.append(Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=event["type"], json=dumped(event, "event"))))

    def _item_done(self, event: dict[str, Any], events: list[Event]) -> None:
        place, kind, item = _item(event)
        if kind == "reasoning":
            self._thought = item
        elif kind == "function_call":
            if place not in self._calls:
                self._prove(events, before_call=True)
            call = self._calls.get(place) or self._call(place, item, events)
            if not call.has_arguments and (arguments := loose_text(item.get("arguments"))):
                call.has_arguments = True
                events.append(Event(tool_call=generate_pb2.ToolCallDelta(index=call.number, arguments_json=arguments)))
            self._called = True
        elif kind not in _MODELLED:
            self._called = self._called or kind in CALLS
            events.append(Event(opaque=opaque_item(item).opaque))

    def _call(self, place: int, item: dict[str, Any], events: list[Event]) -> _ArgumentsOfCall:
        call = self._calls[place] = _ArgumentsOfCall(self._begun)
        self._begun += 1  # a provider that repeats a place begins another call all the same
        extras = call_extras(item)
        started = generate_pb2.ToolCallStarted(
            index=call.number, id=loose_text(item.get("call_id")), name=loose_text(item.get("name")), extras=extras
        )
        events.append(Event(tool_call_started=started))
        return call

    def _arguments(self, event: dict[str, Any], events: list[Event]) -> None:
        call = self._calls.get(_place(event))
        text = event.get("delta")
        if call is None or type(text) is not str:
            raise DialectError("delta", "expected more of the arguments of a call that has begun")
        call.has_arguments = True
        events.append(Event(tool_call=generate_pb2.ToolCallDelta(index=call.number, arguments_json=text)))

    def _part_done(self, event: dict[str, Any], events: list[Event]) -> None:
        part = event.get("part")
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("output_text", "refusal", "reasoning_text"):
            events.append(Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=event["type"], json=dumped(event, "event"))))

    def _paragraph(self, event: dict[str, Any], events: list[Event]) -> None:
        if loose_count(event.get("summary_index")):
            events.append(Event(reasoning=generate_pb2.ReasoningDelta(text=BREAK)))

    def _prove(self, events: list[Event], *, before_call: bool) -> None:
        """The proof of the reasoning before, now that it is known what it led to."""
        item, self._thought = self._thought, None
        proof = placed_proof(item, before_call=before_call) if item is not None else ""
        if proof:
            events.append(Event(reasoning=generate_pb2.ReasoningDelta(signature=proof)))

    def _end(self, event: dict[str, Any], events: list[Event]) -> None:
        response = event.get("response")
        if not isinstance(response, dict):
            raise DialectError("response", "required: expected an object")
        self._begin(event, events)
        self._prove(events, before_call=False)
        self.ended = True
        self._usage = read_usage(response)
        reason, word = finish_of({"status": str(event["type"]).rpartition(".")[2], **response}, calls=self._called)
        new = {key: value for key, value in rest_of(response).items() if key not in self._known or self._known[key] != value}
        finished = generate_pb2.ChoiceFinished(finish_reason=reason, native_finish_reason=word, extras=as_extras(DIALECT, new))
        events.append(Event(choice_finished=finished))


def _item(event: dict[str, Any]) -> tuple[int, str, dict[str, Any]]:
    item = event.get("item")
    kind = item.get("type") if isinstance(item, dict) else None
    if not isinstance(item, dict) or not isinstance(kind, str):
        raise DialectError("item", "required: expected an object with a type")
    return _place(event), kind, item


def _place(event: dict[str, Any]) -> int:
    place = loose_count(event.get("output_index"))
    if place is None:
        raise DialectError("output_index", "required: expected a whole number")
    return place
