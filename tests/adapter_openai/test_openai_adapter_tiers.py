"""The tier that served, and how long written caches live, are charged as the provider tells them, whole and streamed."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_dialects import openai
from llm_mesh_dialects.openai.quirks import OPENAI
from llm_mesh_dialects.openai.usage import read_usage
from llm_mesh_policy.ledger.domain.rates import Rates
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client, settings_for
from tests.e2e.scripted_upstream import ScriptedUpstream, scripted_upstream

MILLION = 10**6
FLEX, PRIORITY, BATCH = generate_pb2.SERVICE_TIER_FLEX, generate_pb2.SERVICE_TIER_PRIORITY, generate_pb2.SERVICE_TIER_BATCH
PLAIN, DEARER, CHEAPER = 100, 300, 50
TIERS = [("default", PLAIN), ("priority", DEARER), ("flex", CHEAPER), ("batch", PLAIN), ("scale", PLAIN), (None, PLAIN), (7, PLAIN)]
LIFETIMES = {"ttl_30m_tokens": 2, "ttl_12h_tokens": 3}
DETAILS: dict[str, Any] = {"cached_tokens": 0, "audio_tokens": 0, "cache_write_tokens": 6, "cache_write_tokens_details": LIFETIMES}
USAGE = {"prompt_tokens": 10, "completion_tokens": 1, "total_tokens": 11, "prompt_tokens_details": DETAILS}
HEAD = {"id": "c1", "created": 1, "model": "up"}


def rates() -> Rates:
    """Fresh input at 100, 300 or 50; writing to the cache at 1, for 30 minutes at 10, for 12 hours at 1,000."""
    writing: Any = {f"cache_write{life}_nanos_per_million": cost * MILLION for life, cost in (("", 1), ("_30m", 10), ("_12h", 1_000))}
    price = registry_pb2.Price(input_nanos_per_million=PLAIN * MILLION, **writing)
    for tier, cost in ((PRIORITY, DEARER), (FLEX, CHEAPER)):
        price.variants.add(tier=tier, input_nanos_per_million=cost * MILLION, **writing)
    return Rates.of(price)


def charge(fresh: int) -> int:
    return 4 * fresh + 1 * 1 + 2 * 10 + 3 * 1_000


@pytest.fixture(scope="module")
def scripted() -> Iterator[ScriptedUpstream]:
    with scripted_upstream() as upstream:
        yield upstream


@pytest.fixture
async def adapter(scripted: ScriptedUpstream) -> AsyncIterator[Client]:
    async with host(service, settings={"adapter/openai": settings_for(f"http://127.0.0.1:{scripted.port}/v1")}) as mesh:
        yield Client(mesh)


def whole(tier: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": "Hello", "refusal": None}
    choices = [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}]
    return {**HEAD, "object": "chat.completion", "choices": choices, "usage": USAGE, "service_tier": tier}


def chunks(tier: Any, *, late: bool) -> list[dict[str, Any]]:
    said = {} if late else {"service_tier": tier}
    texts: list[dict[str, Any]] = [
        {**HEAD, **said, "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]} for text in ("Hel", "lo", "!")
    ]
    end = {**HEAD, **said, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}
    return [*texts, end, {**HEAD, "service_tier": tier, "choices": [], "usage": USAGE}]


@pytest.mark.parametrize(("tier", "fresh"), TIERS)
async def test_the_tier_and_the_lifetimes_of_an_answer_are_charged(
    adapter: Client, scripted: ScriptedUpstream, tier: Any, fresh: int
) -> None:
    scripted.script = {"json": whole(tier)}
    answer = await adapter.generate("m")
    assert rates().charge(answer.report.usage) == charge(fresh)
    shown = openai.responses.output_to_chat(answer.output)
    assert (shown["service_tier"], shown["usage"]["prompt_tokens_details"]) == (tier, DETAILS), "clients read the provider's words"


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize(("tier", "fresh"), TIERS)
async def test_the_tier_and_the_lifetimes_of_a_stream_are_charged(
    adapter: Client, scripted: ScriptedUpstream, tier: Any, fresh: int, *, late: bool
) -> None:
    scripted.script = {"pieces": [f"data: {json.dumps(each)}\n\n" for each in chunks(tier, late=late)] + ["data: [DONE]\n\n"]}
    messages = await adapter.stream("m")
    assert rates().charge(messages[-1].final.usage) == charge(fresh)
    writer = openai.streams.ChunkWriter(include_usage=True)
    shown = b"".join([writer.write(event) for message in messages for event in message.events]) + writer.close()
    frames = [json.loads(each.removeprefix("data: ")) for each in shown.decode().split("\n\n") if each and "[DONE]" not in each]
    assert tier is None or tier in [each.get("service_tier") for each in frames]
    assert frames[-1]["usage"]["prompt_tokens_details"] == DETAILS


def test_a_batch_has_its_own_tier() -> None:
    assert openai.responses.chat_to_output(whole("batch")).usage.service_tier == BATCH


@pytest.mark.parametrize("key", ["prompt_tokens_details", "input_tokens_details"])
@given(*[st.integers(0, 100)] * 5)
def test_parts_of_what_was_written_are_never_above_their_sum(key: str, put: int, cached: int, written: int, half: int, long: int) -> None:
    parts = {"ttl_30m_tokens": half, "ttl_12h_tokens": long}
    details = {"cached_tokens": cached, "cache_write_tokens": written, "cache_write_tokens_details": parts}
    used = read_usage({"prompt_tokens": put, key: details}, OPENAI)
    assert used.cache_write_input_tokens == (written or min(half + long, max(0, put - cached)))
    assert used.cache_write_30m_input_tokens + used.cache_write_12h_input_tokens <= used.cache_write_input_tokens
    if half + long <= used.cache_write_input_tokens:
        assert (used.cache_write_30m_input_tokens, used.cache_write_12h_input_tokens) == (half, long)


@pytest.mark.parametrize("odd", [None, [], 3, "x", {"ttl_30m_tokens": -1}, {"ttl_12h_tokens": [1]}, {}])
def test_lifetimes_that_cannot_be_read_leave_the_sum(odd: Any) -> None:
    used = read_usage({"prompt_tokens": 9, "prompt_tokens_details": {"cache_write_tokens": 5, "cache_write_tokens_details": odd}}, OPENAI)
    assert (used.cache_write_input_tokens, used.cache_write_30m_input_tokens, used.cache_write_12h_input_tokens) == (5, 0, 0)
