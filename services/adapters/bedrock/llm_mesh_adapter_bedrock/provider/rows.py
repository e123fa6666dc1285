"""Providers of the dialect as data. An operator changes a row, or adds one, by the setting `endpoints`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RUNTIME: Final = "https://bedrock-runtime.{region}.amazonaws.com"
CATALOGUE: Final = "https://bedrock.{region}.amazonaws.com"
"""Where models are listed, beside `RUNTIME`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One provider. An address without a region in braces is of a server that answers everything at one place."""

    name: str
    provider: str = "Amazon Bedrock"
    base_url: str = RUNTIME
    has_key: bool = True
    """It has the credential of the settings, at another address too. An endpoint that is added has it at Amazon's own address alone."""
    required: bool = True
    local: bool = False


ROWS: Final = (
    Row(name="bedrock"),
    Row(name="simulator-bedrock", provider="Simulator", base_url="http://127.0.0.1:8099", has_key=False, required=False, local=True),
)
GENERIC: Final = Row(name="")
"""What an endpoint is that no row knows: Bedrock in another region, mostly."""
