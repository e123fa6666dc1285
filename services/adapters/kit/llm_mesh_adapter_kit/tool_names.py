"""Gives tools in an answer the names that the caller knows, where a provider was sent shorter ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from llm_mesh.inference.v1 import generate_pb2


def restore_in_output(output: generate_pb2.GenerateOutput, names: Mapping[str, str]) -> None:
    """Restores the names in a whole answer."""
    if not names:
        return
    for choice in output.choices:
        for part in choice.message.parts:
            if part.WhichOneof("kind") == "tool_call":
                part.tool_call.name = names.get(part.tool_call.name, part.tool_call.name)


def restore_in_events(events: Iterable[generate_pb2.StreamEvent], names: Mapping[str, str]) -> None:
    """Restores the names in events of a streamed answer."""
    for event in events:
        if event.WhichOneof("kind") == "tool_call_started":
            started = event.tool_call_started
            started.name = names.get(started.name, started.name)
