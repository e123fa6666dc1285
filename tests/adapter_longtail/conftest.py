"""An adapter over the made-up library, as a gateway calls it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_longtail.endpoints import configured
from llm_mesh_adapter_longtail.process import ProcessBounds
from llm_mesh_adapter_longtail.wiring import WrappedLibrary, assembled
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service import Service
from tests.adapter_kit.standing_adapter import StandingAdapter, at
from tests.architecture.repository import ROOT

MODULE = "tests.adapter_longtail.made_up_library"
PATH = {"PYTHONPATH": str(ROOT)}
KEY = "sk-our-own-credential-0123456789"
LIMITS = Limits(connect=60, first_token=60, idle=60, total=60)
CONTRACT = adapter_pb2.DESCRIPTOR.services_by_name["AdapterService"].full_name


@asynccontextmanager
async def over(wrapped: WrappedLibrary, base_url: str, *, library: str = "made-up", key: str = KEY) -> AsyncIterator[StandingAdapter]:
    """The adapter over a library, with one endpoint."""
    text = json.dumps({"library": library, "base_url": base_url, "local": True} | ({"credential": "own"} if key else {}))
    endpoints = configured({"main": text}, {"own": Secret(key)} if key else {}, 64)

    def build(settings: object, links: object) -> object:
        del settings
        return assembled(wrapped, endpoints, links, LIMITS, 2 * 1024**3)  # type: ignore[arg-type]

    service = Service(f"adapter/{wrapped.name}", (CONTRACT,), dict, build)  # type: ignore[arg-type]
    async with at(service, {}) as adapter:
        yield adapter


def made_up(environment: Mapping[str, str] = PATH) -> WrappedLibrary:
    return WrappedLibrary("openai", MODULE, environment)


def bounds(**more: object) -> ProcessBounds:
    return ProcessBounds(environment=PATH, **more)  # type: ignore[arg-type]


@pytest.fixture
async def adapter(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StandingAdapter]:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-the-library")
    async with over(made_up(), "http://127.0.0.1:9") as standing:
        yield standing
