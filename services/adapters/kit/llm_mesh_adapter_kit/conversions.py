"""Whole answers as streams and streams as whole answers, for providers that answer in the other way than they were asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter

Event = generate_pb2.StreamEvent


class WholeAnswer:
    """Reads a whole answer as if it were a stream. Implements `StreamReader`."""

    done = True

    def __init__(self, output: generate_pb2.GenerateOutput) -> None:
        self._output = output

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Nothing arrives: the answer was read before."""

    def finish(self) -> Sequence[Event]:
        """The events of the answer, and its end."""
        return [*events_of(self._output), Event(finished=generate_pb2.Finished())]


def events_of(output: generate_pb2.GenerateOutput) -> Iterator[Event]:
    """The events of a whole answer, up to its usage; not the end of the stream."""
    started = generate_pb2.Started(id=output.id, model=output.model, created=output.created, extras=output.extras)
    started.translations.extend(output.translations)
    yield Event(started=started)
    for choice in output.choices:
        calls = 0
        for part in choice.message.parts:
            yield from _of_part(part, choice.index, calls)
            calls += part.WhichOneof("kind") == "tool_call"
        yield Event(
            choice_finished=generate_pb2.ChoiceFinished(
                choice=choice.index,
                finish_reason=choice.finish_reason,
                native_finish_reason=choice.native_finish_reason,
                extras=choice.extras,
            )
        )
    if output.HasField("usage"):
        yield Event(usage=output.usage)


def _of_part(part: content_pb2.Part, choice: int, number: int) -> Iterator[Event]:
    kind = part.WhichOneof("kind")
    if kind == "text":
        yield Event(text=generate_pb2.TextDelta(choice=choice, text=part.text.text, extras=part.extras))
    elif kind == "refusal":
        yield Event(refusal=generate_pb2.TextDelta(choice=choice, text=part.refusal.text))
    elif kind == "reasoning":
        thought = part.reasoning
        yield Event(
            reasoning=generate_pb2.ReasoningDelta(choice=choice, text=thought.text, signature=thought.signature, redacted=thought.redacted)
        )
    elif kind == "tool_call":
        call = part.tool_call
        yield Event(
            tool_call_started=generate_pb2.ToolCallStarted(choice=choice, index=number, id=call.id, name=call.name, extras=part.extras)
        )
        yield Event(tool_call=generate_pb2.ToolCallDelta(choice=choice, index=number, arguments_json=call.arguments_json))
    elif kind == "audio":
        yield Event(audio=generate_pb2.AudioDelta(choice=choice, data=part.audio.data, transcript=part.audio.transcript))


class Collector:
    """Puts the events of a stream together. Texts grow by pieces that are joined once: a text that grows anew is copied at each piece."""

    def __init__(self, output: generate_pb2.GenerateOutput) -> None:
        self._output = output
        self._choices: dict[int, generate_pb2.Choice] = {}
        self._calls: dict[tuple[int, int], _Growing] = {}
        self._last: dict[int, tuple[str, _Growing]] = {}
        """By choice its last part, and of what kind it is."""
        self._growing: list[_Growing] = []

    def collect(self, events: Iterable[Event]) -> None:
        """Adds all events, in their order."""
        for event in events:
            kind = event.WhichOneof("kind")
            if kind == "started":
                started = event.started
                self._output.id, self._output.model, self._output.created = started.id, started.model, started.created
                self._output.extras.extend(started.extras)
            elif kind == "usage":
                self._output.usage.CopyFrom(event.usage)
            elif kind is not None and kind not in {"finished", "opaque"}:
                self._add(getattr(event, kind), kind)
        for growing in self._growing:
            growing.join()

    def _add(self, piece: Any, kind: str) -> None:  # noqa: ANN401 (of many types)
        choice = self._choice(piece.choice)
        if kind == "choice_finished":
            choice.finish_reason, choice.native_finish_reason = piece.finish_reason, piece.native_finish_reason
            choice.extras.extend(piece.extras)
        elif kind == "tool_call_started":
            part = choice.message.parts.add(tool_call=content_pb2.ToolCall(id=piece.id, name=piece.name), extras=piece.extras)
            self._calls[piece.choice, piece.index] = self._part(piece.choice, kind, part.tool_call)
        elif kind == "tool_call":
            self._calls[piece.choice, piece.index].add(piece, kind)
        else:
            extras = piece.extras if kind in {"text", "refusal"} else ()
            self._growing_of(choice, kind, extras).add(piece, kind)
            if kind == "text":
                choice.logprobs.extend(piece.logprobs)
            elif kind == "refusal":
                choice.refusal_logprobs.extend(piece.logprobs)

    def _choice(self, index: int) -> generate_pb2.Choice:
        if index not in self._choices:
            self._choices[index] = self._output.choices.add(index=index)
            self._choices[index].message.role = content_pb2.ROLE_ASSISTANT
        return self._choices[index]

    def _growing_of(self, choice: generate_pb2.Choice, kind: str, extras: Sequence[content_pb2.Extra]) -> _Growing:
        """The last part where it is of the kind, else a new one, as where a piece has extras of its own."""
        last = self._last.get(choice.index)
        if last is not None and last[0] == kind and not extras:
            return last[1]
        part = choice.message.parts.add(extras=extras)
        content = getattr(part, kind)
        content.SetInParent()
        return self._part(choice.index, kind, content)

    def _part(self, choice: int, kind: str, part: Any) -> _Growing:  # noqa: ANN401 (of many types)
        growing = _Growing(part)
        self._growing.append(growing)
        self._last[choice] = kind, growing
        return growing


_FIELDS: Final[Mapping[str, Sequence[str]]] = {
    "text": ("text",),
    "refusal": ("text",),
    "reasoning": ("text", "signature", "redacted"),
    "tool_call": ("arguments_json",),
    "audio": ("data", "transcript"),
}
"""What grows, by the kind of event that brings it; in the part it has the same name."""


class _Growing:
    """A part of an answer whose texts grow."""

    __slots__ = ("_part", "_pieces")

    def __init__(self, part: Any) -> None:  # noqa: ANN401 (of many types)
        self._part = part
        self._pieces: dict[str, list[Any]] = {}

    def add(self, piece: Any, kind: str) -> None:  # noqa: ANN401 (of many types)
        """One piece more."""
        for field in _FIELDS[kind]:
            if text := getattr(piece, field):
                self._pieces.setdefault(field, []).append(text)

    def join(self) -> None:
        """Writes the texts."""
        for field, pieces in self._pieces.items():
            setattr(self._part, field, pieces[0][:0].join(pieces))
