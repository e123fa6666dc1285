"""What an attempt used: the provider's own figures, or the mesh's count where there are none.

The gateway counts by the same functions. The input is what the plan estimates. A count never exceeds what was granted: reservations hold
in spite of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import embed_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_figures.texts import counted, output_tokens, part_size, size_of, text_size

_CONTENT = frozenset({"text", "reasoning", "refusal", "tool_call_started", "tool_call", "audio"})


class AttemptMeter:
    """Watches one attempt."""

    __slots__ = ("_attempt", "_bytes", "_final", "_most_output", "_reported", "content")

    def __init__(self, attempt: plan_pb2.Attempt, most_output: int) -> None:
        self._attempt = attempt
        self._most_output = most_output
        self._bytes = 0
        self.content = 0
        """How many events carried content."""
        self._reported: generate_pb2.Usage | None = None
        self._final = False

    @property
    def spent(self) -> bool:
        """Whether the provider reported usage, or delivered content."""
        return self.content > 0 or self._reported is not None

    @property
    def final(self) -> bool:
        """Whether the provider reported its final usage, be it wrong."""
        return self._final

    @property
    def size(self) -> int:
        """Bytes of the content of a stream, so far."""
        return self._bytes

    def saw_texts(self, texts: list[str]) -> None:
        """Notes events that are plain texts, none of them empty."""
        self.content += len(texts)
        self._bytes += size_of(texts)

    def saw(self, events: Sequence[generate_pb2.StreamEvent]) -> None:
        """Notes events of all kinds."""
        texts, size, others = counted(events)
        self.content += texts
        self._bytes += size
        for event in others:
            self._other(event)

    def _other(self, event: generate_pb2.StreamEvent) -> None:
        kind = event.WhichOneof("kind")
        if kind in _CONTENT:
            self.content += 1
            self._bytes += _size(getattr(event, str(kind)))
        elif kind == "usage":
            self._reported, self._final = event.usage, True
        elif kind == "started" and event.started.HasField("usage"):
            self._reported = event.started.usage

    def whole(self, output: generate_pb2.GenerateOutput) -> None:
        """Notes a whole answer."""
        if output.HasField("usage"):
            usage = output.usage
            self._reported, self._final = usage, True
            if usage.output_tokens:
                return  # nothing is left to count
        for choice in output.choices:
            self.content += len(choice.message.parts)
            self._bytes += sum(map(part_size, choice.message.parts))

    def embedded(self, output: embed_pb2.EmbedOutput) -> None:
        """Notes vectors."""
        if output.HasField("usage"):
            self._reported, self._final = output.usage, True

    def tell(self, error: AdapterError) -> None:
        """A stream that fails after something was spent says how much."""
        if not self.spent:
            return
        usage, _ = self.report()
        error.metadata |= {"input_tokens": str(usage.input_tokens), "output_tokens": str(usage.output_tokens)}
        if self.final:
            error.metadata["usage_source"] = "provider"

    def report(self) -> tuple[generate_pb2.Usage, usage_pb2.UsageSource]:
        """The usage so far, and who says so."""
        counted = min(output_tokens(self.content, self._bytes), self._most_output)
        reported = self._reported
        # What a stream says at its beginning is true of the input; the output was yet to come.
        if reported is not None and reported.input_tokens and ((self._final and reported.output_tokens) or not self.content):
            return reported, usage_pb2.USAGE_SOURCE_PROVIDER
        usage = generate_pb2.Usage()
        if reported is not None:
            usage.CopyFrom(reported)
        if not usage.input_tokens:
            usage.input_tokens = self._attempt.estimated_input_tokens or self._attempt.max_input_tokens
        usage.output_tokens = max(usage.output_tokens, counted)
        return usage, usage_pb2.USAGE_SOURCE_COUNTED


def _size(content: object) -> int:
    """Bytes of text; those of a sound are its transcript's."""
    text = (
        getattr(content, "text", "") or getattr(content, "arguments_json", "") or getattr(content, "transcript", "")
        or getattr(content, "name", "")
    )  # fmt: skip
    return text_size(text)
