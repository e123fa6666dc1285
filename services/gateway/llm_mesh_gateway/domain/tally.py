"""What was received of an answer, so that an attempt that broke off can be charged for what it had delivered.

The provider's own final figures win where they came. Without them output is counted from what arrived, as adapters count it.
"""

from __future__ import annotations

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_figures.texts import counted, output_tokens, part_size, text_size
from llm_mesh_gateway.domain.ports import Answer, Piece


class Tally:
    """Counts the content of one attempt."""

    __slots__ = ("_bytes", "_events", "_final", "_reported", "ended_choices")

    def __init__(self) -> None:
        self._bytes = 0
        self._events = 0
        self._reported: generate_pb2.Usage | None = None
        self._final = False
        self.ended_choices = 0

    @property
    def content(self) -> bool:
        """Whether any content came."""
        return self._events > 0

    def note(self, piece: Piece) -> bool:
        """Count a piece. Answers whether it has content that commits the answer to this attempt."""
        if piece.answer is not None:
            self._events += 1
            return True
        before = self._events
        texts, size, others = counted(piece.events)
        self._events += texts
        self._bytes += size
        for event in others:
            self._note(event)
        return self._events > before

    def _note(self, event: generate_pb2.StreamEvent) -> None:
        kind = event.WhichOneof("kind")
        if kind == "text":
            self._count("", forced=bool(event.text.logprobs))
        elif kind == "tool_call":
            self._count(event.tool_call.arguments_json)
        elif kind == "reasoning":
            delta = event.reasoning
            self._count(delta.text, forced=bool(delta.signature or delta.redacted))
        elif kind == "refusal":
            self._count(event.refusal.text, forced=bool(event.refusal.logprobs))
        elif kind == "tool_call_started":
            self._count(event.tool_call_started.name, forced=True)
        elif kind == "audio":
            self._count(event.audio.transcript, forced=True)
        elif kind == "choice_finished":
            self.ended_choices += 1
        elif kind == "usage":
            self._reported, self._final = event.usage, True
        elif kind == "started" and event.started.HasField("usage"):
            self._reported = event.started.usage

    def _count(self, text: str, *, forced: bool = False) -> None:
        if text or forced:
            self._events += 1
            self._bytes += text_size(text)

    @property
    def counted(self) -> int:
        """The output tokens in what arrived."""
        return output_tokens(self._events, self._bytes)

    def usage(self, estimated_input_tokens: int) -> tuple[generate_pb2.Usage, bool]:
        """What was used so far, and whether the provider says that it is all. What it says at a stream's begin is true of the input."""
        counted = self.counted
        usage = generate_pb2.Usage()
        if self._reported is not None:
            usage.CopyFrom(self._reported)
            if self._final and usage.output_tokens >= counted:
                return usage, True
        if not usage.input_tokens:
            usage.input_tokens = estimated_input_tokens
        usage.output_tokens = max(usage.output_tokens, counted)
        return usage, False


def counted_in(answer: Answer) -> int:
    """The output tokens in a whole answer. Vectors have none."""
    if not isinstance(answer, generate_pb2.GenerateOutput):
        return 0
    sizes = [part_size(part) for choice in answer.choices for part in choice.message.parts]
    return output_tokens(len(sizes), sum(sizes))
