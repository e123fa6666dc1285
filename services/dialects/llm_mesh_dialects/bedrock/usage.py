"""Usage: `inputTokens` of the dialect leaves out what the cache had a part in; the typed sum contains it."""

from __future__ import annotations

from typing import Final

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.bedrock.vocabulary import DIALECT
from llm_mesh_dialects.extras import keep
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.loose import loose_count

_SUMS: Final = frozenset({"totalTokens", "cacheReadInputTokenCount", "cacheWriteInputTokenCount"})
"""What other figures say already."""


def read_usage(owner: Fields) -> generate_pb2.Usage | None:
    """What a provider reports; None where it reports nothing."""
    if not isinstance(owner.peek("usage"), dict):
        owner.raw("usage")
        return None
    fields = owner.required("usage")
    cached = loose_count(fields.raw("cacheReadInputTokens")) or 0
    written = loose_count(fields.raw("cacheWriteInputTokens")) or 0
    used = generate_pb2.Usage(
        input_tokens=(loose_count(fields.raw("inputTokens")) or 0) + cached + written,
        output_tokens=loose_count(fields.raw("outputTokens")) or 0,
        cached_input_tokens=cached,
        cache_write_input_tokens=written,
    )
    keep(used, DIALECT, {key: value for key, value in fields.rest().items() if value is not None and key not in _SUMS})
    return used
