"""Streams of the dialect, as typed events. Each event says its type itself; `message-end` has the reason and the usage."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.cohere.answers import logprob
from llm_mesh_dialects.cohere.usage import read_usage
from llm_mesh_dialects.cohere.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.errors import TruncatedError
from llm_mesh_dialects.extras import dumped
from llm_mesh_dialects.fields import Fields

Event = generate_pb2.StreamEvent


class CohereChatReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self.done = False
        self.error = ""
        """What the provider says of a failure at the end of the stream."""
        self._begun = False
        self._calls = 0
        self._indexes: dict[int, int] = {}
        """The newest call that has begun at each of the provider's indexes, which may come twice."""
        self._usage: generate_pb2.Usage | None = None
        self._readers: Mapping[str, Callable[[Fields], Iterator[Event]]] = {
            "message-start": self._start,
            "content-start": self._content,
            "content-delta": self._content,
            "content-end": _nothing,
            "tool-plan-delta": _plan,
            "tool-call-start": self._call,
            "tool-call-delta": self._arguments,
            "tool-call-end": _nothing,
            "citation-end": _nothing,
            "message-end": self._end,
        }

    def feed(self, piece: object) -> Iterator[Event]:
        """What one event means. Raises `DialectError` where it is none of the dialect."""
        event = Fields(piece)
        kind = event.required_text("type")
        if not self._begun:
            self._begun = True
            yield Event(started=generate_pb2.Started(id=event.text("id") or ""))
        read = self._readers.get(kind)
        if read is not None:
            yield from read(event)
        else:  # citations, and what is newer
            yield Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=kind, json=dumped(event.whole_object())))

    def finish(self) -> Sequence[Event]:
        """What the end of the stream means. Raises `TruncatedError` where the answer is not whole."""
        if not self.done:
            raise TruncatedError("the stream ended before its answer did")
        usage = [] if self._usage is None else [Event(usage=self._usage)]
        return [*usage, Event(finished=generate_pb2.Finished())]

    @property
    def usage(self) -> generate_pb2.Usage | None:
        """What the provider bills, once it has said so."""
        return self._usage

    def _start(self, event: Fields) -> Iterator[Event]:
        event.text("id")
        return iter(())

    def _content(self, event: Fields) -> Iterator[Event]:
        content = _message(event).inner("content")
        if content is None:
            return
        probabilities = event.inner("logprobs")
        scored = [] if probabilities is None else [logprob(probabilities)]
        if thought := content.text("thinking"):
            yield Event(reasoning=generate_pb2.ReasoningDelta(text=thought))
        text = content.text("text") or ""
        if text or scored:
            yield Event(text=generate_pb2.TextDelta(text=text, logprobs=scored))

    def _call(self, event: Fields) -> Iterator[Event]:
        call = _message(event).required("tool_calls")
        function = call.required("function")
        index, self._calls = self._calls, self._calls + 1
        self._indexes[event.whole("index", 0) or 0] = index
        started = generate_pb2.ToolCallStarted(index=index, id=call.required_text("id"), name=function.required_text("name"))
        yield Event(tool_call_started=started)
        if arguments := function.text("arguments"):
            yield Event(tool_call=generate_pb2.ToolCallDelta(index=index, arguments_json=arguments))

    def _arguments(self, event: Fields) -> Iterator[Event]:
        index = self._indexes.get(event.whole("index", 0) or 0)
        if index is None:
            raise event.wrong("index", "expected the index of a call that has begun")
        function = _message(event).required("tool_calls").required("function")
        if arguments := function.text("arguments"):
            yield Event(tool_call=generate_pb2.ToolCallDelta(index=index, arguments_json=arguments))

    def _end(self, event: Fields) -> Iterator[Event]:
        delta = event.required("delta")
        word = delta.text("finish_reason") or ""
        self.done, self._usage, self.error = True, read_usage(delta.raw("usage")), delta.text("error") or ""
        yield Event(choice_finished=generate_pb2.ChoiceFinished(finish_reason=finish_of(word), native_finish_reason=word))


def _message(event: Fields) -> Fields:
    return event.required("delta").required("message")


def _plan(event: Fields) -> Iterator[Event]:
    if plan := _message(event).text("tool_plan"):
        yield Event(text=generate_pb2.TextDelta(text=plan))


def _nothing(event: Fields) -> Iterator[Any]:
    del event
    return iter(())
