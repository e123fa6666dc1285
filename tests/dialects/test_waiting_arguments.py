"""When the arguments of a streamed call are whole: exactly when what came so far parses, wherever it was cut."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh_dialects.anthropic.streams.waiting import Arguments

_TEXTS = st.text(alphabet=st.sampled_from('ab"\\{}[]\n é'), max_size=8)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXTS, inner, max_size=3),
    max_leaves=8,
)


def _parses(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


@given(
    value=st.dictionaries(_TEXTS, _VALUES, max_size=4),
    ascii_only=st.booleans(),
    sizes=st.lists(st.integers(1, 5), min_size=1, max_size=9),
)
def test_arguments_are_whole_exactly_when_they_parse(value: dict[str, object], *, ascii_only: bool, sizes: list[int]) -> None:
    told = json.dumps(value, ensure_ascii=ascii_only)
    arguments = Arguments()
    at = turn = 0
    while at < len(told):
        end = at + sizes[turn % len(sizes)]
        arguments.add(told[at:end])
        assert arguments.whole == _parses(told[:end]), told[:end]
        at, turn = end, turn + 1
    assert arguments.whole
