"""How many tokens the images of a request, and content that it only refers to, may have at a model.

A provider fetches references by itself, so that their size is not known here. The model's table bounds them; what it does not bound may
fill the whole context window, and is refused where the project is charged strictly.
"""

from __future__ import annotations

from typing import NamedTuple

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.eligibility import Objection

_RULE = "reference_bound"


class References(NamedTuple):
    """What one model says of the bounds."""

    window: int
    image_tokens: int
    audio_tokens: int
    file_tokens: int
    free: bool
    strict: bool

    @classmethod
    def of(cls, model: registry_pb2.Model, *, strict: bool) -> References:
        """The bounds of a model, for a project that is charged strictly or not."""
        return cls(model.context_window, model.image_tokens, model.audio_tokens, model.file_tokens, model.free, strict)

    def objection(self, profile: router_pb2.RequestProfile) -> Objection | None:
        """Why a request with these references cannot be paid for safely. A free model costs nothing, whatever it reads."""
        if self.free or not self._unknown(profile):
            return None
        if self.strict:
            return Objection(_RULE, "the tokens of content that is referred to have no known bound, and the project is charged strictly")
        if not self.window:
            return Objection(_RULE, "neither the tokens of content that is referred to nor the context window are known")
        return None

    def tokens(self, profile: router_pb2.RequestProfile) -> int:
        """The most tokens of images and references."""
        images, audio, files = profile.images, profile.audio_references, profile.file_references
        if not (images or audio or files or profile.unbounded_references):
            return 0  # as nearly always, with each field read once
        if self._unknown(profile) and self.window:
            return self.window
        return images * self.image_tokens + audio * self.audio_tokens + files * self.file_tokens

    def _unknown(self, profile: router_pb2.RequestProfile) -> bool:
        return bool(
            profile.unbounded_references
            or (profile.audio_references and not self.audio_tokens)
            or (profile.file_references and not self.file_tokens)
        )
