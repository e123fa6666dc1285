"""One answer of an engine, message by message."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_engine.provider.choices import EngineChoice
from llm_mesh_adapter_engine.provider.failures import of_status
from llm_mesh_adapter_engine.provider.reading import ReadingContext
from llm_mesh_adapter_engine.provider.wire.values import AnswerPiece
from llm_mesh_adapter_kit.dialect import Events
from llm_mesh_adapter_kit.errors import malformed, reset
from llm_mesh_adapter_kit.framing import Frame
from llm_mesh_adapter_kit.metering import AttemptMeter
from llm_mesh_adapter_kit.rpc.statuses import checked


class EngineStream:
    """Implements `StreamReader` of the kit, for whole answers too: their one message ends them."""

    def __init__(self, context: ReadingContext) -> None:
        self._context = context
        self._choices = [EngineChoice(context, index) for index in range(context.candidates)]
        self._begun = False
        self._prompt = 0
        self._cached = 0
        self._reasoning = 0

    @property
    def done(self) -> bool:
        """Whether each answer has ended: at the engine, or by a stop sequence before it."""
        return all(choice.done for choice in self._choices)

    def feed(self, arrived: Sequence[Frame], events: Events, meter: AttemptMeter) -> None:
        """Appends what the arrived messages mean."""
        made: list[generate_pb2.StreamEvent] = []
        try:
            for frame in arrived:
                self._read(checked(self._context.endpoint, frame, of_status), made)
        finally:
            events.extend(made)
            meter.saw(made)

    def finish(self) -> Sequence[generate_pb2.StreamEvent]:
        """What the end of the answer means."""
        if not self.done:
            raise reset(self._context.endpoint, "the answer ended before its end")
        return [self._usage(), generate_pb2.StreamEvent(finished=generate_pb2.Finished())]

    def _read(self, message: bytes, made: list[generate_pb2.StreamEvent]) -> None:
        try:
            piece = self._context.wire.piece(message)
        except ValueError as error:
            raise malformed(self._context.endpoint, str(error)) from None
        if piece.choice >= len(self._choices):
            raise malformed(self._context.endpoint, f"answer {piece.choice}, where {len(self._choices)} were requested")
        if not self._begun:
            self._begun = True
            made.append(
                generate_pb2.StreamEvent(started=generate_pb2.Started(id=self._context.request_id, model=self._context.model.facts.served))
            )
        self._count(piece)
        choice = self._choices[piece.choice]
        try:
            for event in choice.feed(piece):
                made.append(event)  # noqa: PERF402 - what came before a failure holds
        except ValueError as error:
            made.append(self._usage())
            raise malformed(self._context.endpoint, str(error)) from None
        except Exception:
            made.append(self._usage())
            raise

    def _count(self, piece: AnswerPiece) -> None:
        self._prompt = max(self._prompt, piece.prompt_tokens)
        self._cached = max(self._cached, piece.cached_tokens)
        if piece.finish:
            self._reasoning += piece.reasoning_tokens

    def _usage(self) -> generate_pb2.StreamEvent:
        """The prompt counts once, whatever the number of its answers."""
        return generate_pb2.StreamEvent(
            usage=generate_pb2.Usage(
                input_tokens=self._prompt,
                output_tokens=sum(choice.tokens for choice in self._choices),
                cached_input_tokens=min(self._cached, self._prompt),
                reasoning_output_tokens=min(self._reasoning, sum(choice.tokens for choice in self._choices)),
            )
        )
