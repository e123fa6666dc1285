"""Providers of the dialect as data: where they answer, and how they are authenticated to.

An operator changes a row, or adds one, by the setting `endpoints`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, Literal

from llm_mesh_adapter_kit.signing import Auth

KEY: Final = Auth(header="x-goog-api-key", scheme="")
_NO_KEY: Final = Auth(header="x-goog-api-key", scheme="", required=False)
BEARER: Final = Auth()
VERSION: Final = "v1beta1"
"""Of Vertex' API, as the official client asks for it."""

Api = Literal["gemini", "vertex"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GeminiProvider:
    """Where one provider of the dialect answers, and with which credential."""

    name: str
    provider: str
    api: Api = "gemini"
    base_url: str = ""
    """What stands before `/models/…`, or before `/publishers/…` at Vertex. Empty: made of project and location."""
    key: str = ""
    """The setting that holds its key. Empty: it wants none."""
    auth: Auth = field(default_factory=lambda: KEY)
    system: str = ""
    local: bool = False
    region: str = ""


ROWS: Final = (
    GeminiProvider(name="google", provider="Gemini API", base_url="https://generativelanguage.googleapis.com/v1", key="gemini_key",
        system="gcp.gemini"),
    GeminiProvider(name="vertex", provider="Vertex AI", api="vertex", key="vertex_key", system="gcp.vertex_ai"),
    GeminiProvider(name="simulator-gemini", provider="Simulator", base_url="http://127.0.0.1:8099/v1", key="simulator_key",
                   auth=_NO_KEY, local=True),
)  # fmt: skip

GENERIC: Final = GeminiProvider(name="", provider="Gemini-compatible server", auth=_NO_KEY)
"""What an endpoint is that no row knows."""
