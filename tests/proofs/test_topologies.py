"""A stand serves the same in every topology: what the attacks are run in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.proofs.load import chat_body
from tests.proofs.stand import model, provider, stand
from tests.proofs.topology import TOPOLOGIES, VARIABLE


@pytest.mark.parametrize("topology", TOPOLOGIES)
def test_a_stand_in_every_topology_serves_and_accounts(topology: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, topology)
    with provider(tmp_path) as simulator, stand(tmp_path, simulator) as made:
        made.put_models([model("own", "sim-echo")])
        made.put_budget(10**9)
        answer = made.ask(chat_body("own", "hello"), headers={"x-request-id": f"first-in-{topology}"})
        assert answer.status == 200, answer.body
        assert made.entry(f"first-in-{topology}").charged.nanos > 0
        assert made.budget().spent.nanos > 0
        assert simulator.received(f"first-in-{topology}")
