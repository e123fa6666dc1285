"""The adapter, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llm_mesh_adapter_anyllm.settings import Settings
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_longtail.endpoints import configured
from llm_mesh_adapter_longtail.wiring import WrappedLibrary, assembled
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links

WRAPPED: Final = WrappedLibrary(
    "anyllm",
    "llm_mesh_adapter_anyllm.provider.anyllm_calls",
    environment={"ANY_LLM_UNIFIED_EXCEPTIONS": "1", "HF_HUB_OFFLINE": "1"},
)


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    endpoints = configured(settings.endpoints, settings.credentials, settings.max_in_flight)
    return assembled(WRAPPED, endpoints, links, limits, settings.memory)


service = Service.declared("adapter/anyllm", settings=Settings, build=build)
