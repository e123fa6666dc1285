"""Where Vertex AI answers for a project in a location, whoever's models are asked there."""

from __future__ import annotations

import re
from typing import Final

_MULTI_REGIONS: Final = frozenset({"us", "eu"})
_PLACE: Final = re.compile(r"[a-z0-9-]{1,63}")
_PROJECT: Final = re.compile(r"(?:[a-z0-9.-]{1,63}:)?[a-z0-9-]{1,63}")
_GLOBAL: Final = "global"


def vertex_url(project: str, location: str, version: str) -> str:
    """The address of a project in a location. Without a project: where Vertex takes a key alone. Raises `ValueError`."""
    if not project:
        return f"https://aiplatform.googleapis.com/{version}"
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
    return f"https://{host}/{version}/projects/{project}/locations/{location}"


def region_of(location: str) -> str:
    """The mesh's region of a location: `eu`, `us`, or the location itself. Empty where the provider chooses (`global`)."""
    if location == _GLOBAL:
        return ""
    return "eu" if location == "eu" or location.startswith("europe-") else "us" if location.startswith("us") else location
