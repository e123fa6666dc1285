"""Each attempt has its own limits, though those of a kind are read once."""

from __future__ import annotations

import time

import pytest
from google.protobuf.duration_pb2 import Duration

from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.limits import AttemptLimits, Limits, Timers

USUAL = Limits(connect=1, first_token=2, idle=3, total=4)


def limited(**limits: float) -> plan_pb2.Attempt:
    found = {name: Duration(seconds=int(value), nanos=int(value % 1 * 1e9)) for name, value in limits.items()}
    return plan_pb2.Attempt(limits=plan_pb2.AttemptLimits(**found))


def test_what_an_attempt_does_not_limit_is_limited_as_usual() -> None:
    known = AttemptLimits(USUAL)
    for _ in range(2):
        assert known.of(plan_pb2.Attempt()) == (USUAL, False)
        assert known.of(limited(idle=0.5)) == (USUAL._replace(idle=0.5), False)
        assert known.of(limited(first_token=7)) == (USUAL._replace(first_token=7), True)
        assert known.of(limited(connect=9, total=8)) == (USUAL._replace(connect=9, total=8), False)


def test_as_many_kinds_as_there_are_do_not_grow_without_bound() -> None:
    known = AttemptLimits(USUAL)
    for number in range(1, 2_000):
        assert known.of(limited(total=number))[0].total == number
    assert len(known._known) <= 256


@pytest.mark.parametrize(
    ("wants_first", "head", "content", "phase"),
    [
        (True, True, False, ("first_token", 2)),
        (True, False, False, ("first_token", 2)),
        (True, False, True, ("idle", 3)),
        (False, True, False, ("total", 4)),
        (False, False, False, ("idle", 3)),
    ],
)
def test_the_phase_that_is_over_first_counts(wants_first: bool, head: bool, content: bool, phase: tuple[str, float]) -> None:  # noqa: FBT001
    begun = time.monotonic()
    timers = Timers(USUAL, wants_first=wants_first)
    timers.event(content=content)
    assert timers.phase(head=head) == phase
    assert begun + phase[1] <= timers.next(head=head) <= time.monotonic() + phase[1]


def test_no_phase_lasts_longer_than_the_whole() -> None:
    timers = Timers(USUAL._replace(total=0.5), wants_first=True)
    assert timers.phase(head=True) == ("total", 0.5)
