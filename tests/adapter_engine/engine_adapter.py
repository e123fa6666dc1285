"""The adapter in front of a fake engine."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

from llm_mesh_adapter_engine import wiring
from llm_mesh_adapter_engine.provider import tokenizer_program
from llm_mesh_adapter_engine.provider.template_program import TemplateProgram
from llm_mesh_adapter_engine.provider.templates import PROGRAM
from llm_mesh_adapter_engine.settings import Settings
from llm_mesh_adapter_engine.wiring import service
from tests.adapter_engine.fake_engine import FakeEngine, Script, engine
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, at

KINDS = ("vllm", "sglang")


class RunsHere:
    """Runs the programs here: starting child processes takes most of a test's time. `test_engine_hostile_templates` has them."""

    def __init__(self, program: str = PROGRAM, *_: object, **__: object) -> None:
        self._answer = TemplateProgram().answer if program == PROGRAM else tokenizer_program.answer

    async def run(self, owner: str, parts: Sequence[bytes]) -> list[bytes]:
        return self._answer(parts)

    async def close(self) -> None:
        """Nothing runs."""


def settings(port: int, kind: str = "vllm", more: dict[str, Any] | None = None, **others: Any) -> Settings:
    """The adapter's settings, with one endpoint."""
    endpoint = {"base_url": f"http://127.0.0.1:{port}", "local": True, "engine": kind, **(more or {})}
    return Settings(endpoints={ENDPOINT: json.dumps(endpoint)}, **others)


@asynccontextmanager
async def asked(script: Script | None = None, kind: str = "vllm", **more: Any) -> AsyncIterator[tuple[StandingAdapter, FakeEngine]]:
    """Both of them. `more` goes into the endpoint's setting."""
    async with engine(script, kind) as made:
        with patch.object(wiring, "Confined", RunsHere):
            standing = at(service, settings(made.port, kind, more))
            adapter = await standing.__aenter__()
        try:
            yield adapter, made
        finally:
            await standing.__aexit__(None, None, None)
