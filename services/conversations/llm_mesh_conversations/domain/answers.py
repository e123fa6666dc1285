"""What the events of an answer say in the end: its items, and how it ended."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_mesh.conversations.v1 import responses_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2

_TEXTS = {"text": "text", "refusal": "text", "reasoning": "text", "tool_call": "arguments_json"}
"""Events that grow, each with the field that does."""
_CUT_SHORT = frozenset({generate_pb2.FINISH_REASON_LENGTH, generate_pb2.FINISH_REASON_CONTENT_FILTER})


class JoinedEvents:
    """The events of an answer, with those joined that continue one another: what is stored of an answer that nobody resumes."""

    def __init__(self) -> None:
        self._events: list[generate_pb2.StreamEvent] = []
        self._pieces: list[str] = []
        """The text of the last event, which is joined once: a text that grows anew would be copied at each piece."""
        self.bytes = 0

    @property
    def events(self) -> list[generate_pb2.StreamEvent]:
        """What has come so far."""
        self._join()
        return self._events

    def add(self, event: generate_pb2.StreamEvent) -> None:
        """Takes the next event."""
        self.bytes += event.ByteSize()
        kind = event.WhichOneof("kind") or ""
        text = _TEXTS.get(kind)
        if text is not None and self._events and _continues(self._events[-1], event, kind):
            before, after = getattr(self._events[-1], kind), getattr(event, kind)
            if kind == "reasoning":
                before.signature, before.redacted = after.signature, after.redacted
            elif kind != "tool_call":
                before.logprobs.extend(after.logprobs)
            self._pieces.append(getattr(after, text))
            return
        self._join()
        copy = generate_pb2.StreamEvent()
        copy.CopyFrom(event)
        self._events.append(copy)
        self._pieces = [] if text is None else [getattr(getattr(copy, kind), text)]

    def _join(self) -> None:
        if len(self._pieces) > 1:
            kind = self._events[-1].WhichOneof("kind") or ""
            self._pieces = ["".join(self._pieces)]
            setattr(getattr(self._events[-1], kind), _TEXTS[kind], self._pieces[0])


def _continues(last: generate_pb2.StreamEvent, event: generate_pb2.StreamEvent, kind: str) -> bool:
    """Whether an event says more of the same thing as the last one."""
    if kind != last.WhichOneof("kind"):
        return False
    before, after = getattr(last, kind), getattr(event, kind)
    if kind == "tool_call":
        return bool((before.choice, before.index) == (after.choice, after.index))
    if kind == "reasoning":
        return bool(before.choice == after.choice and not (before.signature or before.redacted))
    return bool(before.choice == after.choice and not before.extras and not after.extras)


def status_of(events: Iterable[generate_pb2.StreamEvent]) -> responses_pb2.ResponseStatus:
    """Whether a whole answer was cut short."""
    reasons = {event.choice_finished.finish_reason for event in events if event.WhichOneof("kind") == "choice_finished"}
    return responses_pb2.RESPONSE_STATUS_INCOMPLETE if reasons & _CUT_SHORT else responses_pb2.RESPONSE_STATUS_COMPLETED


def items_of(events: Iterable[generate_pb2.StreamEvent]) -> list[content_pb2.Message]:
    """The items of an answer's first choice, in order: reasoning, text with refusals, each tool call, what is not modelled."""
    joined = JoinedEvents()
    for event in events:
        joined.add(event)
    parts: list[content_pb2.Part] = []
    calls: dict[int, content_pb2.Part] = {}
    for event in joined.events:
        _add(event, parts, calls)
    return _cut(parts)


def _add(event: generate_pb2.StreamEvent, parts: list[content_pb2.Part], calls: dict[int, content_pb2.Part]) -> None:
    kind = event.WhichOneof("kind")
    if kind == "opaque":
        parts.append(content_pb2.Part(opaque=event.opaque))
        return
    if kind is None or getattr(getattr(event, kind), "choice", -1) != 0:
        return
    if kind == "text" and event.text.text:
        parts.append(content_pb2.Part(text=content_pb2.Text(text=event.text.text), extras=event.text.extras))
    elif kind == "refusal" and event.refusal.text:
        parts.append(content_pb2.Part(refusal=content_pb2.Refusal(text=event.refusal.text)))
    elif kind == "reasoning":
        thought = event.reasoning
        parts.append(
            content_pb2.Part(reasoning=content_pb2.Reasoning(text=thought.text, signature=thought.signature, redacted=thought.redacted))
        )
    elif kind == "tool_call_started":
        begun = event.tool_call_started
        calls[begun.index] = content_pb2.Part(tool_call=content_pb2.ToolCall(id=begun.id, name=begun.name), extras=begun.extras)
        parts.append(calls[begun.index])
    elif kind == "tool_call" and event.tool_call.index in calls:
        calls[event.tool_call.index].tool_call.arguments_json += event.tool_call.arguments_json
    elif kind == "audio":
        parts.append(content_pb2.Part(audio=content_pb2.Media(data=event.audio.data, transcript=event.audio.transcript)))


def _cut(parts: Sequence[content_pb2.Part]) -> list[content_pb2.Message]:
    """One item for each run of parts that belong together."""
    items: list[content_pb2.Message] = []
    last = ""
    for part in parts:
        kind = part.WhichOneof("kind") or ""
        group = "words" if kind in {"text", "refusal"} else kind
        if not items or group != last or group in {"tool_call", "opaque"}:
            items.append(content_pb2.Message(role=content_pb2.ROLE_ASSISTANT))
        items[-1].parts.append(part)
        last = group
    return items


def joined_messages(items: Iterable[content_pb2.Message]) -> list[content_pb2.Message]:
    """Items as the messages of a request: those that an assistant said one after another are one, as providers expect it."""
    messages: list[content_pb2.Message] = []
    for item in items:
        last = messages[-1] if messages else None
        if last is not None and _joins(last) and _joins(item) and last.name == item.name:
            last.parts.extend(item.parts)
        else:
            copy = content_pb2.Message()
            copy.CopyFrom(item)
            messages.append(copy)
    return messages


def _joins(message: content_pb2.Message) -> bool:
    alone = any(part.WhichOneof("kind") == "opaque" and part.opaque.item for part in message.parts)
    return message.role == content_pb2.ROLE_ASSISTANT and not message.extras and not alone
