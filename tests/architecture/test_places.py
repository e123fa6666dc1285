"""What `make house` counts of places to touch for one thing more: from the files that name what is there, and from the skeletons."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from tests.architecture.repository import ROOT
from tools.house import places
from tools.house.places import Kind, kinds


def test_each_kind_is_counted_and_every_file_exists() -> None:
    counted = {kind.name: kind for kind in kinds()}
    assert list(counted) == ["RPC", "provider row", "obligation", "plan node", "dialect", "service"]
    assert all((ROOT / file).is_file() for kind in counted.values() for file in kind.files)


def test_a_service_and_a_dialect_touch_nothing_by_hand_and_a_provider_is_a_row() -> None:
    counted = {kind.name: kind for kind in kinds()}
    assert (counted["service"].files, counted["dialect"].files) == ((), ())
    assert len(counted["provider row"].files) == 1
    assert counted["service"].generated == counted["dialect"].generated > 0


@pytest.mark.parametrize(("names", "example"), [("a", "a"), ("ab", "b"), (["b", "idle"], "b")])
def test_the_middle_one_counts_and_what_no_service_names_does_not(names: Sequence[str], example: str) -> None:
    words = {"protos/x.proto": {"a", "idle"}, "services/x.py": {"a", "b"}}
    counted = places._middle("kind", {name: {name} for name in names}, words)
    assert counted == Kind("kind", example, tuple(file for file in words if example in words[file]))


def test_a_line_names_the_files() -> None:
    assert Kind("RPC", "Plan", ("a", "b")).line().split() == ["RPC", "2", "by", "hand", "Plan:", "a", "b"]
    assert Kind("service", "1 files made", (), 3).line().endswith("3 places generated   1 files made: its own folders")
