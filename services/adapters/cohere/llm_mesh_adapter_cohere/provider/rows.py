"""Providers of the dialect as data: address and credential.

Addresses are as the official client takes them, without `/v2`. An operator changes a row, or adds one, by the setting `endpoints`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CohereProvider:
    """A place where the dialect is spoken."""

    name: str
    provider: str
    base_url: str = ""
    key: str = ""
    """The setting that holds its credential. Empty: it wants none."""
    needs_key: bool = True
    local: bool = False


ROWS: Final = (
    CohereProvider(name="cohere", provider="Cohere", base_url="https://api.cohere.com", key="cohere_key"),
    CohereProvider(
        name="simulator-cohere",
        provider="Simulator",
        base_url="http://127.0.0.1:8099/cohere",
        key="simulator_key",
        needs_key=False,
        local=True,
    ),
)

GENERIC: Final = CohereProvider(name="", provider="Cohere-compatible server", needs_key=False)
"""What an endpoint is that no row knows."""
