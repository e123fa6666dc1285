"""any-llm, as the library's process calls it: the address, the key and the provider are the settings', and nothing is repeated."""

from __future__ import annotations

import importlib
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from llm_mesh_adapter_longtail.child.port import LibraryTarget

_NO_KEY: Final = "none"
"""For servers without keys: without any the library looks for one, and refuses."""
_MOST_CLIENTS: Final = 64


class AnyLlm:
    """Implements `Library`."""

    def __init__(self) -> None:
        self.version = version("any-llm-sdk")
        self._module: Any = importlib.import_module("any_llm")
        self._clients: dict[tuple[str, str, str], Any] = {}
        """Clients with their connections, by provider, address and key."""

    async def chat(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """A whole answer."""
        return await self._of(target).acompletion(model=target.model, **_named(arguments), timeout=target.timeout)

    async def stream(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> AsyncIterator[object]:
        """The chunks of an answer."""
        chunks = await self._of(target).acompletion(model=target.model, **_named(arguments), timeout=target.timeout)
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            close = getattr(chunks, "aclose", None)
            if callable(close):
                await close()

    async def embed(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """Vectors of all texts at once, as numbers."""
        values = dict(arguments)
        return await self._of(target).aembedding(target.model, inputs=values.pop("input"), **values)

    async def rerank(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """Documents by relevance."""
        return await self._of(target).arerank(target.model, **arguments)

    async def models(self, target: LibraryTarget) -> list[str]:
        """The models that the provider lists."""
        return [each.id for each in await self._of(target).alist_models()]

    def _of(self, target: LibraryTarget) -> Any:  # noqa: ANN401 (a provider of the library)
        key = (target.provider, target.base_url, target.key)
        client = self._clients.get(key)
        if client is None:
            if len(self._clients) >= _MOST_CLIENTS:
                self._clients.clear()
            client = self._module.AnyLLM.create(target.provider, api_key=target.key or _NO_KEY, api_base=target.base_url, max_retries=0)
            self._clients[key] = client
        return client


def loaded_library() -> AnyLlm:
    """The library, loaded. Called in its own process alone."""
    return AnyLlm()


def _named(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Without an effort of reasoning the library asks for one of its own choice."""
    return {"reasoning_effort": None, **arguments}
