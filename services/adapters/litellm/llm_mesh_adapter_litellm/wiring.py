"""The adapter, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_litellm.settings import Settings
from llm_mesh_adapter_longtail.endpoints import configured
from llm_mesh_adapter_longtail.wiring import WrappedLibrary, assembled
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links

WRAPPED: Final = WrappedLibrary(
    "litellm",
    "llm_mesh_adapter_litellm.provider.litellm_calls",
    environment={
        "LITELLM_MODE": "PRODUCTION",  # reads no .env
        "LITELLM_RUST": "false",  # compiled code would pass the guard by
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_LOCAL_ANTHROPIC_BETA_HEADERS": "True",
        "LITELLM_LOCAL_BLOG_POSTS": "True",
        "LITELLM_LOG": "CRITICAL",
        "HF_HUB_OFFLINE": "1",
    },
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


service = Service.declared("adapter/litellm", settings=Settings, build=build)
