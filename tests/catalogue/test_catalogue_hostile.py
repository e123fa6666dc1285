"""Templates, schemas and values that would freeze or fell a process end as documented, one by one, and the next rendering is served."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.inference.v1 import content_pb2
from llm_mesh_catalogue.domain.rendering import Renderer
from llm_mesh_catalogue.wiring import _PROGRAM
from llm_mesh_runtime.confined.limits import ProcessLimits
from llm_mesh_runtime.confined.pool import Confined
from llm_mesh_runtime.errors import MeshError

LIMITS = ProcessLimits(cpu=0.1, memory=64 * 1024 * 1024)
DOUBLED = "{% set a = [1] %}{% set b = [1] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 30
BOUNDS = frozenset({"steps", "cpu", "memory", "depth", "output", "time"})
HOSTILE = {
    "equality": DOUBLED + "{{ a == b }}",
    "membership": DOUBLED + "{{ a in [b] }}",
    "sort": DOUBLED + "{{ [a, b] | sort | length }}",
    "unique": DOUBLED + "{{ [a, b] | unique | list | length }}",
    "max": DOUBLED + "{{ [a, b] | max | length }}",
    "tojson": DOUBLED + "{{ a | tojson }}",
    "join": DOUBLED + "{{ a | join }}",
    "print": DOUBLED + "{{ a }}",
    "string": DOUBLED + "{{ a | string | length }}",
    "replace": DOUBLED + "{{ a | replace('1', '2') }}",
    "as a key": DOUBLED + "{{ {a: 1} | length }}",
    "test": DOUBLED + "{{ a is eq b }}",
    "mappings": "{% set a = {'x': 1} %}{% set b = {'x': 1} %}" + "{% set a = {'l': a, 'r': a} %}{% set b = {'l': b, 'r': b} %}" * 30
    + "{{ a == b }}",
    "loops": "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
    "text": "{% set a = 'x' * 1000 %}" + "{% set a = a ~ a %}" * 60 + "{{ a | length }}",
    "lists": "{% set a = [1] %}" + "{% set a = a + a %}" * 60 + "{{ a | join }}",
    "padding": "{{ 'a' | truncate(5) }}{{ 'x' * 9999999999 }}",
}  # fmt: skip


def version(*templates: str, schema: str = "") -> catalogue_pb2.PromptVersion:
    messages = [catalogue_pb2.MessageTemplate(role=content_pb2.ROLE_USER, template=each) for each in templates]
    digest = hash((templates, schema)).to_bytes(8, "big", signed=True)
    return catalogue_pb2.PromptVersion(messages=messages, variables_schema_json=schema, digest=digest)


@pytest.fixture
async def renderer() -> AsyncIterator[Renderer]:
    engine = Confined(_PROGRAM, LIMITS, processes=2, waiting=64)
    yield Renderer(engine)
    await engine.close()


async def served(renderer: Renderer) -> None:
    """Another domain's prompt is rendered."""
    schema = '{"type": "object", "properties": {"name": {"type": "string"}}}'
    (message,) = await renderer.render("domains/other", version("Hello {{ name }}", schema=schema), '{"name": "Ana"}')
    assert message.parts[0].text.text == "Hello Ana"


async def refused(renderer: Renderer, made: catalogue_pb2.PromptVersion, values: str = "") -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await renderer.render("domains/mine", made, values)
    return refusal.value


async def outcome(renderer: Renderer, made: catalogue_pb2.PromptVersion) -> str:
    """The reason for which a version is refused, when it is made or rendered; empty where it is not."""
    try:
        await renderer.check("domains/mine", made)
        await renderer.render("domains/mine", made, "")
    except MeshError as error:
        return error.reason_name
    return ""


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_template_is_refused_by_the_limit_that_it_met(renderer: Renderer, name: str) -> None:
    assert len(HOSTILE[name]) < 64 * 1024
    made = version(HOSTILE[name])
    await renderer.check("domains/mine", made)  # nothing in its text is wrong
    error = await refused(renderer, made)
    assert (error.reason_name, error.metadata["limit"] in BOUNDS) == ("RENDER_LIMIT_EXCEEDED", True), error
    await served(renderer)


@pytest.mark.parametrize(
    "template",
    [
        "{{ " + "(" * 30_000,
        "{{ " + "(" * 120 + "1" + ")" * 120 + " }}",
        "{{ " + "[" * 30_000 + " }}",
        "{{ " + "-" * 300 + "1 }}",
        "{{ " + "not " * 300 + "1 }}",
        "{{ 1" + " + 1" * 199 + " }}",
        "{{ 1" + " and 1" * 199 + " }}",
        "{{ a" + ".b" * 190 + " }}",
        "{{ " + "1 if 0 else " * 90 + "1 }}",
        "{% if 0 %}" + "{% elif 0 %}" * 199 + "{% endif %}",
        "{% if 1 %}" * 2900 + "{% endif %}" * 2900,
        "{% for a in [1] %}" * 140 + "{% endfor %}" * 140,
        "{{ 1" + "|string" * 190 + " }}",
        "{{ 1" + " ~ 1" * 199 + " }}",
        "{{ 1" + " == 1" * 199 + " }}",
        "{{ '" + "\\'" * 30_000 + "' }}",
        "{{" * 30_000,
        "{%" * 30_000,
        "{#" * 30_000,
        "{{ {" * 10_000,
        "{% raw %}" * 6000,
        "{{ 9" + "9" * 60_000 + " }}",
    ],
    ids=lambda text: f"{text[:14]} {len(text)}",
)
async def test_no_template_fells_the_parser_that_the_language_lets_through(renderer: Renderer, template: str) -> None:
    assert await outcome(renderer, version(template)) in {"", "TEMPLATE_INVALID", "VARIABLE_INVALID"}
    await served(renderer)


