"""Servers of the dialect as data: address and credential.

Addresses are as the official client takes them, without `/api`. An operator changes a row, or adds one, by the setting `endpoints`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class OllamaProvider:
    """A place where the dialect is spoken."""

    name: str
    provider: str = "Ollama"
    base_url: str = ""
    key: str = ""
    """The setting that holds its credential. Empty: it wants none."""
    needs_key: bool = False
    local: bool = False


LOCAL: Final = OllamaProvider(name="ollama-native", base_url="http://127.0.0.1:11434", local=True)
"""The server of this machine, or the one that the setting `host` names."""
ROWS: Final = (
    LOCAL,
    OllamaProvider(name="ollama-cloud", provider="Ollama Cloud", base_url="https://ollama.com", key="ollama_key", needs_key=True),
    OllamaProvider(name="simulator-ollama", provider="Simulator", base_url="http://127.0.0.1:8099", key="simulator_key", local=True),
)

GENERIC: Final = OllamaProvider(name="", provider="Ollama server")
"""What an endpoint is that no row knows."""
