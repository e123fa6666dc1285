"""Places of a bulkhead, in one process and among several."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from llm_mesh.adapter.v1 import errors_pb2
from llm_mesh_adapter_kit.bulkhead import FairPlaces, MakePlaces, OwnPlaces, Places, SharedFile, own_places
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.lanes import Lanes
from llm_mesh_runtime.shares import RESERVE, Party, Shares
from llm_mesh_runtime.telemetry.metrics import Metrics

LANE = ("openai", "", "gpt-4.1")
ANA, BOB = Party("domains/claims", "domains/claims/projects/triage"), Party("domains/motor", "domains/motor/projects/fleet")
OTHER_PROCESS = """
import sys
from pathlib import Path
from llm_mesh_adapter_kit.bulkhead import SharedFile
places = SharedFile(Path(sys.argv[1])).lane(*sys.argv[4:])
for _ in range(int(sys.argv[2])):
    assert places.take(int(sys.argv[3]))
print("taken", flush=True)
for line in sys.stdin:
    places.give()
    print("given", flush=True)
"""


@contextmanager
def another(path: Path, count: int, most: int, *lane: str) -> Iterator[subprocess.Popen[str]]:
    """Another process, which holds places of a lane."""
    words = [sys.executable, "-c", OTHER_PROCESS, str(path), str(count), str(most), *(lane or LANE)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "taken\n"
            yield process
        finally:
            process.kill()


@pytest.fixture(params=["own", "shared"])
def places(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Places]:
    if request.param == "own":
        yield OwnPlaces()
        return
    file = SharedFile(tmp_path / "places")
    yield file.lane(*LANE)
    file.close()


def test_as_many_are_taken_as_there_are_and_what_is_given_back_is_there_again(places: Places) -> None:
    assert [places.take(3) for _ in range(4)] == [True, True, True, False]
    assert places.taken == 3
    places.give()
    assert [places.take(3) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(("theirs", "most", "left"), [(1, 1, 0), (2, 5, 3), (5, 5, 0), (0, 2, 2)])
def test_processes_share_what_there_is(tmp_path: Path, theirs: int, most: int, left: int) -> None:
    places = SharedFile(tmp_path / "places").lane(*LANE)
    with another(tmp_path / "places", theirs, most):
        assert sum(places.take(most) for _ in range(most)) == left
        assert not places.take(most)


def test_a_place_that_another_process_gives_back_can_be_taken(tmp_path: Path) -> None:
    places = SharedFile(tmp_path / "places").lane(*LANE)
    with another(tmp_path / "places", 2, 2) as process:
        assert not places.take(2)
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("give\n")
        process.stdin.flush()
        assert process.stdout.readline() == "given\n"
        assert [places.take(2) for _ in range(2)] == [True, False]


def test_a_process_that_is_killed_leaves_no_place_taken(tmp_path: Path) -> None:
    places = SharedFile(tmp_path / "places").lane(*LANE)
    with another(tmp_path / "places", 3, 3) as process:
        assert not places.take(3)
        process.kill()
        process.wait()
        assert [places.take(3) for _ in range(4)] == [True, True, True, False]


def test_lanes_do_not_take_each_others_places(tmp_path: Path) -> None:
    places = SharedFile(tmp_path / "places").lane(*LANE)
    with another(tmp_path / "places", 1, 1, "openai", "", "gpt-4.1-mini"), another(tmp_path / "places", 1, 1, "openai", "g", "pt-4.1"):
        assert places.take(1)


def test_a_call_that_the_breaker_refuses_leaves_its_place() -> None:
    endpoint = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", max_in_flight=1)
    lanes = Lanes(Metrics(), now=lambda: 100.0)
    for _ in range(5):
        lanes.leave(lanes.enter(endpoint, "", "m", ANA), ANA, AdapterError(errors_pb2.ERROR_REASON_PROVIDER_RESET, "gone"))
    for _ in range(2):
        with pytest.raises(AdapterError) as raised:
            lanes.enter(endpoint, "", "m", ANA)
        assert raised.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN


def test_of_all_processes_one_call_at_a_time_finds_out_whether_a_provider_is_back(tmp_path: Path) -> None:
    endpoint = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", max_in_flight=1)
    now = 100.0
    lanes = Lanes(Metrics(), now=lambda: now, places=SharedFile(tmp_path / "places").lane)
    for _ in range(5):
        lanes.leave(lanes.enter(endpoint, "", "m", ANA), ANA, AdapterError(errors_pb2.ERROR_REASON_PROVIDER_RESET, "gone"))
    now += 1.5
    with another(tmp_path / "places", 1, 1, "openai", "", "m", "probe") as process:
        for _ in range(2):
            with pytest.raises(AdapterError) as raised:
                lanes.enter(endpoint, "", "m", ANA)
            assert raised.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
        process.kill()
        process.wait()
    for error in (AdapterError(errors_pb2.ERROR_REASON_PROVIDER_RESET, "gone"), None):
        lanes.leave(lanes.enter(endpoint, "", "m", ANA), ANA, error)
        with another(tmp_path / "places", 1, 1, "openai", "", "m", "probe"):
            now += 60.0  # whoever found out has given the place back
    lanes.leave(lanes.enter(endpoint, "", "m", ANA), ANA, None)


@pytest.fixture(params=["own", "shared"])
def made(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[MakePlaces]:
    """What makes places: of this process, or of several."""
    if request.param == "own":
        yield own_places
        return
    file = SharedFile(tmp_path / "places")
    yield file.lane
    file.close()


def test_slow_calls_of_one_domain_leave_room_for_others(made: MakePlaces) -> None:
    places = FairPlaces(made, LANE, 256)
    count = sum(places.take(ANA) for _ in range(300))
    assert 256 // 2 < count < 256 * 0.75
    assert sum(places.take(ANA._replace(principal="domains/claims/projects/other")) for _ in range(300)) > 10, (
        "another project has some too"
    )
    assert places.take(BOB)
    places.give(BOB)
    for _ in range(count):
        places.give(ANA)
    assert sum(places.take(ANA) for _ in range(300)) > 100, "what was given back can be taken again"


def test_a_domain_has_no_more_in_several_processes_than_in_one(tmp_path: Path) -> None:
    one, other = (FairPlaces(SharedFile(tmp_path / "places").lane, LANE, 64) for _ in range(2))
    # Locks of one process do not exclude each other, so the other process is a real one.
    most = Shares.most(64, RESERVE)
    with (
        another(tmp_path / "places", most - 2, most, *LANE, "domain", ANA.domain),
        another(tmp_path / "places", most - 2, 64, *LANE),
    ):
        assert [one.take(ANA) for _ in range(3)] == [True, True, False]
        assert other.take(BOB)


def test_the_refusal_says_whose_share_is_used_up() -> None:
    endpoint = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", max_in_flight=8)
    lanes = Lanes(Metrics())
    entered = [lanes.enter(endpoint, "", "m", ANA) for _ in range(Shares.most(6, RESERVE / 2))]
    with pytest.raises(AdapterError, match="as one domain or project may have there now") as raised:
        lanes.enter(endpoint, "", "m", ANA)
    assert raised.value.reason == errors_pb2.ERROR_REASON_BULKHEAD_FULL
    assert lanes.stand("openai")[1] == len(entered) < 8
    lanes.leave(lanes.enter(endpoint, "", "m", BOB), BOB, None)


def timed_out() -> AdapterError:
    return AdapterError(errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT, "late")


def test_what_a_domain_finds_too_slow_is_closed_to_its_own_limits_alone() -> None:
    endpoint = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", max_in_flight=1)
    lanes = Lanes(Metrics(), now=lambda: 100.0)
    for _ in range(5):
        lanes.leave(lanes.enter(endpoint, "", "m", ANA, hurried=True), ANA, timed_out(), hurried=True)
    for _ in range(2):
        with pytest.raises(AdapterError) as raised:
            lanes.enter(endpoint, "", "m", ANA, hurried=True)
        assert raised.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN
    lanes.leave(lanes.enter(endpoint, "", "m", ANA), ANA, None)
    lanes.leave(lanes.enter(endpoint, "", "m", BOB, hurried=True), BOB, None, hurried=True)


def test_what_fails_for_another_reason_is_closed_to_all_though_the_attempts_had_limits_of_their_own() -> None:
    endpoint = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", max_in_flight=1)
    lanes = Lanes(Metrics(), now=lambda: 100.0)
    for _ in range(5):
        gone = AdapterError(errors_pb2.ERROR_REASON_PROVIDER_RESET, "gone")
        lanes.leave(lanes.enter(endpoint, "", "m", ANA, hurried=True), ANA, gone, hurried=True)
    with pytest.raises(AdapterError) as raised:
        lanes.enter(endpoint, "", "m", BOB)
    assert raised.value.reason == errors_pb2.ERROR_REASON_BREAKER_OPEN


def test_who_is_too_slow_for_a_domain_does_not_keep_others_from_finding_out_whether_a_provider_is_back() -> None:
    endpoint = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1", max_in_flight=1)
    now = 100.0
    lanes = Lanes(Metrics(), now=lambda: now)
    for error in (timed_out(), AdapterError(errors_pb2.ERROR_REASON_PROVIDER_RESET, "gone")):
        for _ in range(5):
            hurried = error.reason == errors_pb2.ERROR_REASON_PROVIDER_TIMEOUT
            lanes.leave(lanes.enter(endpoint, "", "m", ANA, hurried=hurried), ANA, error, hurried=hurried)
    now += 1.0
    lanes.leave(lanes.enter(endpoint, "", "m", ANA, hurried=True), ANA, timed_out(), hurried=True)  # it is its turn to find out
    now += 0.1
    with pytest.raises(AdapterError):
        lanes.enter(endpoint, "", "m", ANA, hurried=True)
    lanes.leave(lanes.enter(endpoint, "", "m", BOB), BOB, None)
