"""From a provider's chunks to typed events.

Most chunks are a few characters of text: they take a short way, without looking at every key twice. What is not modelled travels
as an opaque event that holds just that fragment of its chunk, so that a writer of the same dialect can send it on. `obfuscation`,
random padding against eavesdroppers on the provider's line, ends here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.errors import DialectError, TruncatedError
from llm_mesh_dialects.extras import as_extras, dumped
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count, loose_text, mended
from llm_mesh_dialects.openai.logprobs import read_logprobs
from llm_mesh_dialects.openai.quirks import OPENAI, OpenAIQuirks
from llm_mesh_dialects.openai.streams.deltas import DeltaReader
from llm_mesh_dialects.openai.streams.template import Template, template
from llm_mesh_dialects.openai.tiers import TIER, served_tier
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_dialects.openai.vocabulary import DIALECT, finish_of

if TYPE_CHECKING:
    from google.protobuf.internal.containers import RepeatedCompositeFieldContainer

CHUNK = "chat.completion.chunk"
_HEAD = frozenset({"id", "object", "created", "model", "choices", "usage", "obfuscation"})
_CHOICE = frozenset({"index", "delta", "finish_reason", "logprobs", "usage"})
# Keys that a chunk of plain text may have; `usage` takes the long way.
_SAME = _HEAD - {"usage"}
_PLAIN = frozenset({"index", "delta"})
_TEXTS = ("content", "reasoning_content", "reasoning")
_INT32 = 2**31 - 1
_MOST_LEARNT = 16
"""Streams of several choices interleave; what is learnt anew each time costs more than it saves."""

Event = generate_pb2.StreamEvent


class ChunkReader:
    """Reads one stream. `finished` says whether every choice that began has ended."""

    def __init__(self, quirks: OpenAIQuirks = OPENAI) -> None:
        self._quirks = quirks
        self._deltas = DeltaReader()
        self._started = False
        self._early: dict[str, Any] = {}
        self._known: dict[str, Any] = {}
        self._open: set[int] = set()
        self._ended: set[int] = set()
        self._usage: generate_pb2.Usage | None = None
        self._template: Template | None = None
        self._learnt = 0

    @property
    def usage(self) -> generate_pb2.Usage | None:
        """The latest usage that the provider reported."""
        return self._usage

    @property
    def complete(self) -> bool:
        """Whether each choice that began has ended, and at least one has."""
        return bool(self._ended) and not self._open

    def again(
        self,
        chunks: Sequence[tuple[bytes, str]],
        place: int,
        events: RepeatedCompositeFieldContainer[Event],
        read_texts: list[str] | None = None,
    ) -> int:
        """Adds the events of the chunks from a place on that differ in their text alone from the one before; answers where they end.

        Their texts, none of them empty, are added to `read_texts`: who counts them need not look them up in the events.
        """
        if self._template is None:
            return place
        texts = self._template.read(chunks, place, events)
        if read_texts is not None:
            read_texts += texts
        return place + len(texts)

    def feed(self, chunk: dict[str, Any], data: bytes = b"") -> list[Event]:
        """The events of one chunk; raises `DialectError` where it is none. From its `data`, `again` learns."""
        if type(chunk) is not dict:
            raise DialectError("", "expected an object")
        short = None if self._deltas.waits else self._short(chunk)
        if short is not None:
            if data and self._learnt < _MOST_LEARNT:
                self._learnt += 1
                self._template = template(data, chunk)
            return [short]
        return self._long(chunk)

    def feed_halves(self, chunk: object) -> list[Event]:
        """Likewise, for a chunk whose texts may begin or end with half of a surrogate pair."""
        if not isinstance(chunk, dict):
            raise DialectError("", "expected an object")
        return self._long(_mended_but_texts(chunk))

    def _long(self, chunk: dict[str, Any]) -> list[Event]:
        self._template = None
        events: list[Event] = []
        choices = chunk.get("choices")
        if choices is None:
            choices = []
        if type(choices) is not list:
            raise DialectError("choices", "expected a list")
        self._begin(chunk, bool(choices), events)
        for place, choice in enumerate(choices):
            self._choice(choice, place, events)
        usage = chunk.get("usage") or _groq(chunk) or _of_choice(choices)
        if usage is not None:
            read = read_usage(usage, self._quirks)
            if self._usage is None or read.input_tokens or read.output_tokens:  # some servers report zeros once they have reported
                self._usage = read
        if self._usage is not None and TIER in self._known:  # the provider may say it before or after the usage
            self._usage.service_tier = served_tier(self._known[TIER])
        return events

    def _short(self, chunk: dict[str, Any]) -> Event | None:
        """A chunk that only adds text to a choice that has begun; None: it takes the long way."""
        choices = chunk.get("choices")
        if type(choices) is not list or len(choices) != 1 or type(choice := choices[0]) is not dict:
            return None
        delta = choice.get("delta")
        if type(delta) is not dict or len(delta) != 1 or type(text := delta.get("content")) is not str or not text:
            return None
        index = choice.get("index")
        if type(index) is not int or index not in self._open:
            return None
        for key, value in choice.items():
            if value is not None and key not in _PLAIN:
                return None
        for key, value in chunk.items():
            if value is not None and key not in _SAME and self._known.get(key) != value:
                return None
        event = Event()
        event.text.text = text
        event.text.choice = index
        return event

    def finish(self, *, said_so: bool = False) -> list[Event]:
        """The end of the stream: usage, and that the answer is whole. Raises `TruncatedError` where it is not.

        Where the provider `said_so`, choices that had content and no reason of their end have ended as usual.
        """
        events: list[Event] = []
        if said_so:
            for index in sorted(self._open):
                self._end("stop", index, None, 0, events)
        if not self.complete:
            raise TruncatedError("the stream ended before the answer did")
        if self._usage is not None:
            events.append(Event(usage=self._usage))
        return [*events, Event(finished=generate_pb2.Finished())]

    def _begin(self, chunk: dict[str, Any], content: bool, events: list[Event]) -> None:  # noqa: FBT001 (a private step)
        left = None if chunk.keys() <= _HEAD else {key: value for key, value in chunk.items() if key not in _HEAD and value is not None}
        if self._started:
            if left:
                new = {key: value for key, value in left.items() if key not in self._known or self._known[key] != value}
                if new:
                    self._known |= new
                    events.append(fragment(new))
            return
        if not content and not chunk.get("id"):  # Azure says what it filtered before the answer has a name
            self._early |= left or {}
            return
        self._started = True
        self._known = self._early | (left or {})
        self._deltas.answer = loose_text(chunk.get("id"))
        started = generate_pb2.Started(
            id=self._deltas.answer,
            model=loose_text(chunk.get("model")),
            created=int(loose_count(chunk.get("created")) or 0),
            extras=as_extras(DIALECT, self._known),
        )
        events.append(Event(started=started))

    def _choice(self, choice: Any, place: int, events: list[Event]) -> None:  # noqa: ANN401 (JSON)
        if type(choice) is not dict:
            raise DialectError(f"choices[{place}]", "expected an object")
        index = choice.get("index")
        if type(index) is not int:
            index = loose_count(index)
            index = place if index is None else index
        if not 0 <= index <= _INT32:
            raise DialectError(f"choices[{place}].index", "expected a whole number")
        if index not in self._ended:
            self._open.add(index)
        content, refusal, odd = read_logprobs(Fields(choice, f"choices[{place}]")) if choice.get("logprobs") else ([], [], {})
        delta = choice.get("delta")
        if delta:
            self._deltas.read(delta, index, f"choices[{place}].delta", content, refusal, events)
        elif content or refusal:
            events.append(Event(text=generate_pb2.TextDelta(choice=index, logprobs=content or refusal)))
        left = None if choice.keys() <= _CHOICE else {k: v for k, v in choice.items() if k not in _CHOICE and v is not None}
        if odd:
            left = {**(left or {}), "logprobs": odd}
        word = choice.get("finish_reason")
        if word and index not in self._ended:
            self._end(word, index, left, place, events)
        elif left:
            events.append(fragment({"choices": [{"index": index, "delta": {}, **left}]}))

    def _end(self, word: object, index: int, left: dict[str, Any] | None, place: int, events: list[Event]) -> None:
        if not isinstance(word, str):
            raise DialectError(f"choices[{place}].finish_reason", "expected a string")
        self._open.discard(index)
        self._ended.add(index)
        self._deltas.end(index, events)
        reason = finish_of(word)
        if reason == generate_pb2.FINISH_REASON_STOP and self._deltas.called(index):
            reason = generate_pb2.FINISH_REASON_TOOL_CALLS
        finished = generate_pb2.ChoiceFinished(
            choice=index, finish_reason=reason, native_finish_reason=word, extras=as_extras(DIALECT, left or {})
        )
        events.append(Event(choice_finished=finished))


def fragment(part: dict[str, Any]) -> Event:
    """A part of a chunk that is not modelled."""
    return Event(opaque=content_pb2.OpaquePart(dialect=DIALECT, type=CHUNK, json=dumped(part, "chunk")))


def _of_choice(choices: list[Any]) -> dict[str, Any] | None:
    """Moonshot reports usage in the last choice."""
    usages = [each.get("usage") for each in choices if isinstance(each, dict)]
    return next((usage for usage in usages if isinstance(usage, dict)), None)


def _mended_but_texts(chunk: dict[str, Any]) -> dict[str, Any]:
    """The chunk with whole characters everywhere but in the texts of its deltas, whose other halves may come in the next chunk."""
    whole: dict[str, Any] = mended(chunk)
    before, after = chunk.get("choices"), whole.get("choices")
    if isinstance(before, list) and isinstance(after, list):
        for odd, even in zip(before, after, strict=True):
            delta = odd.get("delta") if isinstance(odd, dict) else None
            if isinstance(delta, dict):
                even["delta"].update({key: delta[key] for key in _TEXTS if isinstance(delta.get(key), str)})
    return whole


def _groq(chunk: dict[str, Any]) -> dict[str, Any] | None:
    """Groq reports usage in a drawer of its own."""
    drawer = chunk.get("x_groq")
    usage = drawer.get("usage") if isinstance(drawer, dict) else None
    return usage if isinstance(usage, dict) else None
