"""What the catalogue needs from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh_runtime.resources import Page


class CurrentPrompt(NamedTuple):
    """A prompt as it is now."""

    prompt: catalogue_pb2.Prompt
    newest: catalogue_pb2.PromptVersion | None


class Prompts(Protocol):
    """The store of prompts. PROMPT_NOT_FOUND wherever a prompt or version does not exist."""

    async def create(self, prompt: catalogue_pb2.Prompt) -> catalogue_pb2.Prompt:
        """Keeps a new prompt; ALREADY_EXISTS where its name is taken."""
        ...

    async def get(self, name: str) -> catalogue_pb2.Prompt:
        """The prompt."""
        ...

    async def page(self, domain: str, page: Page) -> Sequence[catalogue_pb2.Prompt]:
        """Prompts of a domain, by name."""
        ...

    async def update(self, prompt: catalogue_pb2.Prompt) -> catalogue_pb2.Prompt:
        """Replaces description and labels; ETAG_MISMATCH where its etag is another."""
        ...

    async def add_version(
        self, name: str, version: catalogue_pb2.PromptVersion, labels: Sequence[str], etag: str
    ) -> catalogue_pb2.PromptVersion:
        """Adds a version, or answers with the newest one where that has the same content; labels point to it then."""
        ...

    async def version(self, name: str, number: int) -> catalogue_pb2.PromptVersion:
        """A version of a prompt."""
        ...

    async def versions(self, name: str, page: Page) -> Sequence[catalogue_pb2.PromptVersion]:
        """Versions of a prompt, newest first; the page's key is the number."""
        ...

    async def standing(self, names: Sequence[str]) -> Mapping[str, CurrentPrompt]:
        """Those of the prompts that exist, each with its newest version."""
        ...

    async def apply(
        self, desired: Sequence[catalogue_pb2.WantedPrompt], etags: Mapping[str, str], *, dry_run: bool
    ) -> Sequence[resources_pb2.Change]:
        """Brings prompts to a wanted state, all or none; ETAG_MISMATCH where one has another etag by now, or is not new any more."""
        ...
