"""Marks the proofs of reasoning in an answer with where they came from: some providers take them back only there."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from llm_mesh.inference.v1 import generate_pb2


def mark_in_output(output: generate_pb2.GenerateOutput, mark: Callable[[str], str]) -> None:
    """Marks those of a whole answer."""
    for choice in output.choices:
        for part in choice.message.parts:
            if part.WhichOneof("kind") == "reasoning" and part.reasoning.signature:
                part.reasoning.signature = mark(part.reasoning.signature)


def mark_in_events(events: Iterable[generate_pb2.StreamEvent], mark: Callable[[str], str]) -> None:
    """Marks those in events of a streamed answer."""
    for event in events:
        if event.WhichOneof("kind") == "reasoning" and event.reasoning.signature:
            event.reasoning.signature = mark(event.reasoning.signature)
