"""What became of requests: their story, filters by what they have and when, and what readers say of answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_cli.filtering import Selection, matching
from tests.cli.inside import CommandLine
from tests.e2e.running import RunningMesh
from tests.proofs.stand import until

NOT_FOUND, USAGE, DENIED = 5, 2, 4


@pytest.fixture
def line(cli_mesh: RunningMesh) -> CommandLine:
    return CommandLine(cli_mesh)


@pytest.fixture(scope="module")
def receipt(cli_mesh: RunningMesh) -> dict[str, Any]:
    """The receipt of a request that observability knows."""
    line = CommandLine(cli_mesh)
    told: dict[str, Any] = json.loads(line.done("chat", "a story", "-m", "sim-echo", "--tag", "team=story", "--json"))["receipt"]
    until(lambda: json.loads(line.done("requests", "show", told["reservation"], "--json"))["projected"], "observability knows the request")
    return told


def test_a_request_has_its_story(line: CommandLine, receipt: dict[str, Any]) -> None:
    name = receipt["reservation"]
    line.done("feedback", "create", name, "--score", "0.5", "--aspect", "helpful", "--comment", "short")
    by_id = json.loads(line.done("requests", "show", receipt["requestId"], "--domain", "default", "--json"))
    by_place = json.loads(line.done("request", "show", f"default/default/{name.rpartition('/')[2]}", "--json"))
    assert by_id == by_place
    assert [entry["name"] for entry in by_id["entries"]] == by_id["projected"] == [name]
    assert by_id["entries"][0]["lines"][0]["usage"]["outcome"] == "ATTEMPT_OUTCOME_COMPLETED"
    assert [each["name"].rpartition("/")[2] for each in by_id["decisions"]] == [receipt["decisionId"]]
    assert [each["action"] for each in by_id["auditRecords"]] == ["requests.reserve"]
    assert [(each["score"], each["aspect"]) for each in by_id["feedback"]] == [(0.5, "helpful")]
    assert by_id["notShown"] == []
    told = line.done("requests", "show", name)
    for part in ("team=story", "decision domains/default/routeDecisions", "requests.reserve", "feedback +0.5 helpful", "in spend and tail"):
        assert part in told


def test_what_a_caller_may_not_see_is_named(line: CommandLine, receipt: dict[str, Any]) -> None:
    line.done("principals", "create", "default/developer")
    line.done("bindings", "create", "default/developer", "--principal", "developer", "--role", "developer")
    key = json.loads(line.done("keys", "create", "--principal", "developer", "--json"))["secret"]
    story = json.loads(line.done("requests", "show", receipt["reservation"], "--key", key, "--json"))
    assert story["entries"]
    assert story["auditRecords"] == []
    assert any("audit records" in text and "auditRecords.list" in text for text in story["notShown"]), story["notShown"]


def test_an_unknown_request_is_not_found(line: CommandLine) -> None:
    for words in (("show", "nothing-of-that-id"), ("show", "default/default/01x"), ("reconcile", "nothing", "--note", "x")):
        assert line.ask("requests", *words).code == NOT_FOUND, words
    assert line.ask("requests", "show", "nothing-of-that-id", "--domain", "default").err.strip() == (
        "llm-mesh: nothing is kept of a request nothing-of-that-id of domains/default; --domain names another domain"
    )


def test_requests_are_listed_by_what_they_have_and_when(line: CommandLine, receipt: dict[str, Any]) -> None:
    def listed(*words: str) -> list[str]:
        return [each["name"] for each in json.loads(line.done("requests", "list", "--domain", "default", *words, "--json"))]

    name = receipt["reservation"]
    assert listed("--only", "tag.team=story") == [name]
    assert listed("--only", "tag.team=sto*", "--only", "model=sim-echo", "--since", "1h") == [name]
    assert listed("--only", "tag.team=story", "--only", "failed=yes") == []
    assert listed("--only", "tag.team=story", "--until", "1h") == []
    assert listed("--state", "settled", "--only", "tag.team=story") == [name]
    assert listed("--state", "refused") == []
    assert line.ask("requests", "list", "--since", "1h", "--until", "2h").code == USAGE
    assert line.ask("requests", "list", "--only", "colour=red").code == USAGE


def test_a_tail_shows_only_what_is_asked_for(line: CommandLine, receipt: dict[str, Any]) -> None:
    def tailed(*words: str) -> list[str]:
        return [json.loads(each)["name"] for each in line.done("tail", "--no-follow", *words, "--json").splitlines()]

    line.done("chat", "another", "-m", "sim-words")
    assert tailed("--only", "tag.team=story", "-n", "1") == [receipt["reservation"]]
    assert receipt["reservation"] not in tailed("--only", "alias=sim-words", "-n", "1000")
    assert tailed("--only", "tag.team=story", "--domain", "shared") == []
    assert tailed("--until", "1h") == []


def test_spend_and_audit_end_where_they_are_told_to(line: CommandLine, receipt: dict[str, Any]) -> None:
    assert receipt
    assert json.loads(line.done("spend", "--since", "2h", "--json"))["rows"]
    assert json.loads(line.done("spend", "--since", "2h", "--until", "1h", "--json"))["rows"] == []
    listed = ("audit", "list", "--domain", "default", "--action", "requests.*")
    assert json.loads(line.done(*listed, "--since", "1h", "--json"))
    assert json.loads(line.done(*listed, "--until", "1h", "--json")) == []
    assert json.loads(line.done(*listed, "--refused", "--principal", "nobody", "--json")) == []


def test_a_backlog_is_the_newest_of_what_matches() -> None:
    entries = [usage_pb2.LedgerEntry(name=str(number), alias="even" if number % 2 == 0 else "odd") for number in range(10)]
    selection = Selection(["alias=even"], (None, None), 2)
    assert selection.backlog == 1000, "enough to find them among"
    assert [entry.name for entry in selection.of(entries)] == ["6", "8"]
    assert [entry.name for entry in selection.of(entries)] == ["0", "2", "4", "6", "8"], "what comes later is shown whole"
    assert Selection([], (None, None), 7).backlog == 7


@pytest.mark.parametrize(
    ("only", "matches"),
    [
        ("alias=a", True),
        ("alias=b", False),
        ("model=m", True),
        ("model=domains/d/models/m", True),
        ("principal=ana", True),
        ("key=domains/d/*", True),
        ("tag.team=red", True),
        ("tag.team=blue", False),
        ("tag.none=", False),
        ("failed=yes", True),
        ("failed=no", False),
        ("reason=PROVIDER_*", True),
        ("state=settled", True),
        ("operation=embed", False),
    ],
)
def test_an_entry_is_matched_by_each_of_its_parts(only: str, matches: bool) -> None:  # noqa: FBT001
    entry = usage_pb2.LedgerEntry(
        alias="a",
        principal="domains/d/principals/ana",
        key="domains/d/projects/p/keys/k",
        operation="generate",
        state=usage_pb2.RESERVATION_STATE_SETTLED,
        tags={"team": "red"},
        lines=[{"model": "domains/d/models/m", "usage": {"error_reason": "PROVIDER_UNAVAILABLE"}}],
    )
    assert matching([only])(entry) is matches


def test_a_request_that_screening_refused_has_failed() -> None:
    assert matching(["failed=yes", "state=refused"])(usage_pb2.LedgerEntry(state=usage_pb2.RESERVATION_STATE_REFUSED))
