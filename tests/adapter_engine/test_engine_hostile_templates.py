"""Chat templates that would freeze or fell the adapter: an engine hands them out, and others are served meanwhile."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from typing import Any, Final

import grpc
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_engine.provider.template_program import TemplateProgram
from llm_mesh_adapter_engine.provider.template_words import CHECK, LONG, OK, REACHES, REFUSES, RENDER, WRONG
from llm_mesh_adapter_engine.settings import Settings
from llm_mesh_adapter_engine.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.adapter_engine import fake_text
from tests.adapter_engine.fake_engine import Script, engine
from tests.adapter_kit.standing_adapter import ENDPOINT, StandingAdapter, at, saying

GOOD: Final = "fine"
LOOPS: Final = "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
DOUBLED: Final = "{% set ns = namespace(a='x' * 1000) %}{% for i in range(40) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}{{ ns.a }}"
CALLS_ITSELF: Final = "{% macro again(n) %}{{ again(n + 1) }}{% endmacro %}{{ again(0) }}"
HOSTILE: Final[Mapping[str, tuple[str, set[str]]]] = {
    "loops without end": (LOOPS, {"cpu"}),
    "text that doubles": (DOUBLED, {"memory", "cpu", "size"}),
    "many pieces": ("{% for a in range(99999) %}{{ 'x' * 100 }}{% endfor %}", {"size", "cpu"}),
    "text that repeats": ("{{ 'a' * 10 ** 7 }}", {"size", "cpu"}),
    "values that repeat": ("{{ 10 ** 6 * ['a', 'b'] }}", {"size", "memory", "cpu"}),
    "calls itself": (CALLS_ITSELF, {"depth"}),
    "a number that never ends": ("{{ (messages | length + 9) ** (9 ** 9) }}", {"cpu", "memory"}),
    "compiled without end": ("{{ 9 ** (9 ** 9) }}", {"cpu", "memory"}),
    "compiled to a giant": ("{{ 'x' * 10 ** 10 }}", {"memory"}),
    "nested deeply": ("{% if 1 %}" * 3_000 + "{% endif %}" * 3_000, {"depth", "memory"}),
    "brackets": ("{{ " + "(" * 50_000 + ")" * 50_000 + " }}", {"depth", "memory"}),
}  # fmt: skip


def two_endpoints(ports: Mapping[str, int], cpu: timedelta) -> Settings:
    endpoints = {name: json.dumps({"base_url": f"http://127.0.0.1:{port}", "local": True}) for name, port in ports.items()}
    return Settings(endpoints=endpoints, template_cpu=cpu, template_memory=64 * 1024 * 1024)


@asynccontextmanager
async def beside_a_good_one(template: str, cpu: timedelta = timedelta(milliseconds=50)) -> AsyncIterator[tuple[StandingAdapter, Any]]:
    """An adapter with two endpoints: `ENDPOINT` has the template, `GOOD` an ordinary one."""
    async with AsyncExitStack() as stack:
        bad = await stack.enter_async_context(engine(Script(files=fake_text.files(template))))
        good = await stack.enter_async_context(engine())
        adapter = await stack.enter_async_context(at(service, two_endpoints({ENDPOINT: bad.port, GOOD: good.port}, cpu)))
        yield adapter, bad


async def limit_of(adapter: StandingAdapter) -> str:
    with pytest.raises(grpc.aio.AioRpcError) as failure:
        await adapter.generate()
    error = from_rpc_error(failure.value)
    assert error.reason_name == "PROVIDER_MALFORMED"
    assert error.metadata["sent"] == "false"
    assert "chat template" in str(error)
    return str(error.metadata["limit"])


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_template_costs_its_own_request_and_the_error_names_the_limit(name: str) -> None:
    template, limits = HOSTILE[name]
    async with beside_a_good_one(template) as (adapter, bad):
        bad_one = asyncio.create_task(limit_of(adapter))
        answer = await adapter.beside(GOOD).generate()
        assert answer.output.choices
        assert await bad_one in limits
        assert await limit_of(adapter) in limits, "the same again, after a child has ended"
        assert (await adapter.beside(GOOD).generate()).output.choices
        assert bad.requests == []


async def test_others_are_served_while_every_request_of_a_hostile_engine_waits() -> None:
    async with beside_a_good_one(LOOPS, cpu=timedelta(seconds=10)) as (adapter, _):
        waiting = [asyncio.create_task(adapter.generate()) for _ in range(4)]
        for _ in range(3):
            assert (await adapter.beside(GOOD).generate()).output.choices
        assert not any(task.done() for task in waiting)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def test_a_count_falls_back_to_the_bound_where_the_template_loops() -> None:
    async with beside_a_good_one(LOOPS) as (adapter, _):
        attempt = plan_pb2.Attempt(id="a1", adapter=adapter.name, endpoint=ENDPOINT, upstream_model="big-1", max_input_tokens=77)
        counted = await adapter.stub.CountTokens(adapter_pb2.CountTokensRequest(attempt=attempt, input=saying()), timeout=20)
    assert counted.count.input_tokens == 77


@pytest.mark.parametrize(("most", "word"), [(b"4", OK), (b"3", LONG)])
def test_a_text_is_as_long_as_it_may_be_and_no_longer(most: bytes, word: bytes) -> None:
    assert TemplateProgram().answer([RENDER, b"d", b"{}", most, b"{{ 'ab' }}{{ 'cd' }}"])[0] == word


def test_products_that_prompts_have_use_for_are_made() -> None:
    template = b"{{ '-' * 40 }}{{ 3 * 4 }}{{ 2 ** 8 }}{{ 1.5 * 2 }}"
    assert TemplateProgram().answer([RENDER, b"d", b"{}", b"100", template]) == [OK, b"-" * 40 + b"122563.0"]


@given(st.text(alphabet="{}%#-abc1( )[]|.'~*\n", max_size=60))
@settings(max_examples=60, deadline=None)
def test_whatever_a_template_is_the_program_answers_in_its_words(template: str) -> None:
    program = TemplateProgram()
    checked = program.answer([CHECK, template.encode()])
    values = b'{"messages":[]}'
    rendered = program.answer([RENDER, b"d", values, b"100", template.encode()])
    assert checked[0] in {OK, WRONG}
    assert (rendered[0] == WRONG) == (checked[0] == WRONG)
    assert rendered[0] in {OK, WRONG, REFUSES, REACHES, LONG}