def doubled_schema(depth: int) -> str:
    """A recursive schema that doubles with each level of the value, which nothing in its text tells."""
    inside = {"properties": {"x": {"$ref": "#/$defs/t"}}}
    return json.dumps({"type": "object", "properties": {"v": {"$ref": "#/$defs/t"}}, "$defs": {"t": {"allOf": [inside] * depth}}})


@pytest.mark.parametrize(
    ("schema", "values"),
    [
        (doubled_schema(4), '{"v":' + '{"x":' * 40 + "1" + "}" * 41),
        ('{"type":"object","properties":{"v":{"uniqueItems":true}}}', json.dumps({"v": [{"a": number} for number in range(40_000)]})),
        (
            '{"type":"object","properties":{"v":{"items":{"enum":' + json.dumps([str(n) for n in range(6000)]) + "}}}}",
            json.dumps({"v": ["5999"] * 90_000}),
        ),
        ('{"type":"object","properties":{"v":{"items":{"not":{"contains":{"minimum":1}}}}}}', json.dumps({"v": [[0] * 50] * 6000})),
    ],
)
async def test_values_that_take_for_ever_to_validate_are_refused(renderer: Renderer, schema: str, values: str) -> None:
    made = version("{{ v | length }}", schema=schema)
    await renderer.check("domains/mine", made)
    error = await refused(renderer, made, values)
    assert error.reason_name in {"RENDER_LIMIT_EXCEEDED", "VARIABLE_INVALID"}, error
    await served(renderer)


async def test_a_diff_that_takes_for_ever_is_refused(renderer: Renderer) -> None:
    before, after = "\n".join(str(n % 997) for n in range(90_000)), "\n".join(str(n % 991) for n in range(90_000))
    with pytest.raises(MeshError) as refusal:
        await renderer.diff("domains/mine", before, after, ("a", "b"))
    assert refusal.value.reason_name == "RENDER_LIMIT_EXCEEDED"
    assert await renderer.diff("domains/mine", "a\nb", "a\nc", ("one", "two")) == "--- one\n+++ two\n@@ -1,2 +1,2 @@\n a\n-b\n+c"


async def test_others_are_rendered_beside_a_domain_that_attacks(renderer: Renderer) -> None:
    await served(renderer)
    attacks = [asyncio.create_task(refused(renderer, version(HOSTILE[name]))) for name in [*HOSTILE] * 2]
    taken: list[float] = []
    while not all(attack.done() for attack in attacks):
        began = time.monotonic()
        await served(renderer)
        taken.append(time.monotonic() - began)
        await asyncio.sleep(0.01)
    await asyncio.gather(*attacks)
    taken.sort()
    assert len(taken) > 20
    assert taken[len(taken) // 2] < 0.1, "another domain waits for no attack"


_EXPRESSIONS = st.recursive(
    st.sampled_from(["a", "b", "s", "1", "'x'", "[1, 2]", "{'k': 1}", "range(9)", "none"]),
    lambda inner: (
        st.tuples(inner, st.sampled_from(["==", "in", "+", "*", "~", "and", "<", "-", "//"]), inner).map(lambda each: f"({' '.join(each)})")
        | st.tuples(
            inner, st.sampled_from(["sort", "join", "tojson", "string", "length", "unique", "list", "sum", "first", "replace('1', s)"])
        ).map(lambda each: f"({each[0]} | {each[1]})")
        | inner.map(lambda each: f"[{each}, {each}]")
    ),
    max_leaves=5,
)
_STATEMENTS = st.lists(
    st.one_of(
        st.tuples(st.sampled_from("abs"), _EXPRESSIONS).map(lambda each: f"{{% set {each[0]} = {each[1]} %}}"),
        st.tuples(st.sampled_from("ab"), st.integers(1, 30)).map(lambda each: f"{{% set {each[0]} = [{each[0]}, {each[0]}] %}}" * each[1]),
        st.integers(1, 24).map(lambda each: "{% set s = s ~ s %}" * each),
        _EXPRESSIONS.map(lambda each: f"{{{{ {each} }}}}"),
        st.tuples(st.integers(1, 9999), _EXPRESSIONS).map(
            lambda each: f"{{% for i in range({each[0]}) %}}{{{{ {each[1]} }}}}{{% endfor %}}"
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(deadline=None, max_examples=15, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_STATEMENTS, min_size=8, max_size=8))
def test_no_template_does_more_than_be_refused(programs: list[list[str]]) -> None:
    """Templates made of what hurts: each renders or is refused as documented, and the next one is served."""

    async def attack() -> None:
        engine = Confined(_PROGRAM, LIMITS._replace(cpu=0.03), processes=1, waiting=8)
        try:
            renderer = Renderer(engine)
            for program in programs:
                source = "{% set a = [1] %}{% set b = [1] %}{% set s = 'x' %}" + "".join(program)
                found = await outcome(renderer, version(source))
                assert found in {"", "RENDER_LIMIT_EXCEEDED", "VARIABLE_INVALID", "TEMPLATE_INVALID"}, source
            await served(renderer)
        finally:
            await engine.close()

    asyncio.run(attack())
