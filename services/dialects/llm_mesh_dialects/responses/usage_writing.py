"""Usage, as a response tells it: the figures of chat completions under other names."""

from __future__ import annotations

from typing import Any

from llm_mesh.inference.v1 import generate_pb2


def usage_of(used: generate_pb2.Usage) -> dict[str, Any]:
    """What a client is told."""
    inputs: dict[str, Any] = {"cached_tokens": used.cached_input_tokens, "cache_write_tokens": used.cache_write_input_tokens}
    if lifetimes := _lifetimes(used):
        inputs["cache_write_tokens_details"] = lifetimes
    return {
        "input_tokens": used.input_tokens,
        "input_tokens_details": inputs,
        "output_tokens": used.output_tokens,
        "output_tokens_details": {"reasoning_tokens": used.reasoning_output_tokens},
        "total_tokens": used.input_tokens + used.output_tokens,
    }


def _lifetimes(used: generate_pb2.Usage) -> dict[str, int]:
    figures = {"ttl_30m_tokens": used.cache_write_30m_input_tokens, "ttl_12h_tokens": used.cache_write_12h_input_tokens}
    return {name: figure for name, figure in figures.items() if figure}
