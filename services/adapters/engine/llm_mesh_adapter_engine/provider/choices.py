"""One of the answers of a request: from its tokens to events."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_engine.provider.failures import of_end
from llm_mesh_adapter_engine.provider.reading import Calling, ReadingContext
from llm_mesh_adapter_engine.provider.text.calls import ModelCall, call_of, calls_of
from llm_mesh_adapter_engine.provider.text.detokenizing import Detokenizer
from llm_mesh_adapter_engine.provider.text.sections import CALL_BEGINS, CALL_ENDS, Section, SectionKind, Sections
from llm_mesh_adapter_engine.provider.text.stopping import StopSequences
from llm_mesh_adapter_engine.provider.wire.values import AnswerPiece, TokenChance

Event = generate_pb2.StreamEvent
_REASONS: Final = {"stop": generate_pb2.FINISH_REASON_STOP, "length": generate_pb2.FINISH_REASON_LENGTH}
_FAILED: Final = frozenset({"abort", "error"})
_UNKNOWN: Final = "\ufffd"


class EngineChoice:
    """Reads the pieces of one answer."""

    def __init__(self, context: ReadingContext, index: int) -> None:
        self._context = context
        self._index = index
        self._detokenizer = Detokenizer(context.model.text)
        self._stops = StopSequences(context.stop)
        marked = context.calling is Calling.MARKED
        self._sections = Sections(reasons=context.reasons, begun=context.reasoning_begun, calls=marked)
        self._listed: list[str] = []
        """The text of a list of calls, which is read once it is whole."""
        self._calls = 0
        self._chances: list[generate_pb2.TokenLogprob] = []
        self.tokens = 0
        """How many have come."""
        self.done = False

    def feed(self, piece: AnswerPiece) -> Iterator[Event]:
        """What a piece means."""
        if self.done:
            return  # it came to a stop sequence before the engine did
        tokens = self._fresh(piece)
        self.tokens += len(tokens)
        if self._context.logprobs:
            self._chances += [self._chance(each) for each in piece.chances[len(piece.chances) - len(tokens) :]] if tokens else []
        text = self._stops.feed(self._detokenizer.feed(tokens))
        ends = bool(piece.finish) or bool(self._stops.stopped)
        if ends and not self._stops.stopped:
            text += self._stops.rest()
        yield from self._events(text, ends=ends)
        if self._chances:
            yield Event(text=generate_pb2.TextDelta(choice=self._index, logprobs=self._taken()))
        if ends:
            self.done = True
            yield from self._finished(piece.finish or "stop")

    def _fresh(self, piece: AnswerPiece) -> Sequence[int]:
        """The tokens that have not come yet: at the end engines send all of them, the last ones once more, or none."""
        if not piece.finish:
            return piece.tokens
        return piece.tokens[self.tokens :] if len(piece.tokens) > self.tokens else ()

    def _events(self, text: str, *, ends: bool) -> Iterator[Event]:
        calling = self._context.calling
        sections = [*self._sections.feed(text), *(self._sections.finish() if ends else ())]
        for section in sections:
            if section.kind is SectionKind.TEXT and calling is Calling.LIST:
                self._listed.append(section.text)
            elif section.kind is SectionKind.TEXT and calling is Calling.ARGUMENTS:
                yield from self._arguments(section.text)
            else:
                yield from self._section(section)
        if ends and calling is Calling.LIST:
            yield from self._whole_list("".join(self._listed))

    def _section(self, section: Section) -> Iterable[Event]:
        if section.kind is SectionKind.REASONING:
            return [Event(reasoning=generate_pb2.ReasoningDelta(choice=self._index, text=section.text))]
        if section.kind is SectionKind.TEXT:
            return [self._text(section.text)]
        call = call_of(section.text)
        return self._called(call) if call is not None else [self._text(f"{CALL_BEGINS}{section.text}{CALL_ENDS}")]

    def _text(self, text: str) -> Event:
        return Event(text=generate_pb2.TextDelta(choice=self._index, text=text, logprobs=self._taken()))

    def _arguments(self, text: str) -> Iterator[Event]:
        """The text is the arguments of the one call, as they come."""
        if not self._calls:
            yield self._begun(self._context.tool)
        yield Event(tool_call=generate_pb2.ToolCallDelta(choice=self._index, index=0, arguments_json=text))

    def _whole_list(self, text: str) -> Iterable[Event]:
        calls = calls_of(text)
        if calls is None:
            return [self._text(text)] if text else []  # cut off, most likely: the caller sees as far as it came
        return [event for call in calls for event in self._called(call)]

    def _called(self, call: ModelCall) -> list[Event]:
        index = self._calls
        begun = self._begun(call.name)
        delta = generate_pb2.ToolCallDelta(choice=self._index, index=index, arguments_json=call.arguments_json)
        return [begun, Event(tool_call=delta)]

    def _begun(self, name: str) -> Event:
        index, self._calls = self._calls, self._calls + 1
        identifier = f"call_{self._context.request_id.removeprefix('mesh-')}_{self._index}_{index}"
        return Event(tool_call_started=generate_pb2.ToolCallStarted(choice=self._index, index=index, id=identifier, name=name))

    def _finished(self, finish: str) -> Iterator[Event]:
        if finish in _FAILED:
            raise of_end(self._context.endpoint, finish)
        reason = _REASONS.get(finish, generate_pb2.FINISH_REASON_OTHER)
        if self._calls and reason == generate_pb2.FINISH_REASON_STOP:
            reason = generate_pb2.FINISH_REASON_TOOL_CALLS
        yield Event(choice_finished=generate_pb2.ChoiceFinished(choice=self._index, finish_reason=reason, native_finish_reason=finish))

    def _taken(self) -> list[generate_pb2.TokenLogprob]:
        chances, self._chances = self._chances, []
        return chances

    def _chance(self, chance: TokenChance) -> generate_pb2.TokenLogprob:
        made = self._logprob(chance.token, chance.logprob)
        made.top.extend(self._logprob(token, logprob) for token, logprob in chance.top)
        return made

    def _logprob(self, token: int, logprob: float) -> generate_pb2.TokenLogprob:
        text = self._context.model.text.token(token)
        utf8 = b"" if _UNKNOWN in text else text.encode()
        return generate_pb2.TokenLogprob(token=text, logprob=min(logprob, 0.0), utf8=utf8)
