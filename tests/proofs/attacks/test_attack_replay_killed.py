"""`kill -9` between an answer and its keeping: what a client has read whole is repeated, and nothing is asked or charged twice."""

from __future__ import annotations

import http.client
import threading
from functools import partial
from pathlib import Path

import pytest

from llm_mesh.policy.v1 import identity_pb2
from tests.proofs.http import Reply
from tests.proofs.load import chat_body
from tests.proofs.stand import PROJECT, Provider, Stand, model, provider, stand, until
from tests.proofs.topology import topology

REQUESTS = 24


def ask(made: Stand, number: int, request: str) -> Reply:
    """One of the requests, first or again."""
    body = chat_body("paced", f"words {number}", stream=number % 2 == 1)
    return made.ask(body, headers={"idempotency-key": f"killed-{number}", "x-request-id": request})


def is_whole(reply: Reply) -> bool:
    """Whether the client has read the answer to its end."""
    return reply.status == 200 and (b"[DONE]" in reply.body or not reply.headers["content-type"].startswith("text/event-stream"))


def until_killed(made: Stand) -> dict[int, Reply]:
    """What clients have read when the mesh is killed under them."""
    read: dict[int, Reply] = {}

    def client(numbers: range) -> None:
        for number in numbers:
            try:
                read[number] = ask(made, number, f"first-{number}")
            except (OSError, http.client.HTTPException):
                return

    clients = [threading.Thread(target=client, args=(range(first, REQUESTS, 4),), daemon=True) for first in range(4)]
    for each in clients:
        each.start()
    until(lambda: len(read) >= 8, "some are answered, and others under way")
    made.mesh.kill()
    for each in clients:
        each.join(30)
    return read


def ended(made: Stand, number: int) -> Reply | None:
    """What the repetition is told, once the first request is not in progress any more."""
    again = ask(made, number, f"again-{number}")
    return None if again.status == 409 and again.code == "idempotency_in_progress" else again


def started_again(folder: Path, simulator: Provider, read: dict[int, Reply]) -> None:
    """All requests are sent again."""
    with stand(folder, simulator) as made:
        for number in range(REQUESTS):
            again: Reply = until(partial(ended, made, number), "what the killed gateway held is charged", pause=0.2)
            sent, sent_again = (len(simulator.received(f"{which}-{number}")) for which in ("first", "again"))
            assert sent + sent_again <= 1, "the provider is asked once at most"
            assert len(made.entries(f"first-{number}")) + len(made.entries(f"again-{number}")) == 1, "and it is charged once"
            if number in read and is_whole(read[number]):
                assert again.headers.get("x-llm-mesh-replayed") == "true", "what was read whole is kept"
                assert again.text == read[number].text
            elif not (sent_again or (sent and again.status == 200)):
                # A request that was reserved is charged even where the kill came before the provider read it: nobody can know.
                assert again.code == "idempotency_completed"
                assert again.error["llm_mesh"]["first"]["cost"] != "0"


@pytest.mark.skipif(topology() != "embedded", reason="kills the one process of a mesh")
def test_what_was_read_is_repeated_after_a_kill_and_nothing_happens_twice(tmp_path: Path) -> None:
    with provider(tmp_path) as simulator:
        with stand(tmp_path, simulator) as made:
            made.put_models([model("paced", "sim-words/tokens:20/rate:400")])
            made.apply_policy(projects=[identity_pb2.Project(name=PROJECT, keep_answers=True)])
            read = until_killed(made)
        assert any(is_whole(reply) for reply in read.values())
        (tmp_path / "ready").unlink()
        started_again(tmp_path, simulator, read)
