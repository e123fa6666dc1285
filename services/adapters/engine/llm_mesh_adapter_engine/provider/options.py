"""What an endpoint's setting says of its engine beside where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from llm_mesh_adapter_kit.endpoints import Endpoint

VLLM: Final = "vllm"
SGLANG: Final = "sglang"
ENGINES: Final = (VLLM, SGLANG)
HERMES: Final = "hermes"
"""Calls as `<tool_call>{"name": …, "arguments": {…}}</tool_call>`: Hermes, Qwen 2.5 and 3, and who was trained like them."""
THINK: Final = "think"
"""Reasoning as `<think>…</think>` before the answer: DeepSeek R1, Qwen 3, and who was trained like them."""
TOOL_PARSERS: Final = (HERMES,)
REASONING_PARSERS: Final = (THINK,)


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """The engine behind one endpoint."""

    engine: str = VLLM
    """`vllm` or `sglang`."""
    tokenizer: str = ""
    """A folder, or its `tokenizer.json`. Empty: the engine hands its own out."""
    chat_template: str = ""
    """A file. Empty: the tokenizer's own."""
    tool_parser: str = ""
    """How calls of tools stand in the model's text. Empty: it is not known, and tools that the model may choose are refused."""
    reasoning_parser: str = ""
    """How reasoning stands in the model's text. Empty: it stays in the text."""
    kv_events: bool = True
    """Follow what the engine says of its cache."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEndpoint(Endpoint):
    """An endpoint, and the engine behind it."""

    options: EngineOptions = EngineOptions()


def options_of(endpoint: Endpoint) -> EngineOptions:
    """The engine behind an endpoint."""
    return endpoint.options if isinstance(endpoint, EngineEndpoint) else EngineOptions()
