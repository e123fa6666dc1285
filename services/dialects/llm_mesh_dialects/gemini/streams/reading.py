"""From a provider's chunks to typed events. A chunk has the shape of a whole answer, and holds what came since the last one.

What is not modelled of candidates and answer is said again in each chunk, and grows: the last that was said goes with the end.
"""

from __future__ import annotations

from base64 import b64encode
from typing import Any, Final

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import TruncatedError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini.logprobs import read_logprobs
from llm_mesh_dialects.gemini.responses.parts_reading import part
from llm_mesh_dialects.gemini.responses.reading import created, present
from llm_mesh_dialects.gemini.streams.calls import CandidateCalls
from llm_mesh_dialects.gemini.streams.partial_arguments import ArgumentRoom
from llm_mesh_dialects.gemini.usage import usage_in
from llm_mesh_dialects.gemini.vocabulary import DIALECT, finish_of
from llm_mesh_dialects.loose import loose_text

Event = generate_pb2.StreamEvent
_INT32: Final = 2**31 - 1
_MOST_CANDIDATES: Final = 128
"""Requests ask for fewer; a candidate takes a hundred times the memory of its bytes."""
_PLAIN: Final = frozenset({"text"})


class _Candidate:
    """One candidate, as far as it came."""

    __slots__ = ("calls", "ended", "index", "left")

    def __init__(self, index: int, room: ArgumentRoom) -> None:
        self.index = index
        self.calls = CandidateCalls(index, room)
        self.left: dict[str, Any] = {}
        self.ended = False


class GeminiChunkReader:
    """Reads one stream."""

    def __init__(self) -> None:
        self._id = ""
        self._started = False
        self._candidates: dict[int, _Candidate] = {}
        self._room = ArgumentRoom()
        self._usage: generate_pb2.Usage | None = None
        self._left: dict[str, Any] = {}

    @property
    def complete(self) -> bool:
        """Whether each candidate has ended, with a reason."""
        return bool(self._candidates) and all(each.ended for each in self._candidates.values())

    def feed(self, chunk: dict[str, Any]) -> list[Event]:
        """The typed events of one chunk; raises `DialectError` where it is none."""
        events: list[Event] = []
        fields = Fields(chunk)
        identifier, model = loose_text(fields.raw("responseId")), loose_text(fields.raw("modelVersion"))
        made, used = created(fields), usage_in(fields)
        self._usage = used or self._usage
        if not self._started:
            self._started, self._id = True, identifier
            events.append(Event(started=generate_pb2.Started(id=identifier, model=model, created=made, usage=used)))
        for place, candidate in enumerate(fields.each("candidates")):
            self._candidate(candidate, place, events)
        self._left |= present(fields.rest())
        return events

    def finish(self) -> list[Event]:
        """The end of the stream: usage, and that the answer is whole. Raises `TruncatedError` where it is not."""
        if not self.complete:
            raise TruncatedError("the stream ended before the answer did")
        events = [Event(usage=self._usage)] if self._usage is not None else []
        return [*events, Event(finished=generate_pb2.Finished(extras=as_extras(DIALECT, self._left)))]

    def _candidate(self, fields: Fields, place: int, events: list[Event]) -> None:
        number = fields.whole("index", 0, _INT32)
        index = place if number is None else number
        candidate = self._candidates.get(index)
        if candidate is None:
            if len(self._candidates) >= _MOST_CANDIDATES:
                raise fields.wrong("index", f"expected at most {_MOST_CANDIDATES} candidates")
            candidate = self._candidates[index] = _Candidate(index, self._room)
        content = fields.inner("content") if isinstance(fields.peek("content"), dict) else None
        first = len(events)
        for each in content.each("parts") if content is not None else ():
            self._part(each, candidate, events)
        self._attach_logprobs(fields, index, events, first)
        word = fields.text("finishReason") or ""
        candidate.left |= {key: value for key, value in present(fields.rest()).items() if key != "content"}
        if word and not candidate.ended:
            self._end(candidate, word, events)

    def _part(self, fields: Fields, candidate: _Candidate, events: list[Event]) -> None:
        values = fields.whole_object()
        if values.keys() == _PLAIN and type(values["text"]) is str:  # as nearly always
            if values["text"]:
                events.append(Event(text=generate_pb2.TextDelta(choice=candidate.index, text=values["text"])))
            return
        if isinstance(values.get("functionCall"), dict):
            candidate.calls.read(fields, self._id, fields.text("thoughtSignature") or "", events)
            return
        events += (_event(each, candidate.index) for each in part(fields, ""))

    def _attach_logprobs(self, fields: Fields, index: int, events: list[Event], first: int) -> None:
        """They go with the first text of their chunk, or with an empty one."""
        logprobs = read_logprobs(fields)
        if not logprobs:
            return
        text = next((each for each in events[first:] if each.WhichOneof("kind") == "text"), None)
        if text is None:
            text = Event(text=generate_pb2.TextDelta(choice=index))
            events.append(text)
        text.text.logprobs.extend(logprobs)

    def _end(self, candidate: _Candidate, word: str, events: list[Event]) -> None:
        candidate.calls.close(events)
        candidate.ended = True
        finished = generate_pb2.ChoiceFinished(
            choice=candidate.index,
            finish_reason=finish_of(word, called=candidate.calls.count > 0),
            native_finish_reason=word,
            extras=as_extras(DIALECT, candidate.left),
        )
        events.append(Event(choice_finished=finished))


def _event(read: content_pb2.Part, choice: int) -> Event:
    """The event of a part that is no function call. Images and files have none of their own: they travel as the dialect has them."""
    kind = read.WhichOneof("kind")
    if kind == "text":
        return Event(text=generate_pb2.TextDelta(choice=choice, text=read.text.text, extras=read.extras))
    if kind == "reasoning":
        return Event(reasoning=generate_pb2.ReasoningDelta(choice=choice, text=read.reasoning.text, signature=read.reasoning.signature))
    if kind == "audio":
        return Event(audio=generate_pb2.AudioDelta(choice=choice, data=read.audio.data))
    if kind == "opaque":
        return Event(opaque=read.opaque)
    medium = read.image if kind == "image" else read.file
    data = {"inlineData": {"mimeType": medium.mime_type, "data": _base64(medium.data)}}
    return Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type="inlineData", json=dumped(data)))


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")
