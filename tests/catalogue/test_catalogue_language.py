"""Templates do what prompts need, and have no more of the language than that."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_catalogue.domain import language
from llm_mesh_catalogue.domain.engine import LARGEST_OUTPUT, Templates, TooMuchError, UnfitError
from llm_mesh_catalogue.domain.language import LanguageError, is_constant

VALUES: dict[str, Any] = {
    "x": "hello world", "n": 3, "f": 2.5, "neg": -7, "l": ["b", "a", "C"], "nums": [3, 1, 2, 3], "d": {"b": 1, "a": [1, "x"]}, "e": [],
    "t": True, "no": None, "s": "<b>'\"&", "u": "ünï", "ws": "  pad ", "long": "the quick brown fox jumps over " * 10, "big": 10**30,
    "recs": [{"n": "z", "v": 2}, {"n": "a", "v": 1}], "nested": {"items": "mine", "k": {"z": 1}},
}  # fmt: skip


def rendered(source: str, /, **variables: Any) -> str:
    language.check(source)
    templates = Templates([source])
    if templates.faults:
        raise templates.faults[0]
    return templates.render(variables)[0]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("Hello {{ x }}!", "Hello hello world!"),
        ("{% if t %}now{% else %}later{% endif %}", "now"),
        ("{{ l }}", "['b', 'a', 'C']"),
        ("{{ d }}", "{'b': 1, 'a': [1, 'x']}"),
        ("{{ t }} {{ no }} {{ f }}", "True None 2.5"),
        ("{{ big }}", "1" + "0" * 30),
        ("{% for r in recs %}{{ loop.index }}:{{ r.n }} {% endfor %}", "1:z 2:a "),
        ("{{ l | join(', ') | upper }}", "B, A, C"),
        ("{{ 'a' ~ 1 ~ x }}", "a1hello world"),
        ("{{ (n * 2 + 1) // 3 }}", "2"),
        ("{{ neg // 2 }} {{ neg % 3 }} {{ 4 / 2 }}", "-4 2 2.0"),
        ("{{ {'ä': [1, '<']} | tojson }}", '{"ä": [1, "<"]}'),
        ("{{ missing | default('none') }}", "none"),
        ("{{ no | d('q', true) }}", "q"),
        ("{{ x[:2] }}{{ x | replace('l', 'L') }}", "heheLLo worLd"),
        ("{% set y = 1 %}{{ y + 1 }}", "2"),
        ("<b>{{ s }}</b>", "<b><b>'\"&</b>"),
        ("{{ nested.items }} {{ nested.k.z }} {{ d['a'][1] }}", "mine 1 x"),
        ("{{ x | title }} {{ x | capitalize }}", "Hello World Hello world"),
        ("{{ f | round }} {{ 2.567 | round(1) }} {{ 2.1 | round(0, 'ceil') }} {{ n | round }}", "2.0 2.6 3.0 3"),
        ("{{ '3.9' | int }} {{ 'q' | int }} {{ 'q' | int(7) }} {{ 'q' | float }}", "3 0 7 0.0"),
        ("{{ long | truncate(20, false, '!') }}", "the quick brown!"),
        ("{{ nums | sort }} {{ nums | unique | list }} {{ nums | sum }}", "[1, 2, 3, 3] [3, 1, 2] 9"),
        ("{{ l | sort }} {{ l | min }} {{ l | max }}", "['a', 'b', 'C'] a C"),
        ("{% for k, v in d | items %}{{ k }}={{ v }};{% endfor %}", "b=1;a=[1, 'x'];"),
        ("{% for i in range(3) %}{{ i }}{% endfor %}", "012"),
        ("{% for c in nums if c > 1 %}{{ c }}{% endfor %}", "323"),
        ("{% for c in e %}a{% else %}none{% endfor %}", "none"),
        ("{{ 'y' if e else 'n' }}{{ 'y' if not t }}", "n"),
        ("{{ 1 < n < 5 }} {{ 'a' in l }} {{ n not in nums }} {{ n is odd }} {{ no is none }}", "True True False True True"),
        ("{% if t %}\n yes\n{% endif %}\nend\n", " yes\nend\n"),
        ("a  {%- if t %} b {%- endif %}  c", "a b  c"),
        ("{# c #}k", "k"),
        ("{% raw %}{{ x }}{% include %}{% endraw %}", "{{ x }}{% include %}"),
        ("{{ {'a': {'b': 1}} }}", "{'a': {'b': 1}}"),
        ("{% set q, r = 1, 2 %}{{ q }}{{ r }}", "12"),
        ("{{ '}}' }}{{ \"%}\" }}{{ '{{' }}", "}}%}{{"),
        ("{{ ws | trim }}|{{ u | upper }}", "pad|ÜNÏ"),
        ("{{ x -}} \n {{- x }}", "hello worldhello world"),
        ("{{ -n }} {{ [1, 'a', none, 1.5] }}", "-3 [1, 'a', None, 1.5]"),
    ],
)
def test_a_template_says_what_it_means(source: str, text: str) -> None:
    assert rendered(source, **VALUES) == text


@pytest.mark.parametrize(
    "source",
    [
        "{% include 'x' %}",
        "{% import 'x' as y %}",
        "{% extends 'x' %}",
        "{% macro f() %}{% endmacro %}",
        "{% set x %}{{ y }}{% endset %}",
        "{% call x() %}{% endcall %}",
        "{% with a = 1 %}{% endwith %}",
        "{% filter upper %}a{% endfilter %}",
        "{% autoescape true %}{% endautoescape %}",
        "{% do x %}",
        "{% block a %}{% endblock %}",
        "{% %}",
        "{{ x() }}",
        "{{ x.y() }}",
        "{{ ''.join(x) }}",
        "{{ x['y']() }}",
        "{{ (x)(1) }}",
        "{{ x.range(1) }}",
        "{{ x.not (1) }}",
        "{{ cycler(1) }}",
        "{{ debug() }}",
        "{{ dict(a=1) }}",
        "{{ namespace(a=1) }}",
        "{{ 2 ** 9 }}",
        "{{ x | map('upper') }}",
        "{{ x | attr('__class__') }}",
        "{{ x | safe }}",
        "{{ x | urlencode }}",
        "{{ x | }}",
        "{{ x is filter('a') }}",
        "{{ x is not callable }}",
        "{{ x is }}",
        "{{ __x }}",
        "{{ x.__class__ }}",
        "{% for a in x recursive %}{% endfor %}",
        "{{ range(*x) }}",
        "{{ range(1, 2, 3, 4) }}",
        "{{ range(a=1) }}",
        "{{ unclosed",
        "{% if x",
        "{# no end",
        "{% raw %} no end",
        "{{ x $ y }}",
        "{{ 'x }}",
        "{% set a.b = 1 %}",
        "{% set x.y = 1 %}",
        "{% if x %}" + "{% elif x %}" * 300 + "{% endif %}",
        "{{ x" + " + 1" * 300 + " }}",
        "{{ " + "not " * 500 + "x }}",
        "{{ x" + "|upper" * 10 + " }}" + "{{ x | upper }}" * 500,
        "{{ x | Upper }}",
    ],
)
def test_what_is_not_of_the_language_is_refused_with_its_line(source: str) -> None:
    with pytest.raises(LanguageError) as refused:
        language.check("first line\n" + source)
    assert refused.value.line == 2
    assert refused.value.message


@pytest.mark.parametrize("source", ["{% if %}", "{% for x %}{% endfor %}", "{{ a b }}", "{% endif %}", "{% if x %}", "{{ 1 + }}", "{{ }}"])
def test_what_the_engine_does_not_understand_is_a_fault_of_the_template(source: str) -> None:
    language.check(source)
    assert Templates(["fine", source]).faults.keys() == {1}


@pytest.mark.parametrize(
    ("source", "variable"),
    [
        ("{{ x['__class__'] }}", "x['__class__']"), ("{{ x.upper }}", "x.upper"), ("{{ loop }}", "loop"), ("{{ missing }}", "missing"),
        ("{{ l.append }}", "l.append"), ("{{ d.keys }}", "d.keys"), ("{{ d.items }}", "items"), ("{% if d.items %}{% endif %}", "items"),
        ("{{ d.nope }}", "d.nope"), ("{{ l[9] }}", "l[9]"), ("{{ debug }}", "debug"), ("{{ e | first }}", ""), ("{{ u.x.y }}", "u.x"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_named_and_nothing_of_python_is_there(source: str, variable: str) -> None:
    with pytest.raises(UnfitError) as unfit:
        rendered(source, **VALUES)
    assert unfit.value.variable == variable


@pytest.mark.parametrize(
    "source", ["{{ n / 0 }}", "{{ x - 1 }}", "{{ '%s' % 1 }}", "{{ n | round(1, 'no') }}", "{{ huge }}", "{{ n | length }}"]
)
def test_what_cannot_be_done_with_the_values_says_so(source: str) -> None:
    with pytest.raises(UnfitError) as unfit:
        rendered(source, **VALUES, huge=10**60)
    assert unfit.value.why


@pytest.mark.parametrize(
    ("source", "limit"),
    [
        ("{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}", "steps"),
        ("{% for a in range(999) %}{{ big }}{% endfor %}", "output"),
        ("{{ big }}" * 30, "output"),
        ("{{ big | replace('x', big) }}", "steps"),
        ("{{ 'a' * 999999999 }}", "steps"),
        ("{% set a = big ~ big ~ big %}" + "{% set a = a ~ a %}" * 40 + "{{ a }}", "steps"),
    ],
)  # fmt: skip
def test_the_engine_counts_steps_and_output(source: str, limit: str) -> None:
    with pytest.raises(TooMuchError, match=limit):
        rendered(source, big="x" * 50_000)


@pytest.mark.parametrize(("source", "constant"), [("plain } text { %", True), ("{{ x }}", False), ("{% if %}", False), ("{# c #}", False)])
def test_a_text_without_tags_is_itself(source: str, *, constant: bool) -> None:
    assert is_constant(source) is constant


@given(st.text(max_size=200).filter(is_constant))
def test_what_is_said_to_be_constant_renders_as_itself(text: str) -> None:
    assert rendered(text) == text


@given(st.text(max_size=200))
def test_a_variable_comes_out_as_it_went_in(text: str) -> None:
    assert rendered("{{ text }}", text=text) == text


@given(st.text(alphabet="{}%# abx|.()[]'\"~+*0123456789", max_size=60))
def test_any_text_is_refused_or_renders_within_bounds(source: str) -> None:
    with suppress(LanguageError, UnfitError, TooMuchError):
        language.check(source)
        templates = Templates([source])
        if not templates.faults:
            assert len(templates.render({"a": [1, 2], "b": {"x": 1}, "x": "text"})[0]) <= LARGEST_OUTPUT
