"""The values of a body are counted before anything is made of them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh_runtime.items import has_more_values

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet='ab\\",[]{}:é', max_size=12),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(alphabet='ab\\",[]{}', max_size=4), inner, max_size=5),
    max_leaves=40,
)


def counted(value: object) -> int:
    """As many as are made: each value, and one for each empty list or object that nothing separates."""
    if isinstance(value, dict):
        return 1 + max(1, sum(map(counted, value.values())))
    if isinstance(value, list):
        return 1 + max(1, sum(map(counted, value)))
    return 1


@settings(max_examples=300, deadline=None)
@given(value=values, indent=st.sampled_from([None, 1]), ascii_only=st.booleans())
def test_what_strings_hold_does_not_count(value: object, indent: int | None, *, ascii_only: bool) -> None:
    raw = json.dumps(value, indent=indent, ensure_ascii=ascii_only).encode()
    count = counted(value)
    assert not has_more_values(raw, count)
    assert count == 1 or has_more_values(raw, count // 2 - 1) or count < 4


@settings(max_examples=200, deadline=None)
@given(raw=st.binary(max_size=300))
def test_any_bytes_are_counted_without_an_error(raw: bytes) -> None:
    assert not has_more_values(raw, 300)


@pytest.mark.parametrize("piece", [b'"a",', b"1,", b"[],", b"{},", b'"\\"",', b'{"a":1},'])
def test_millions_of_values_are_noticed(piece: bytes) -> None:
    assert has_more_values(b"[" + piece * 1_000_000 + b"1]", 400_000)


def test_a_long_text_is_one_value() -> None:
    assert not has_more_values(json.dumps('a, [b], {c}: "d" \\ \n' * 500_000).encode(), 10)


@pytest.mark.parametrize(
    "raw",
    [b'""' * 300_000 + b"," * 300_000, b'"' + b"," * 20_000_000 + b'"', b" 1," + b" " * 20_000_000 + b'"",' * 10],
    ids=["strings", "a text", "space"],
)
def test_counting_gives_the_interpreter_up_now_and_then(monkeypatch: pytest.MonkeyPatch, raw: bytes) -> None:
    rests = list[float]()
    monkeypatch.setattr("time.sleep", rests.append)
    has_more_values(b"[" + raw + b"1]", 9 if raw.startswith(b" ") else 250_000)
    assert len(rests) >= 3


def test_counting_on_the_event_loop_never_rests(monkeypatch: pytest.MonkeyPatch) -> None:
    rests = list[float]()
    monkeypatch.setattr("time.sleep", rests.append)
    assert not has_more_values(b'["' + b"," * 20_000_000 + b'"]', 250_000, on_loop=True)
    assert not rests
