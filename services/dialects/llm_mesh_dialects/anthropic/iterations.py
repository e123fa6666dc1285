"""Bills of several parts: runs of other models, and compactions, are in no sum of the dialect, and in those of the typed payload."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.loose import bounded_sum

MOST: Final = 64
"""Parts of one bill."""
_APART: Final = frozenset({"compaction", "advisor_message"})
"""Parts that the sums of the dialect leave out."""
_COUNTS: Final = tuple(
    field.name for field in generate_pb2.Usage.DESCRIPTOR.fields if field.cpp_type == field.CPPTYPE_INT64 and not field.is_repeated
)


def with_iterations(used: generate_pb2.Usage, iterations: Sequence[generate_pb2.ModelUsage]) -> generate_pb2.Usage:
    """The usage whose figures are sums over its parts. What the parts do not tell, such as reasoning, is that of the last run."""
    if not iterations:
        return used
    used.iterations.extend(iterations)
    last = next((each.usage for each in reversed(used.iterations) if each.type not in _APART), used.iterations[-1].usage)
    for name in _COUNTS:
        if not any(getattr(each.usage, name) for each in used.iterations):
            setattr(last, name, getattr(used, name))
        setattr(used, name, bounded_sum(getattr(each.usage, name) for each in used.iterations))
    return used


def without_iterations(used: generate_pb2.Usage) -> generate_pb2.Usage:
    """The usage as the dialect sums it up."""
    if not used.iterations:
        return used
    plain = generate_pb2.Usage(service_tier=used.service_tier, extras=used.extras)
    for name in _COUNTS:
        setattr(plain, name, bounded_sum(getattr(each.usage, name) for each in used.iterations if each.type not in _APART))
    return plain
