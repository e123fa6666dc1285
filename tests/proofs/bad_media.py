"""Requests about media that name a model which does not exist, and how they are sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.edge.test_edge_forms import END, TYPE, file, text
from tests.proofs.http import Reply
from tests.proofs.stand import Stand

SOUND = text("model", "no-such-model") + file("file")
EDIT = text("model", "no-such-model") + text("prompt") + file("image", kind="image/png")
MEDIA: Mapping[str, Any] = {
    "/v1/moderations": {"model": "no-such-model", "input": "x"},
    "/v1/images/generations": {"model": "no-such-model", "prompt": "x"},
    "/v1/audio/speech": {"model": "no-such-model", "input": "x", "voice": "alloy"},
    "/v1/images/edits": EDIT + END,
    "/v1/audio/transcriptions": SOUND + END,
    "/v1/audio/translations": SOUND + END,
}
"""A request for each path of OpenAI's images, sound and moderation."""


def over_media(mesh: Stand, path: str, body: Any) -> Reply:
    return mesh.ask(body, path=path, headers={"content-type": TYPE} if isinstance(body, bytes) else {})
