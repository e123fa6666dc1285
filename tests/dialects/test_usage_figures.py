"""Whatever figures of usage a provider reports, they can be read, and no sum of them is more than its field holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_dialects.anthropic.usage import read_usage as anthropic
from llm_mesh_dialects.bedrock.usage import read_usage as bedrock
from llm_mesh_dialects.cohere.usage import read_usage as cohere
from llm_mesh_dialects.fields import Fields
from llm_mesh_dialects.gemini.embeddings import body_to_output
from llm_mesh_dialects.gemini.usage import read_usage as gemini
from llm_mesh_dialects.ollama.usage import read_usage as ollama
from llm_mesh_dialects.openai.quirks import OpenAIQuirks
from llm_mesh_dialects.openai.usage import read_usage as openai

Usage = generate_pb2.Usage
MOST = 2**63 - 1
FIGURES: dict[str, tuple[str, ...]] = {
    "gemini": ("promptTokenCount", "toolUsePromptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "cachedContentTokenCount"),
    "bedrock": ("inputTokens", "outputTokens", "cacheReadInputTokens", "cacheWriteInputTokens", "totalTokens"),
    "anthropic": ("input_tokens", "cache_read_input_tokens", "cache_creation_input_tokens", "output_tokens"),
    "openai": ("prompt_tokens", "completion_tokens", "total_tokens", "prompt_audio_seconds", "cached_tokens"),
    "cohere": ("input_tokens", "output_tokens", "search_units", "image_tokens"),
    "ollama": ("prompt_eval_count", "eval_count"),
}
DETAILS: dict[str, Callable[[int], dict[str, Any]]] = {
    "gemini": lambda count: {"promptTokensDetails": [{"modality": kind, "tokenCount": count} for kind in ("AUDIO", "IMAGE") * 2]},
    "bedrock": lambda count: {"cacheDetails": [{"ttl": ttl, "inputTokens": count} for ttl in ("5m", "1h") * 2]},
    "anthropic": lambda count: {"cache_creation": {"ephemeral_5m_input_tokens": count, "ephemeral_1h_input_tokens": count}},
    "openai": lambda count: {"completion_tokens_details": {"reasoning_tokens": count, "audio_tokens": count}},
}
COUNTS = st.sampled_from([0, 1, 2**62, MOST - 1, MOST, 2**63, -1]) | st.integers(0, MOST)


def twice(value: dict[str, Any]) -> Usage:
    """As streams of the dialect report it: with what was told before."""
    return anthropic(Fields({}), anthropic(Fields(dict(value)), anthropic(Fields(dict(value)))))


READERS: dict[str, Callable[[dict[str, Any]], Usage | None]] = {
    "gemini": lambda value: gemini(Fields(value)),
    "bedrock": lambda value: bedrock(Fields({"usage": value})),
    "anthropic": twice,
    "openai": lambda value: openai(value, OpenAIQuirks(hidden_reasoning=True)),
    "cohere": lambda value: cohere({"billed_units": value}),
    "ollama": ollama,
}


@pytest.mark.parametrize("dialect", READERS)
@settings(max_examples=25, deadline=None)
@given(counts=st.lists(COUNTS, min_size=5, max_size=5), detail=COUNTS)
def test_sums_of_figures_end_at_the_largest_that_a_field_holds(dialect: str, counts: list[int], detail: int) -> None:
    value = dict(zip(FIGURES[dialect], counts, strict=False)) | (DETAILS[dialect](detail) if dialect in DETAILS else {})
    used = READERS[dialect](value)
    assert used is None or all(0 <= getattr(used, each.name) <= MOST for each in Usage.DESCRIPTOR.fields if each.name.endswith("_tokens"))


@pytest.mark.parametrize(
    ("dialect", "keys"), [("gemini", FIGURES["gemini"][:2]), ("bedrock", FIGURES["bedrock"][:3:2]), ("anthropic", FIGURES["anthropic"][:2])]
)
def test_a_sum_that_is_too_large_is_the_largest(dialect: str, keys: tuple[str, ...]) -> None:
    for count in (MOST, MOST - 1, 2**62):
        used = READERS[dialect](dict.fromkeys(keys, count))
        assert used is not None
        assert used.input_tokens == MOST


def test_counts_of_single_vectors_are_such_a_sum_too() -> None:
    counted = {"embeddings": {"values": "#0", "statistics": {"token_count": MOST}}}
    output, _ = body_to_output({"predictions": [counted, counted]}, [b"\0\0\0\0"])
    assert output.usage.input_tokens == MOST
