"""What an attempt used: the provider's own figures, or the mesh's count where there are none."""

from __future__ import annotations

from collections.abc import Iterable

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2

_BYTES_PER_TOKEN = 3
"""Common tokenizers need about four bytes of English per token; three errs on the provider's side."""

CONTENT = frozenset({"text", "reasoning", "refusal", "tool_call_started", "tool_call", "audio"})
"""Events that carry content: the first one released to the caller is the commit point."""


class Meter:
    """Counts what goes to a provider and what comes back, for as long as the provider does not say itself."""

    __slots__ = ("_attempt", "_input_bytes", "_output_bytes", "_reported", "_started")

    def __init__(self, attempt: plan_pb2.Attempt, input_bytes: int) -> None:
        self._attempt = attempt
        self._input_bytes = input_bytes
        self._output_bytes = 0
        self._started: generate_pb2.Usage | None = None
        self._reported: generate_pb2.Usage | None = None

    def saw(self, events: Iterable[generate_pb2.StreamEvent]) -> bool:
        """Notes events; answers whether one of them carries content."""
        content = False
        for event in events:
            kind = event.WhichOneof("kind")
            if kind in CONTENT:
                content = True
                self._output_bytes += _content_bytes(event, kind or "")
            elif kind == "usage":
                self._reported = event.usage
            elif kind == "started" and event.started.HasField("usage"):
                self._started = event.started.usage
        return content

    def whole(self, output: generate_pb2.GenerateOutput) -> None:
        """Notes a whole answer."""
        if output.HasField("usage"):
            self._reported = output.usage
        self._output_bytes += sum(choice.message.ByteSize() for choice in output.choices)

    def report(self) -> tuple[generate_pb2.Usage, usage_pb2.UsageSource]:
        """The usage so far, and who says so."""
        if self._reported is not None:
            return self._reported, usage_pb2.USAGE_SOURCE_PROVIDER
        usage = generate_pb2.Usage()
        if self._started is not None:
            usage.CopyFrom(self._started)
        else:
            usage.input_tokens = _bounded(_tokens(self._input_bytes), self._attempt.max_input_tokens)
        usage.output_tokens = max(usage.output_tokens, _bounded(_tokens(self._output_bytes), self._attempt.max_output_tokens))
        return usage, usage_pb2.USAGE_SOURCE_COUNTED


def _content_bytes(event: generate_pb2.StreamEvent, kind: str) -> int:
    content = getattr(event, kind)
    if kind in {"tool_call", "tool_call_started"}:
        return len(content.arguments_json if kind == "tool_call" else content.name)
    return len(content.data) if kind == "audio" else len(content.text.encode())


def _tokens(size: int) -> int:
    return -(-size // _BYTES_PER_TOKEN)


def _bounded(tokens: int, most: int) -> int:
    return min(tokens, most) if most else tokens
