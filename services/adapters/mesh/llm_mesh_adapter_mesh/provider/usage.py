"""What another mesh says of its usage, without figures that cannot be: they count as not said, as those of any provider."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from llm_mesh.inference.v1 import generate_pb2

_COUNTS: Final = tuple(
    field.name for field in generate_pb2.Usage.DESCRIPTOR.fields if field.cpp_type == field.CPPTYPE_INT64 and not field.is_repeated
)
_MOST_PARTS: Final = 64


def keep_possible(usage: generate_pb2.Usage) -> None:
    """Takes out counts below 0, parts beyond the most that a bill has, and parts of parts."""
    _keep_counts(usage)
    del usage.iterations[_MOST_PARTS:]
    for each in usage.iterations:
        each.usage.ClearField("iterations")
        _keep_counts(each.usage)


def keep_possible_in(events: Iterable[generate_pb2.StreamEvent]) -> None:
    """The same of the events of a stream."""
    for event in events:
        kind = event.WhichOneof("kind")
        if kind == "usage":
            keep_possible(event.usage)
        elif kind == "started" and event.started.HasField("usage"):
            keep_possible(event.started.usage)


def _keep_counts(usage: generate_pb2.Usage) -> None:
    for name in _COUNTS:
        if getattr(usage, name) < 0:
            usage.ClearField(name)
    for each in usage.images:
        each.count = max(each.count, 0)
