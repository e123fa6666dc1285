"""LiteLLM, as the library's process calls it: the address, the key and the provider are the settings', and everything else is off."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncIterator, Mapping
from importlib.metadata import version
from typing import Any, Final

from llm_mesh_adapter_longtail.child.port import LibraryTarget

_NO_KEY: Final = "none"
"""For servers without keys: without any the library looks for one, and refuses."""
_OFF: Final[Mapping[str, Any]] = {
    "cache": None,
    "callbacks": [],
    "success_callback": [],
    "failure_callback": [],
    "input_callback": [],
    "service_callback": [],
    "_async_success_callback": [],
    "_async_failure_callback": [],
    "_async_input_callback": [],
    "default_fallbacks": None,
    "model_fallbacks": None,
    "num_retries": 0,
    "drop_params": False,
    "modify_params": False,
    "telemetry": False,
    "suppress_debug_info": True,
    "turn_off_message_logging": True,
    "set_verbose": False,
}
"""Settings of the library's module: no cache, nobody who is told, no second model, no second try, and no argument left out in silence."""


class LiteLlm:
    """Implements `Library`."""

    def __init__(self) -> None:
        self.version = version("litellm")
        self._module: Any = importlib.import_module("litellm")  # loads for seconds, and only in the library's own process
        for name, value in _OFF.items():
            setattr(self._module, name, value)

    async def chat(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """A whole answer."""
        return await self._module.acompletion(**arguments, **_of(target))

    async def stream(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> AsyncIterator[object]:
        """The chunks of an answer."""
        chunks = await self._module.acompletion(**arguments, **_of(target))
        try:
            async for chunk in chunks:
                yield chunk
        finally:
            close = getattr(chunks, "aclose", None)
            if callable(close):
                await close()

    async def embed(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """Vectors, as numbers: this library's own default for OpenAI is another one."""
        return await self._module.aembedding(**arguments, encoding_format="float", **_of(target))

    async def rerank(self, target: LibraryTarget, arguments: Mapping[str, Any]) -> object:
        """Documents by relevance."""
        return await self._module.arerank(**arguments, return_documents=False, **_of(target))

    async def models(self, target: LibraryTarget) -> list[str]:
        """The models that the provider lists, where the library knows how to ask. It asks without an event loop."""
        utils, types = importlib.import_module("litellm.utils"), importlib.import_module("litellm.types.utils")
        info = utils.ProviderConfigManager.get_provider_model_info(model=None, provider=types.LlmProviders(target.provider))
        if info is None:
            raise NotImplementedError
        listed: list[str] = await asyncio.to_thread(info.get_models, api_key=target.key or _NO_KEY, api_base=target.base_url)
        return [name.removeprefix(f"{target.provider}/") for name in listed]


def loaded_library() -> LiteLlm:
    """The library, loaded. Called in its own process alone."""
    return LiteLlm()


def _of(target: LibraryTarget) -> dict[str, Any]:
    return {
        "model": target.model,
        "custom_llm_provider": target.provider,
        "api_base": target.base_url,
        "api_key": target.key or _NO_KEY,
        "timeout": target.timeout,
        "num_retries": 0,
        "max_retries": 0,
        "caching": False,
    }
