"""A schema is measured before it is compiled, and values are bounded before they are parsed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from llm_mesh_catalogue.domain import schemas
from llm_mesh_catalogue.domain.engine import UnfitError
from llm_mesh_catalogue.domain.schemas import SchemaFaultError
from llm_mesh_catalogue.domain.values import ValuesError, Variables


def schema(**more: Any) -> dict[str, Any]:
    return {"type": "object", **more}


def refusal(document: object) -> str:
    with pytest.raises(SchemaFaultError) as refused:
        Variables(document if isinstance(document, str) else json.dumps(document))
    return str(refused.value)


def chain(keyword: str, length: int = 30, width: int = 2) -> dict[str, Any]:
    """Definitions each of which applies the next one several times."""
    definitions: dict[str, Any] = {f"d{length}": {"type": "object"}}
    for number in range(length):
        following = {"$ref": f"#/$defs/d{number + 1}"}
        several: Any = [following] * width
        if keyword == "properties":
            several = {f"p{each}": following for each in range(width)}
        definitions[f"d{number}"] = {keyword: several}
    return schema(**{"$ref": "#/$defs/d0", "$defs": definitions})


@pytest.mark.parametrize("keyword", ["allOf", "anyOf", "oneOf", "prefixItems", "properties", "dependentSchemas"])
def test_references_that_double_are_counted_with_what_they_lead_to(keyword: str) -> None:
    document = chain("properties" if keyword == "dependentSchemas" else keyword)
    if keyword == "dependentSchemas":
        document = json.loads(json.dumps(document).replace('"properties"', '"dependentSchemas"'))
    assert "once its references are followed" in refusal(document)
    Variables(json.dumps(chain("allOf", length=5)))


@pytest.mark.parametrize(
    "definitions",
    [
        {"a": {"$ref": "#/$defs/a"}},
        {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}},
        {"a": {"allOf": [{"not": {"$ref": "#/$defs/a"}}]}},
        {"a": {"allOf": [{"properties": {"x": {"$ref": "#/$defs/b"}}}, {"$ref": "#/$defs/b"}]}, "b": {"if": {"$ref": "#/$defs/a"}}},
        {"a": {"dependentSchemas": {"x": {"$ref": "#/$defs/a"}}}},
    ],
)
def test_a_definition_that_leads_back_to_itself_for_the_same_value_is_refused(definitions: dict[str, Any]) -> None:
    assert "back to itself" in refusal(schema(**{"$defs": definitions}))


def test_a_definition_may_hold_itself_deeper_in_the_value() -> None:
    tree = {"type": "object", "properties": {"left": {"$ref": "#/$defs/tree"}, "many": {"items": {"$ref": "#/$defs/tree"}}}}
    variables = Variables(json.dumps(schema(**{"properties": {"tree": {"$ref": "#/$defs/tree"}}, "$defs": {"tree": tree}})))
    assert variables.values('{"tree": {"left": {"left": {}}, "many": [{}]}}')
    with pytest.raises(UnfitError) as unfit:
        variables.values('{"tree": {"left": {"left": 7}}}')
    assert unfit.value.variable == "tree.left.left"


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{", "not JSON"), ("[]", 'type "object"'), ({"type": "string"}, 'type "object"'), (True, 'type "object"'), ("nan", "not JSON"),
        (schema(properties={"a": {"pattern": "(a+)+"}}), "$.properties.a: pattern is not allowed"),
        (schema(patternProperties={"a": {}}), "patternProperties"), (schema(**{"$id": "http://x"}), "$id"),
        (schema(**{"$dynamicRef": "#a"}), "$dynamicRef"), (schema(**{"$schema": "http://json-schema.org/draft-04/schema#"}), "$schema"),
        (schema(properties={"a": {"$ref": "file:///x"}}), "$ref"), (schema(properties={"a": {"$ref": "#"}}), "$ref"),
        (schema(properties={"a": {"$ref": "#/properties/a"}}), "$ref"), (schema(properties={"a": {"$ref": 7}}), "$ref"),
        (schema(properties={"a": {"$ref": "#/$defs/none"}}), "there is no #/$defs/none"), (schema(properties=7), "$.properties"),
        (schema(properties={str(number): {} for number in range(2100)}), "more than 2048 subschemas"),
        (schema(properties={"a": {"type": "nothing"}}), "$.properties.a.type"), (chain("allOf", length=900, width=1), "too deep"),
        ('{"type":"object","default":' + "[" * 40 + "]" * 40 + "}", "more than 32 deep"), ("[" * 60_000, "more than 32 deep"),
        ('{"type":"object","properties":' + '{"a":{"properties":' * 5000 + "{}" + "}}" * 5000 + "}", "more than 32 deep"),
    ],
)  # fmt: skip
def test_what_is_refused_says_why(document: object, words: str) -> None:
    assert words in refusal(document)


def test_names_and_values_that_look_like_keywords_are_none() -> None:
    document = schema(
        properties={"pattern": {"type": "string"}, "$id": {"const": {"$ref": "x", "pattern": "("}}, "x": {"default": {"$id": "y"}}},
        required=["pattern"],
    )
    assert Variables(json.dumps(document)).values('{"pattern": "p"}') == {"pattern": "p", "x": {"$id": "y"}}


@pytest.mark.parametrize(
    "text",
    ["[1]", "{", "7", '{"a": NaN}', '{"a": Infinity}', '{"a":' + "[" * 100 + "]" * 100 + "}", "[" * 500_000, '{"a":' * 100_000, "\x00"],
)
def test_values_that_are_no_object_or_too_deep_are_refused(text: str) -> None:
    with pytest.raises(ValuesError, match="must be"):
        Variables(json.dumps(schema(properties={"a": {}}))).values(text)


def test_without_a_schema_there_are_no_variables() -> None:
    assert Variables("").values("") == {}
    with pytest.raises(UnfitError) as unfit:
        Variables("").values('{"a": 1}')
    assert unfit.value.variable == "a"


_NAMES = st.sampled_from("abc")
_SCHEMAS = st.recursive(
    st.fixed_dictionaries({}, optional={"type": st.sampled_from(["object", "string", "array"]), "$ref": _NAMES.map("#/$defs/{}".format)}),
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "allOf": st.lists(inner, min_size=1, max_size=3),
            "anyOf": st.lists(inner, min_size=1, max_size=3),
            "not": inner,
            "items": inner,
            "properties": st.dictionaries(_NAMES, inner, max_size=3),
            "if": inner,
            "additionalProperties": inner,
        },
    ),
    max_leaves=12,
)
_VALUES = st.recursive(
    st.none() | st.integers(), lambda inner: st.dictionaries(_NAMES, inner, max_size=2) | st.lists(inner, max_size=2), max_leaves=6
)


@settings(deadline=None, max_examples=300)
@given(st.fixed_dictionaries({"a": _SCHEMAS, "b": _SCHEMAS, "c": _SCHEMAS}), _SCHEMAS, _VALUES)
def test_what_is_taken_ends_for_every_value(definitions: dict[str, Any], start: dict[str, Any], value: object) -> None:
    """A schema that passes the check never calls itself without going into the value, and applies as many subschemas as were counted."""
    document = schema(**{"properties": {"x": start}, "$defs": definitions})
    try:
        schemas.check(document)
    except SchemaFaultError:
        return
    list(Draft202012Validator(document).iter_errors({"x": value}))  # a RecursionError would fail the test


@given(st.recursive(st.text() | st.none(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)))
def test_the_depth_of_text_is_that_of_what_it_says(value: Any) -> None:
    from llm_mesh_runtime.nesting import deeper_than  # noqa: PLC0415 (beside what it is compared with)

    def depth(part: Any) -> int:
        if isinstance(part, dict):
            part = list(part.values())
        return 1 + max(map(depth, part), default=0) if isinstance(part, list) else 0

    for text in (json.dumps(value), json.dumps(value, ensure_ascii=False, indent=1)):
        for deepest in (max(0, depth(value) - 1), depth(value), depth(value) + 1):
            assert deeper_than(text, deepest) is (depth(value) > deepest)
