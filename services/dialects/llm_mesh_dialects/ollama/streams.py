"""Streams of the dialect, as typed events: one JSON object in each line, the last with `done`, the reason and the counts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import TruncatedError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.ollama.answers import OllamaMessage, created, logprobs, message_of, unmodelled
from llm_mesh_dialects.ollama.usage import read_usage
from llm_mesh_dialects.ollama.vocabulary import DIALECT, finish_of

Event = generate_pb2.StreamEvent


class ChatReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self.done = False
        self._begun = False
        self._calls = 0
        self._usage: generate_pb2.Usage | None = None
        self._finished = generate_pb2.Finished()

    def feed(self, line: object) -> Iterator[Event]:
        """What one line means. Raises `DialectError` where it is none of the dialect."""
        answer = Fields(line)
        if not self._begun:
            self._begun = True
            yield Event(started=generate_pb2.Started(model=answer.text("model") or "", created=created(answer)))
        message = message_of(answer, self._calls)
        yield from self._content(message, logprobs(answer))
        if answer.truth("done"):
            yield self._ended(answer)
        elif rest := unmodelled(answer):
            yield Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type="line", json=dumped(rest)))

    def finish(self) -> Sequence[Event]:
        """What the end of the stream means. Raises `TruncatedError` where the answer is not whole."""
        if not self.done:
            raise TruncatedError("the stream ended before its answer did")
        usage = [] if self._usage is None else [Event(usage=self._usage)]
        return [*usage, Event(finished=self._finished)]

    def _content(self, message: OllamaMessage, probabilities: list[generate_pb2.TokenLogprob]) -> Iterator[Event]:
        if message.thinking:
            yield Event(reasoning=generate_pb2.ReasoningDelta(text=message.thinking))
        if message.text or probabilities:
            yield Event(text=generate_pb2.TextDelta(text=message.text, logprobs=probabilities))
        for call in message.calls:
            yield Event(tool_call_started=generate_pb2.ToolCallStarted(index=self._calls, id=call.id, name=call.name))
            yield Event(tool_call=generate_pb2.ToolCallDelta(index=self._calls, arguments_json=call.arguments))
            self._calls += 1
        if message.rest:
            yield Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type="message", json=dumped(message.rest)))

    def _ended(self, answer: Fields) -> Event:
        self.done, self._usage = True, read_usage(answer.whole_object())
        word = answer.text("done_reason") or ""
        self._finished.extras.extend(as_extras(DIALECT, unmodelled(answer)))
        reason = finish_of(word or "stop", calls=bool(self._calls))
        return Event(choice_finished=generate_pb2.ChoiceFinished(finish_reason=reason, native_finish_reason=word))
