"""Bodies of a dialect that have everything, and what becomes of them when one value is wrong."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

Body = Any
Path = tuple[str | int, ...]
WRONG: tuple[Any, ...] = (
    None,
    True,
    1,
    -1,
    1.5,
    2**40,
    "",
    "x",
    "data:x",
    2**70,
    [],
    ["x"],
    [1],
    [[]],
    {},
    {"type": "x"},
    [{}],
    [{"type": "x"}],
)
"""Of each type at least one; which of them is wrong depends on the place."""
_STEP = re.compile(r"\[(\d+)\]|\.?([^.\[\]]+)")


def places(value: Body, path: Path = ()) -> Iterator[Path]:
    """Every value inside."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield (*path, key)
        yield from places(inner, (*path, key))


def with_one_wrong(body: Body) -> Iterator[Body]:
    """The body with one value of another type or out of range, and without each of its keys."""
    yield from (wrong for wrong in WRONG if wrong is not None)
    for path in places(body):
        for wrong in WRONG:
            changed = copy.deepcopy(body)
            owner = changed
            for key in path[:-1]:
                owner = owner[key]
            if wrong is not None:
                owner[path[-1]] = copy.deepcopy(wrong)
            elif isinstance(owner, dict):
                del owner[path[-1]]
            yield changed


def leads_into(body: Body, named: str) -> bool:
    """Whether a path names a value of the body, or a key that is absent from an object of it."""
    steps = [int(item) if item else key for item, key in _STEP.findall(named)]
    value, absent = body, False
    for step in steps:
        if absent:
            return False
        if isinstance(value, dict) and isinstance(step, str):
            absent, value = step not in value, value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and step < len(value):
            value = value[step]
        elif isinstance(value, dict) and str(step) in value:  # a key that is a number, such as a token's
            value = value[str(step)]
        else:
            return False
    return True
