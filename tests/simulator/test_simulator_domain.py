"""The pure parts: tokens, words, schemas, scripts."""

import re
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from llm_mesh_simulator.domain import tokens
from llm_mesh_simulator.domain.behaviour import Behaviour, Fault, Quirk
from llm_mesh_simulator.domain.behaviour_fields import changed, plain
from llm_mesh_simulator.domain.behaviours import Behaviours
from llm_mesh_simulator.domain.errors import UnknownScriptError
from llm_mesh_simulator.domain.pattern import matching
from llm_mesh_simulator.domain.prompt_cache import PromptCache
from llm_mesh_simulator.domain.question import CachePoint
from llm_mesh_simulator.domain.schema import instance
from llm_mesh_simulator.domain.script import NAMES, behaviour_of
from llm_mesh_simulator.domain.words import words


@given(st.text())
def test_the_tokens_of_a_text_join_to_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text
    assert tokens.count(text) == len(tokens.split(text))


@given(st.integers(0, 200), st.integers())
def test_each_seeded_word_is_one_token(count: int, seed: int) -> None:
    said = words(count, seed)
    assert tokens.split("".join(said)) == said
    assert len(said) == count
    assert said == words(count, seed)


SCHEMAS: list[dict[str, Any]] = [
    {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a", "b"]},
    {"type": "object", "properties": {"kind": {"const": "x"}, "level": {"enum": [1, 2, 3]}}},
    {"type": "array", "items": {"type": "integer", "minimum": 5, "maximum": 6}, "minItems": 3},
    {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 3},
    {"type": "array", "prefixItems": [{"type": "string"}, {"type": "number"}], "items": False},
    {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    {"type": "number", "maximum": -3},
    {"type": "integer", "multipleOf": 7, "minimum": 8},
    {"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 6},
    {"type": "string", "minLength": 30, "maxLength": 31},
    {"type": "string", "maxLength": 2},
    {"type": "string", "pattern": r"^[A-Z]{2}-\d{4}(?:\.\w+)?$"},
    {"type": "string", "pattern": r"^(foo|bar)[^a-z]+$"},
    {"type": "string", "format": "date-time"},
    {"type": ["string", "null"]},
    {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    {"oneOf": [{"type": "object", "properties": {"a": {"const": 1}}, "required": ["a"]}, {"type": "string"}]},
    {"allOf": [{"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}, {"required": ["b"]}]},
    {"type": "object", "additionalProperties": {"type": "boolean"}, "minProperties": 2},
    {"$ref": "#/$defs/item", "$defs": {"item": {"type": "object", "properties": {"n": {"$ref": "#/$defs/n"}}}, "n": {"type": "integer"}}},
    {
        "type": "object",
        "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}},
        "required": ["value", "next"],
        "additionalProperties": False,
    },
    {
        "$defs": {"tree": {"type": "object", "properties": {"children": {"type": "array", "items": {"$ref": "#/$defs/tree"}}}}},
        "$ref": "#/$defs/tree",
    },
    {"type": "boolean"},
    {"type": "null"},
    {},
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
@pytest.mark.parametrize("seed", [0, 7])
def test_what_a_schema_yields_is_valid_against_it(schema: dict[str, Any], seed: int) -> None:
    made = instance(schema, seed)
    jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker()).validate(made)
    assert instance(schema, seed) == made


@example("a[[")
@given(st.from_regex(r"[a-z]{1,5}[\[\](){}|+*?\\^$.]{0,4}[a-z]{0,3}", fullmatch=True))
@settings(max_examples=200)
def test_a_pattern_is_matched_or_given_up(pattern: str) -> None:
    text = matching(pattern)
    assert text is None or re.search(pattern, text)


def test_every_name_is_a_behaviour_and_goes_through_json_unchanged() -> None:
    for name, named in NAMES.items():
        behaviour = behaviour_of(name)
        assert changed(Behaviour(), plain(behaviour)) == behaviour
        assert named.about


def test_a_script_reads_its_options() -> None:
    behaviour = behaviour_of("sim-words/tokens:200/rate:12.5/ttft_ms:300ms/fault:mid-stall/wire:crlf.huge/refusal")
    assert (behaviour.tokens, behaviour.rate, behaviour.ttft_ms, behaviour.refusal) == (200, 12.5, 300, True)
    assert behaviour.fault is Fault.MID_STALL
    assert behaviour.wire == {Quirk.CRLF, Quirk.HUGE}
    assert behaviour_of("gpt-4.1/anything") == Behaviour()


@pytest.mark.parametrize(
    "script", ["sim-", "sim-unknown", "sim-echo/nothing:1", "sim-echo/rate:quick", "sim-echo/fault:odd", "sim-echo/first:nan"]
)
def test_a_script_that_does_not_exist_is_refused(script: str) -> None:
    with pytest.raises(UnknownScriptError):
        behaviour_of(script)


def test_failures_are_counted_for_each_model() -> None:
    behaviours = Behaviours()
    assert [behaviours.next("sim-500/first:1").status for _ in range(3)] == [500, 0, 0]
    assert behaviours.next("sim-503/first:1").status == 503
    behaviours.put("m", [Behaviour(status=429), Behaviour()])
    assert [behaviours.next("m").status for _ in range(3)] == [429, 0, 0]
    behaviours.clear()
    assert behaviours.next("sim-500/first:1").status == 500


def test_the_prompt_cache_forgets_the_oldest_prefix() -> None:
    cache = PromptCache(capacity=2)
    one, two, three = (CachePoint(bytes([number]), 10) for number in range(3))
    assert cache.use("m", [one]) == (0, 10, 0)
    assert cache.use("m", [one]) == (10, 0, 0)
    assert cache.use("other", [one]) == (0, 10, 0)
    assert cache.use("m", [two, CachePoint(b"longer", 25, hour=True)]) == (0, 10, 15)
    assert cache.use("m", [three, one]) == (0, 10, 0)
