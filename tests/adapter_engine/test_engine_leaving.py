"""Who goes away: the caller, the engine, and the time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import grpc
import pytest

from llm_mesh_adapter_engine.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_engine.engine_adapter import KINDS, asked, settings
from tests.adapter_engine.fake_engine import Script, engine
from tests.adapter_kit.standing_adapter import StandingAdapter, at

WAIT = 10


async def reason_of(adapter: StandingAdapter, **more: Any) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.stream(**more)
    return from_rpc_error(failure.value).reason_name


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("after", [0, 3])
async def test_a_caller_that_leaves_aborts_the_request_at_the_engine(kind: str, after: int) -> None:
    async with asked(Script(waits_after=after), kind) as (adapter, made):
        call = adapter.begin()
        reading = asyncio.ensure_future(anext(aiter(call))) if not after else None
        if reading is None:
            await anext(aiter(call))
        await asyncio.wait_for(made.waiting.wait(), WAIT)
        call.cancel()
        await asyncio.wait_for(made.abort_came.wait(), WAIT)
        await asyncio.wait_for(made.cancelled.wait(), WAIT)
        assert made.aborted == [made.last.request_id]
        if reading is not None:
            with pytest.raises(asyncio.CancelledError):
                await reading


async def test_an_answer_that_is_whole_aborts_nothing() -> None:
    async with asked() as (adapter, made):
        await adapter.stream()
        await adapter.generate()
        assert made.aborted == []


async def test_a_stop_sequence_that_only_the_adapter_sees_ends_the_work_of_the_engine() -> None:
    async with asked(Script(text="one two", waits_after=5)) as (adapter, made):
        await adapter.stream(stop=["tw", "e t"])
        await asyncio.wait_for(made.abort_came.wait(), WAIT)
        assert made.aborted == [made.last.request_id]


@pytest.mark.parametrize("after", [0, 3])
async def test_an_engine_that_is_silent_for_too_long_is_told_to_stop(after: int) -> None:
    short = timedelta(milliseconds=200)
    async with (
        engine(Script(waits_after=after)) as made,
        at(service, settings(made.port, first_token_timeout=short, idle_timeout=short)) as adapter,
    ):
        assert await reason_of(adapter) == "PROVIDER_TIMEOUT"
        await asyncio.wait_for(made.abort_came.wait(), WAIT)
        assert made.aborted == [made.last.request_id]


async def test_an_engine_that_dies_amid_an_answer_resets_it_and_serves_once_it_is_back() -> None:
    async with engine(Script(waits_after=3)) as made:
        port = made.port
        async with at(service, settings(port)) as adapter:
            call = aiter(adapter.begin())
            await anext(call)
            await made.stop()
            with pytest.raises(grpc.aio.AioRpcError) as failure:
                [message async for message in call]
            assert from_rpc_error(failure.value).reason_name == "PROVIDER_RESET"
            assert await reason_of(adapter) == "PROVIDER_UNREACHABLE"
            async with engine(port=port):
                events, _ = await adapter.stream()
                assert "".join(event.text.text for event in events) == "Grüße 🌍!"


async def test_an_address_beyond_the_allowed_ranges_is_not_called() -> None:
    made = settings(9, more={"base_url": "http://127.0.0.1:9", "local": False, "allow": ["10.0.0.0/8"]})
    async with at(service, made) as adapter:
        assert await reason_of(adapter) == "ADDRESS_NOT_ALLOWED"


async def test_a_credential_is_sent_and_never_shown() -> None:
    made_settings = {"credential": "own", "headers": {"x-team": "claims"}}
    from llm_mesh_runtime.secret import Secret  # noqa: PLC0415

    script = Script(fails=grpc.StatusCode.INVALID_ARGUMENT, details="the key s3cr3t-key is odd")
    async with (
        engine(script) as made,
        at(service, settings(made.port, more=made_settings, credentials={"own": Secret("s3cr3t-key")})) as adapter,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate()
        assert made.metadata["authorization"] == "Bearer s3cr3t-key"
        assert made.metadata["x-team"] == "claims"
        assert made.metadata["x-llm-mesh-attempt"] == "a1"
        assert "s3cr3t" not in str(failure.value.details())
        assert "s3cr3t" not in str(from_rpc_error(failure.value).metadata)


@pytest.mark.parametrize(
    ("files", "word"),
    [
        ({}, "tokenizer.json"),
        ({"tokenizer.json": "{"}, "tokenizer.json"),
        ({"tokenizer.json": "{}", "tokenizer_config.json": "["}, "tokenizer"),
    ],
)
async def test_a_tokenizer_that_is_none_is_the_engines_fault_and_asked_for_again(files: dict[str, str], word: str) -> None:
    async with asked(Script(files=files)) as (adapter, made):
        with pytest.raises(grpc.aio.AioRpcError) as failure:
            await adapter.generate()
        error = from_rpc_error(failure.value)
        assert (error.reason_name, word in error.message) == ("PROVIDER_MALFORMED", True)
        made.script.files = Script().files
        await adapter.generate()
        assert made.calls["GetTokenizer"] == 2


async def test_a_credential_of_some_domains_serves_them_and_nobody_else() -> None:
    async with asked(domains=["domains/claims"]) as (adapter, made):
        await adapter.generate()
        assert len(made.requests) == 1
    async with asked(domains=["domains/other"]) as (adapter, made):
        assert await reason_of(adapter) == "NO_CREDENTIAL"
        assert made.requests == []


async def test_many_first_requests_learn_the_model_once() -> None:
    async with asked() as (adapter, made):
        await asyncio.gather(*(adapter.generate() for _ in range(16)))
        assert (made.calls["GetTokenizer"], made.calls["GetModelInfo"]) == (1, 1)
