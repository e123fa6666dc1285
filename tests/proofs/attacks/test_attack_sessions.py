"""Requests of a session go to one target among equals, through whichever process or dialect they come; sessions spread."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.proofs.load import chat_body
from tests.proofs.stand import Stand, model, provider, route, stand

TWINS = ("left", "right")


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with a route over two equal targets, and one whose first target always fails."""
    folder: Path = tmp_path_factory.mktemp("sessions")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        twins = route("twins", *TWINS)
        halved = route("halved", "broken", "right")
        for each in (*twins.targets, *halved.targets):
            each.priority, each.weight = 0, 1
        made.put_models([*(model(name, "sim-echo") for name in TWINS), model("broken", "x", endpoint="nobody")], [twins, halved])
        yield made


def answered_by(mesh: Stand, session: str, alias: str = "twins", *, in_body: bool = False) -> str:
    """The model that answered a request of a session."""
    body = chat_body(alias, "good morning") | ({"llm_mesh": {"session": session}} if in_body else {})
    answer = mesh.ask(body, headers={} if in_body else {"x-llm-mesh-session": session})
    assert answer.status == 200, answer.body
    return answer.headers["x-llm-mesh-model"].rpartition("/")[2]


@pytest.mark.parametrize("session", ["a", "Grüße".encode().decode("latin-1"), "s" * 255])
def test_all_requests_of_a_session_go_to_one_target(mesh: Stand, session: str) -> None:
    by_header = {answered_by(mesh, session) for _ in range(6)}
    assert len(by_header) == 1
    if session.isascii():
        assert {answered_by(mesh, session, in_body=True) for _ in range(3)} == by_header


def test_sessions_spread(mesh: Stand) -> None:
    assert {answered_by(mesh, f"session {number}") for number in range(24)} == set(TWINS)


def test_a_session_whose_target_fails_is_answered_by_the_other(mesh: Stand) -> None:
    assert {answered_by(mesh, f"session {number}", "halved") for number in range(6)} == {"right"}
