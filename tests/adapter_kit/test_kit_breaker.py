"""The breaker, with a clock of its own."""

from __future__ import annotations

import pytest

from llm_mesh_adapter_kit.breaker import Breaker, BreakerState
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError, no_credential, unreachable
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_runtime.shares import Party
from llm_mesh_runtime.telemetry.metrics import Metrics


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def opened(clock: Clock) -> Breaker:
    breaker = Breaker(clock)
    for _ in range(5):
        assert breaker.admit() is None
        breaker.failed()
    return breaker


def test_five_failures_in_a_row_open_it() -> None:
    breaker = opened(Clock())
    assert breaker.state is BreakerState.OPEN
    assert breaker.admit() == 1.0


def test_half_of_twenty_calls_open_it_though_never_five_in_a_row() -> None:
    breaker = Breaker(Clock())
    for turn in range(20):
        assert breaker.admit() is None
        breaker.failed() if turn % 2 else breaker.succeeded()
    assert breaker.state is BreakerState.OPEN


def test_after_the_pause_one_call_at_a_time_is_tried() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.1
    states = [breaker.state]
    assert breaker.admit() is None
    assert breaker.admit() is not None
    breaker.succeeded()
    states.append(breaker.state)
    assert states == [BreakerState.HALF_OPEN, BreakerState.CLOSED]
    assert breaker.admit() is None


def test_a_probe_that_fails_doubles_the_pause_up_to_half_a_minute() -> None:
    clock = Clock()
    breaker = opened(clock)
    pauses = []
    for _ in range(7):
        clock.now += 60
        assert breaker.admit() is None
        breaker.failed()
        pauses.append(breaker.admit())
    assert pauses == [2, 4, 8, 16, 30, 30, 30]


def test_a_probe_whose_caller_left_makes_room_for_the_next() -> None:
    clock = Clock()
    breaker = opened(clock)
    clock.now += 1.1
    assert breaker.admit() is None
    breaker.left()
    assert breaker.admit() is None


def test_rate_limits_never_keep_it_open_for_long() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(4):
        breaker.throttled(3600)
        assert breaker.admit() is None
    breaker.throttled(3600)
    assert breaker.admit() == 5.0
    clock.now += 5.1
    assert breaker.state is BreakerState.CLOSED


def test_a_late_success_of_an_old_call_does_not_close_it() -> None:
    breaker = opened(Clock())
    breaker.succeeded()
    assert breaker.state is BreakerState.OPEN


def test_a_call_that_was_not_signed_says_nothing_of_its_provider() -> None:
    lanes, endpoint = Lanes(Metrics()), Endpoint(name="e", provider="E", base_url="https://e.example")
    party, failed = Party("domains/a", "domains/a/projects/p"), unreachable("e", "refused")
    for error in [failed] * 4 + [no_credential("e", "revoked"), failed]:
        lanes.leave(lanes.enter(endpoint, "", "m", party), party, error)
    with pytest.raises(AdapterError, match="fails too often"):
        lanes.enter(endpoint, "", "m", party)
