"""Tokenizers that would hold the adapter or fail in it: they are tried in a child process before they are loaded."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest

from llm_mesh_adapter_engine.provider.tokenizers import HuggingFaceText
from llm_mesh_adapter_engine.provider.trials import TOKENIZER_PROGRAM, TokenizerTrial
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_runtime.confined.limits import ProcessLimits
from llm_mesh_runtime.confined.pool import Confined
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_engine import fake_text
from tests.adapter_engine.engine_adapter import asked
from tests.adapter_engine.fake_engine import Script


def split_by(pattern: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads(fake_text.tokenizer().to_str())
    made["pre_tokenizer"] = {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}
    return made


@pytest.fixture
async def trial() -> AsyncIterator[TokenizerTrial]:
    processes = Confined(TOKENIZER_PROGRAM, ProcessLimits(cpu=0.4, memory=128 * 1024 * 1024), processes=1, waiting=10)
    yield TokenizerTrial(processes)
    await processes.close()


async def test_an_ordinary_tokenizer_passes(trial: TokenizerTrial) -> None:
    await trial.check("main", fake_text.tokenizer().to_str().encode())


@pytest.mark.parametrize("text", ["", "{}", "[" * 5_000, json.dumps(split_by("(a+)+$"))])
async def test_a_tokenizer_that_is_none_or_takes_for_ever_is_refused(trial: TokenizerTrial, text: str) -> None:
    for _ in range(2):
        with pytest.raises(AdapterError, match="its tokenizer") as failure:
            await trial.check("main", text.encode())
        assert failure.value.reason_name == "PROVIDER_MALFORMED"


async def test_a_giant_tokenizer_is_refused(trial: TokenizerTrial) -> None:
    giant = json.loads(fake_text.tokenizer().to_str())
    giant["model"]["vocab"] = {f"token{number}": number for number in range(600_000)}
    with pytest.raises(AdapterError, match="its tokenizer takes more") as failure:
        await trial.check("main", json.dumps(giant).encode())
    assert failure.value.metadata["limit"] in {"cpu", "memory"}


async def test_an_engine_with_such_a_tokenizer_is_asked_for_nothing() -> None:
    files = {**fake_text.files(), "tokenizer.json": json.dumps(split_by("(a+)+$"))}
    async with asked(Script(files=files)) as (adapter, engine):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate()
        assert from_rpc_error(failure.value).reason_name == "PROVIDER_MALFORMED"
        assert engine.requests == []


def test_a_panic_of_the_library_is_an_error_like_any_other() -> None:
    text = HuggingFaceText({"tokenizer.json": json.dumps(split_by("(a+)+$")).encode()}, "")
    with pytest.raises(ValueError, match="its tokenizer fails at a text"):
        text.encode("a" * 40 + "!", special=False)
