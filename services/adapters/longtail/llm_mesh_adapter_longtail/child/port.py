"""The port that a library is wrapped in: OpenAI's forms in, OpenAI's forms out. The wrapper runs in the library's process."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class LibraryTarget:
    """Where a call goes, as the operator's settings name it. A wrapper passes all of it, so that the library chooses nothing."""

    provider: str
    """As the library calls it."""
    base_url: str
    model: str = ""
    key: str = field(default="", repr=False)
    timeout: float = 600.0
    """Seconds that the whole call may take."""


class Library(Protocol):
    """A library with other people's wires. What it raises is read by `failing.failure`."""

    version: str

    async def chat(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """A whole answer in the form of a chat completion."""

    def stream(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> AsyncIterator[object]:
        """The chunks of a chat completion."""

    async def embed(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """Vectors, in the form of OpenAI's embeddings."""

    async def rerank(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """Documents by their relevance, in the form of Cohere's reranking."""

    async def models(self, target: LibraryTarget) -> list[str]:
        """The models that the provider lists. Raises `NotImplementedError` where the library cannot ask."""
