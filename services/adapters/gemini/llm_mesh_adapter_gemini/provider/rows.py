"""Providers of the dialect as data: where they answer, and how they are authenticated to.

An operator changes a row, or adds one, by the setting `endpoints`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Literal

from llm_mesh_adapter_kit.signing import Auth

KEY: Final = Auth(header="x-goog-api-key", scheme="")
_NO_KEY: Final = Auth(header="x-goog-api-key", scheme="", required=False)
BEARER: Final = Auth()
_VERSION: Final = "v1beta1"
_MULTI_REGIONS: Final = frozenset({"us", "eu"})
_PLACE: Final = re.compile(r"[a-z0-9-]{1,63}")
_PROJECT: Final = re.compile(r"(?:[a-z0-9.-]{1,63}:)?[a-z0-9-]{1,63}")
_GLOBAL: Final = "global"

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


def vertex_url(project: str, location: str) -> str:
    """Where Vertex answers for a project in a location. Without a project: where it takes a key alone. Raises `ValueError`."""
    if not project:
        return f"https://aiplatform.googleapis.com/{_VERSION}"
    if not _PROJECT.fullmatch(project):
        raise ValueError("expected the id of a project")
    if not _PLACE.fullmatch(location):
        raise ValueError("expected a location such as global, eu or europe-west4")
    if location == _GLOBAL:
        host = "aiplatform.googleapis.com"
    elif location in _MULTI_REGIONS:
        host = f"aiplatform.{location}.rep.googleapis.com"
    else:
        host = f"{location}-aiplatform.googleapis.com"
    return f"https://{host}/{_VERSION}/projects/{project}/locations/{location}"


def region_of(location: str) -> str:
    """The mesh's region of a location: `eu`, `us`, or the location itself. Empty where the provider chooses (`global`)."""
    if location == _GLOBAL:
        return ""
    return "eu" if location == "eu" or location.startswith("europe-") else "us" if location.startswith("us") else location
