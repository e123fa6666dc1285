"""Templates do what prompts need, and nothing that reaches Python, takes long or grows large."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError, UndefinedError

from llm_mesh_catalogue.domain.sandbox import LARGEST_OUTPUT, LONGEST_SECONDS, LimitExceeded, Sandbox

SANDBOX = Sandbox()


def rendered(source: str, **variables: Any) -> str:
    return SANDBOX.render(SANDBOX.compile(source), variables)


@pytest.mark.parametrize(
    ("source", "variables", "text"),
    [
        ("Hello {{ name }}!", {"name": "Ana"}, "Hello Ana!"),
        ("{% if urgent %}now{% else %}later{% endif %}", {"urgent": False}, "later"),
        ("{% for item in items %}{{ loop.index }}:{{ item.name }} {% endfor %}", {"items": [{"name": "a"}, {"name": "b"}]}, "1:a 2:b "),
        ("{{ items | join(', ') | upper }}", {"items": ["a", "b"]}, "A, B"),
        ("{{ 'a' ~ 1 ~ name }}", {"name": "x"}, "a1x"),
        ("{{ (price * 2 + 1) // 3 }}", {"price": 4}, "3"),
        ("{{ data | tojson }}", {"data": {"ä": [1]}}, '{"ä": [1]}'),
        ("{{ missing | default('none') }}", {}, "none"),
        ("{{ text[:2] }}{{ text | replace('l', 'L') }}", {"text": "hello"}, "heheLLo"),
        ("{% set x = 1 %}{{ x + 1 }}", {}, "2"),
        ("<b>{{ html }}</b>", {"html": "<i>"}, "<b><i></b>"),
        ("{{ user.items }}", {"user": {"items": "mine"}}, "mine"),
    ],
)
def test_a_template_says_what_it_means(source: str, variables: dict[str, Any], text: str) -> None:
    assert rendered(source, **variables) == text


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro f() %}{% endmacro %}",
        "{% set x %}{{ y }}{% endset %}",
        "{{ x() }}",
        "{{ ''.join(x) }}",
        "{{ cycler(1) }}",
        "{{ 2 ** 9 }}",
        "{{ x | map('upper') }}",
        "{{ x | attr('__class__') }}",
        "{{ x | counted }}",
        "{{ __meter }}",
        "{% for a in x recursive %}{% endfor %}",
        "{% block a %}{% endblock %}",
        "{{ range(*x) }}",
        "{{ unclosed",
    ],
)
def test_what_is_not_listed_does_not_compile(source: str) -> None:
    with pytest.raises(TemplateSyntaxError):
        SANDBOX.compile(source)


@pytest.mark.parametrize("source", ["{{ x.__class__ }}", "{{ x['__class__'] }}", "{{ x.upper }}", "{{ loop }}", "{{ missing }}"])
def test_python_is_out_of_reach(source: str) -> None:
    with pytest.raises(UndefinedError):
        rendered(source, x="text")


@pytest.mark.parametrize(
    "source",
    [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{% for a in range(9999) %}{{ big }}{% endfor %}",
        "{{ range(99999999) }}",
        "{{ big | replace('x', big) }}",
        "{% set a = big ~ big ~ big %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}",
        "{% set a = big + big %}" + "{% set a = a + a %}" * 40,
        "{% for a in range(9999) %}{% for b in range(9) %}{% set c = range(9999) | list | sort %}{% endfor %}{% endfor %}",
    ],
)
def test_what_would_take_long_or_grow_large_is_stopped(source: str) -> None:
    template = SANDBOX.compile(source)
    begun = time.process_time()
    with pytest.raises(LimitExceeded):
        SANDBOX.render(template, {"big": "x" * 50_000})
    assert time.process_time() - begun < 10 * LONGEST_SECONDS  # a bound on hanging, not a measurement


@pytest.mark.parametrize("source", ["{{ 'a' * 999999999 }}", "{{ '%999999999d' % 1 }}", "{{ [0] * 999999999 }}"])
def test_arithmetic_is_for_numbers(source: str) -> None:
    with pytest.raises(TypeError):
        rendered(source)


def test_numbers_stay_small() -> None:
    with pytest.raises(TypeError):
        rendered("{% set a = 2 %}" + "{% set a = a * a %}" * 40)


@given(st.text(max_size=200))
def test_a_variable_comes_out_as_it_went_in(text: str) -> None:
    assert rendered("{{ text }}", text=text) == text


@given(st.text(alphabet="{}%# abx|.()[]'\"~+*0123456789", max_size=60))
def test_any_text_compiles_or_is_a_syntax_error_and_renders_within_bounds(source: str) -> None:
    with suppress(TemplateSyntaxError, UndefinedError, TypeError, ValueError, ArithmeticError, LookupError, LimitExceeded):
        assert len(rendered(source, a=[1, 2], b={"x": 1}, x="text")) <= LARGEST_OUTPUT
