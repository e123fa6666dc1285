"""The text of an answer that is changed, cut into runs, and everything else that must stay in its order between them.

A run is text of one kind in one choice without anything in between; it has a channel and an index of its own. An event that is no text
(a tool call begins, a choice ends) waits until all text before it in its choice is through, so that a caller sees the same order as
without the change. What ends the whole answer waits for all choices. What is not modelled as text does not go out: log-probabilities,
extras, proofs of unknown kinds could spell out what was changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_runtime.errors import MeshError

StreamEvent = generate_pb2.StreamEvent
Made = Callable[[str], StreamEvent]
Unreadable = Callable[[str], MeshError]
"""The failure where an answer has something that cannot be read, such as sound."""


class TextRun:
    """Text on its way through a transform. `made` turns what is released into an event."""

    __slots__ = ("_buffer", "_seq", "_through", "channel", "closed", "index", "made", "released", "size", "whole")

    def __init__(self, channel: str, index: int, made: Made, *, whole: bool = False) -> None:
        self.whole = whole
        """It goes out as one event, once it is through, even if nothing of it is left."""
        self.channel = channel
        self.index = index
        self.made = made
        self.released: list[str] = []
        self.closed = False
        self.size = 0
        self._buffer: list[str] = []
        self._seq = 0
        self._through = -1

    def add(self, text: str) -> None:
        """More text came."""
        self._buffer.append(text)
        self.size += len(text.encode("utf-8", "replace"))

    def piece(self) -> policy_pb2.ScreenText:
        """What came since the last piece, as policy screens it."""
        return self._piece("".join(self._buffer), final=self.closed)

    def pieces(self, longest: int) -> Iterator[policy_pb2.ScreenText]:
        """The same in pieces of so many characters at most."""
        text = "".join(self._buffer)
        for begin in range(0, max(1, len(text)), longest):
            yield self._piece(text[begin : begin + longest], final=self.closed and begin + longest >= len(text))

    def _piece(self, text: str, *, final: bool) -> policy_pb2.ScreenText:
        piece = policy_pb2.ScreenText(channel=self.channel, index=self.index, seq=self._seq, text=text, final=final)
        self._seq += 1
        self._buffer.clear()
        self.size = 0
        return piece

    def take(self, text: str, through: int) -> None:
        """Text is released; every piece up to the number `through` is released or withheld for good."""
        if text:
            self.released.append(text)
        self._through = max(self._through, through)

    @property
    def through(self) -> bool:
        """Whether all of it is released or withheld for good."""
        return self.closed and self._through >= self._seq - 1

    def events(self) -> Iterator[StreamEvent]:
        """What may go out now."""
        if self.through if self.whole else self.released:
            text = "".join(self.released)
            self.released.clear()
            yield self.made(text)


class AnswerOrder:
    """Takes the events of a stream, and gives them back as far as their text is through."""

    def __init__(self, unreadable: Unreadable) -> None:
        self._unreadable = unreadable
        self._runs: dict[tuple[str, int], TextRun] = {}
        self._counts: dict[str, int] = {}
        self._choices: dict[int, deque[TextRun | StreamEvent]] = {}
        self._current: dict[int, tuple[tuple[str, int], TextRun]] = {}
        self._first: deque[StreamEvent] = deque()
        self._last: deque[StreamEvent] = deque()
        self.changed: dict[TextRun, None] = {}
        """Runs with text that was not taken yet, by `TextRun.piece`."""

    def add(self, event: StreamEvent) -> None:
        """The next event."""
        kind = event.WhichOneof("kind")
        if kind in {"text", "refusal"}:
            delta = event.text if kind == "text" else event.refusal
            self._text(delta.choice, (kind, 0), delta.text, _text_event(kind, delta.choice))
        elif kind == "reasoning":
            self._reasoning(event.reasoning)
        elif kind == "tool_call":
            call = event.tool_call
            self._text(call.choice, (kind, call.index), call.arguments_json, _tool_event(call.choice, call.index))
        elif kind == "tool_call_started":
            self._tool_name(event)
        elif kind == "choice_finished":
            event.choice_finished.ClearField("extras")
            self._barrier(event.choice_finished.choice, event)
        elif kind == "started":
            event.started.ClearField("extras")
            self._first.append(event)
        elif kind == "audio":
            raise self._unreadable("sound")
        elif kind != "opaque" and kind is not None:  # what is not modelled could hide text: it does not go out
            if kind in {"usage", "finished"}:
                getattr(event, kind).ClearField("extras")
            self._last.append(event)

    def run(self, channel: str, made: Made, *, whole: bool = False) -> TextRun:
        """A new run of the channel."""
        index = self._counts.get(channel, 0)
        self._counts[channel] = index + 1
        run = self._runs[channel, index] = TextRun(channel, index, made, whole=whole)
        return run

    def close(self) -> None:
        """No more events come."""
        for choice in list(self._current):
            self._close(choice)

    def find(self, channel: str, index: int) -> TextRun | None:
        """A run by its channel and index there."""
        return self._runs.get((channel, index))

    def ready(self) -> list[StreamEvent]:
        """What may go out now, in order."""
        events = list(self._first)
        self._first.clear()
        for queue in self._choices.values():
            _advance(queue, events)
        if not any(self._choices.values()):
            events.extend(self._last)
            self._last.clear()
        return events

    @property
    def complete(self) -> bool:
        """Whether all text is through."""
        return all(run.through for run in self._runs.values())

    def _text(self, choice: int, key: tuple[str, int], text: str, made: Made) -> None:
        current = self._current.get(choice)
        if current is None or current[0] != key:
            self._close(choice)
            run = self.run(key[0], made)
            self._current[choice] = (key, run)
            self._choices.setdefault(choice, deque()).append(run)
        else:
            run = current[1]
        run.add(text)
        self.changed[run] = None

    def _tool_name(self, event: StreamEvent) -> None:
        """A model may write anything as the name of a tool: it is text like any other, in one piece."""
        started = event.tool_call_started
        self._close(started.choice)
        run = self.run("tool_name", _named_event(event), whole=True)
        run.add(started.name)
        run.closed = True
        self._choices.setdefault(started.choice, deque()).append(run)
        self.changed[run] = None

    def _reasoning(self, delta: generate_pb2.ReasoningDelta) -> None:
        if delta.text:
            self._text(delta.choice, ("reasoning", 0), delta.text, _reasoning_event(delta.choice))
        if delta.signature or delta.redacted:
            proof = generate_pb2.ReasoningDelta(choice=delta.choice, signature=delta.signature, redacted=delta.redacted)
            self._barrier(delta.choice, StreamEvent(reasoning=proof))

    def _barrier(self, choice: int, event: StreamEvent) -> None:
        self._close(choice)
        self._choices.setdefault(choice, deque()).append(event)

    def _close(self, choice: int) -> None:
        current = self._current.pop(choice, None)
        if current is not None:
            current[1].closed = True
            self.changed[current[1]] = None


def _advance(queue: deque[TextRun | StreamEvent], events: list[StreamEvent]) -> None:
    while queue:
        item = queue[0]
        if isinstance(item, TextRun):
            events.extend(item.events())
            if not item.through:
                return
        else:
            events.append(item)
        queue.popleft()


def _text_event(kind: str, choice: int) -> Made:
    def made(text: str) -> StreamEvent:
        delta = generate_pb2.TextDelta(choice=choice, text=text)
        return StreamEvent(text=delta) if kind == "text" else StreamEvent(refusal=delta)

    return made


def _reasoning_event(choice: int) -> Made:
    return lambda text: StreamEvent(reasoning=generate_pb2.ReasoningDelta(choice=choice, text=text))


def _named_event(event: StreamEvent) -> Made:
    def made(name: str) -> StreamEvent:
        event.tool_call_started.name = name
        return event

    return made


def _tool_event(choice: int, index: int) -> Made:
    return lambda text: StreamEvent(tool_call=generate_pb2.ToolCallDelta(choice=choice, index=index, arguments_json=text))
