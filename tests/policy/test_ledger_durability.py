"""What was acknowledged is there after `kill -9`, and what was in flight ends as an estimate of the epoch that is gone."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_runtime.database import Database
from tests.policy.ledger_world import PROJECT, World, worst
from tests.postgres import Cluster

SPENDING = """
import asyncio, sys
from llm_mesh_runtime.database import Database
from tests.policy.ledger_world import World, line

async def main():
    world = World(Database(sys.argv[1], name="policy"))
    async def spend(number):
        while True:
            granted = await world.reserve(epoch="gone")
            print("held", granted.held.reservation.id, flush=True)
            if number % 2:
                settled = await world.settle(granted, line())
                print("settled", granted.held.reservation.id, settled.entry.charged.nanos, flush=True)
    await asyncio.gather(*(spend(number) for number in range(16)))

asyncio.run(main())
"""


@pytest.mark.parametrize("engine", ["sqlite", "postgresql"])
async def test_every_acknowledged_reservation_and_settlement_survives_kill_9(
    tmp_path: Path, engine: str, request: pytest.FixtureRequest
) -> None:
    url = f"sqlite:///{tmp_path / 'policy.db'}"
    if engine == "postgresql":
        cluster = request.getfixturevalue("postgres")
        assert isinstance(cluster, Cluster)
        url = cluster.database()
    world = await World(Database(url, name="policy")).ready()
    await world.budget(10**15)

    def spend() -> list[str]:
        with subprocess.Popen([sys.executable, "-c", SPENDING, url], stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            heard = [process.stdout.readline() for _ in range(200)]
            process.send_signal(signal.SIGKILL)
            return [line for line in heard + process.stdout.readlines() if line.endswith("\n")]

    told = [line.split() for line in await asyncio.to_thread(spend)]
    held = [line[1] for line in told if line[0] == "held"]
    settled = {line[1]: int(line[2]) for line in told if line[0] == "settled"}
    assert held
    assert settled
    await world.lifecycle.heartbeat(policy_pb2.HeartbeatRequest(epoch="next", replaces_epoch="gone"))
    for reservation_id in held:
        entry = await world.reading.entry(PROJECT, reservation_id)
        assert entry is not None, "an acknowledged reservation is gone"
        if reservation_id in settled:
            assert (entry.state, entry.charged.nanos) == (usage_pb2.RESERVATION_STATE_SETTLED, settled[reservation_id])
        elif entry.state != usage_pb2.RESERVATION_STATE_SETTLED:  # settled, but the process died before it could say so
            assert (entry.state, entry.charged.nanos) == (usage_pb2.RESERVATION_STATE_ESTIMATED, worst())
    everything = await world.reading.page("domains/claims", state=0, request_id="", before=None, limit=10_000)
    assert await world.standing() == (sum(entry.charged.nanos for _, _, entry in everything), 0)
    await world.database.close()
