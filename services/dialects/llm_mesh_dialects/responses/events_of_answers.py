"""A whole answer as the typed events of a stream, so that one writer makes a response of either."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.extras import dumped, parsed
from llm_mesh_dialects.responses.annotations import annotation_of
from llm_mesh_dialects.responses.vocabulary import DIALECT, PART_DONE

Event = generate_pb2.StreamEvent


def events_of(output: generate_pb2.GenerateOutput) -> Iterator[Event]:
    """The events of the first choice, up to the usage."""
    yield Event(started=generate_pb2.Started(id=output.id, model=output.model, created=output.created, extras=output.extras))
    for choice in output.choices[:1]:
        logprobs = choice.logprobs[:]
        for number, part in enumerate(choice.message.parts):
            write = _KINDS.get(part.WhichOneof("kind") or "")
            for event in write(part, number) if write is not None else ():
                if logprobs and event.HasField("text"):
                    event.text.logprobs.extend(logprobs)
                    logprobs = []
                yield event
        finished = generate_pb2.ChoiceFinished(
            finish_reason=choice.finish_reason, native_finish_reason=choice.native_finish_reason, extras=choice.extras
        )
        yield Event(choice_finished=finished)
    if output.HasField("usage"):
        yield Event(usage=output.usage)


def _text(part: content_pb2.Part, _number: int) -> Iterator[Event]:
    yield Event(text=generate_pb2.TextDelta(text=part.text.text, extras=part.extras))
    for each in part.text.annotations:
        if (annotation := annotation_of(each)) is not None:
            yield Event(opaque=annotation)


def _refusal(part: content_pb2.Part, _number: int) -> Iterator[Event]:
    yield Event(refusal=generate_pb2.TextDelta(text=part.refusal.text, extras=part.extras))


def _reasoning(part: content_pb2.Part, _number: int) -> Iterator[Event]:
    thought = part.reasoning
    yield Event(reasoning=generate_pb2.ReasoningDelta(text=thought.text, signature=thought.signature, redacted=thought.redacted))


def _call(part: content_pb2.Part, number: int) -> Iterator[Event]:
    call = part.tool_call
    yield Event(tool_call_started=generate_pb2.ToolCallStarted(index=number, id=call.id, name=call.name, extras=part.extras))
    yield Event(tool_call=generate_pb2.ToolCallDelta(index=number, arguments_json=call.arguments_json))


def _opaque(part: content_pb2.Part, _number: int) -> Iterator[Event]:
    opaque = part.opaque
    if opaque.item:
        yield Event(opaque=opaque)
    elif opaque.dialect == DIALECT:  # a content of a message
        event = dumped({"type": PART_DONE, "part": parsed(opaque.json)})
        yield Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=PART_DONE, json=event))


def _audio(part: content_pb2.Part, _number: int) -> Iterator[Event]:
    yield Event(audio=generate_pb2.AudioDelta(data=part.audio.data))


_KINDS: Final[Mapping[str, Callable[[content_pb2.Part, int], Iterator[Event]]]] = {
    "text": _text,
    "refusal": _refusal,
    "reasoning": _reasoning,
    "tool_call": _call,
    "opaque": _opaque,
    "audio": _audio,
}
