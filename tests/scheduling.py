"""In which order several processes take the files of tests: what starts processes first, each mesh in one of them, small files last."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

SHARED_MESHES = "shared meshes"
_KINDS = "embedded|with_workers|with_tokens|with_mutual_tls|with_batched_links"
_ON_SHARED_MESH = re.compile(rf"tests/e2e/[^\[]*\[(?:.*-)?(?:{_KINDS})(?:-.*)?\]$")
"""A test at one of the meshes of `tests/e2e/conftest.py`, which run until the session ends, in dozens of processes."""
_STARTS_PROCESSES = ("tests/architecture/test_skeletons", "tests/cli/", "tests/deploy/", "tests/e2e/", "tests/operations/", "tests/proofs/")
_SMALL = 20
"""Tests of a file that is left to the end, where it evens out what the processes still have to do."""


def unit_of(test: str) -> str:
    """What goes to one process as a whole: a file; or all tests at shared meshes, which then start once, and not once per process."""
    return SHARED_MESHES if _ON_SHARED_MESH.match(test) else test.partition("::")[0]


def sort(items: list[pytest.Item]) -> None:
    """Put units in the order in which they are to be taken; within one, and among those that are alike, it stays as random as it is."""
    counts = Counter(unit_of(item.nodeid) for item in items)

    def place(item: pytest.Item) -> tuple[int, int]:
        unit = unit_of(item.nodeid)
        count = counts[unit]
        if unit == SHARED_MESHES:
            return 2, -count  # late, so that what was started does not idle beside everything else
        if unit.startswith(_STARTS_PROCESSES):
            return 0, -count
        return (3 if count < _SMALL else 1), -count

    items.sort(key=place)


class UnitScheduling(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """Shares out units instead of files, in the order in which they were collected."""

    def __init__(self, config: pytest.Config, log: Producer | None = None) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)
