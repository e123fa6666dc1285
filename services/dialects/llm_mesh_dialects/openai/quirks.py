"""How servers of the dialect differ, as values: a provider that is only configuration needs no code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenAIQuirks:
    """The defaults are OpenAI's own behaviour."""

    max_tokens: Literal["max_completion_tokens", "max_tokens"] = "max_completion_tokens"
    """Which field limits the answer."""
    developer_role: bool = True
    """There is a role between system and user."""
    message_names: bool = True
    """Messages may name their participant."""
    stream_usage: bool = True
    """`stream_options.include_usage` is understood. Otherwise usage comes by itself, or not at all."""
    seed: Literal["seed", "random_seed"] = "seed"
    """Which field makes sampling repeatable."""
    top_k: bool = False
    """`top_k` is understood."""
    reasoning: Literal["reasoning_effort", "reasoning"] = "reasoning_effort"
    """Where the effort of reasoning goes: a field of its own, or an object that may also limit it in tokens."""
    reasoning_history: Literal["", "reasoning_content", "reasoning", "thinking"] = ""
    """How earlier reasoning is sent back: the key at an assistant's message, or `thinking` for a part of its content. Empty: it is not."""
    cache_control: bool = False
    """Cache hints are understood as `cache_control` at parts and tools."""
    hidden_reasoning: bool = False
    """`completion_tokens` leaves reasoning out, while `total_tokens` has it."""
    prompt_cache_key: bool = True
    """`prompt_cache_key` is understood."""
    text_lists: bool = True
    """A content may be a list of several texts. Otherwise they are sent as one text."""
    allowed_tools: bool = False
    """`tool_choice` may name the tools that may be called. Otherwise only those are sent."""
    longest_tool_name: int = 64
    """Longer names are shortened, and given back whole in the answer. 0: any length."""
    longest_user: int = 64
    """A longer `user` is sent as its hash. 0: any length."""
    most_stops: int = 4
    """Most stop sequences. 0: any number."""
    reasoning_at_calls: bool = False
    """An assistant's message with tool calls must have the key of `reasoning_history`, be it empty."""
    base64_vectors: bool = True
    """Vectors are asked for in base64. A server that ignores that may answer with numbers; one that refuses it is asked again without."""
    dimensions: Literal["dimensions", "output_dimension"] = "dimensions"
    """Which field says how long vectors are."""
    unsupported: frozenset[str] = frozenset()
    """Fields of requests that the server refuses: left out, and reported."""


OPENAI: Final = OpenAIQuirks(allowed_tools=True)
"""OpenAI itself."""
