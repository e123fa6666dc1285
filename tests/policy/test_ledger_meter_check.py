"""Budgets and limits are compared with the sums of their entries; where they differ the stricter figure holds."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import pytest
from sqlalchemy import text

from llm_mesh.policy.v1 import ledger_pb2, policy_pb2, usage_pb2
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.ledger.domain.alerts import AlertKind, Alerts
from llm_mesh_policy.ledger.domain.meter_check import MeterCheck
from llm_mesh_policy.ledger.store.sums import LedgerSums
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from tests.policy.ledger_world import DOMAIN, KEY, MODEL, PROJECT, World, attempt, line, worst

BUDGET = f"{PROJECT}/budget"


_METRICS = (
    ledger_pb2.LIMIT_METRIC_REQUESTS,
    ledger_pb2.LIMIT_METRIC_CONCURRENCY,
    ledger_pb2.LIMIT_METRIC_INPUT_TOKENS,
    ledger_pb2.LIMIT_METRIC_OUTPUT_TOKENS,
    ledger_pb2.LIMIT_METRIC_TOKENS,
)


class Counting:
    def __init__(self) -> None:
        self.count = 0

    def inc(self) -> None:
        self.count += 1


class Checked:
    """A check, and what it showed."""

    def __init__(self, world: World, most: int = 1_000_000) -> None:
        self.alarms = Counting()
        self.shown: Mapping[str, int] = {}
        self.unchecked = 0
        sums = LedgerSums(world.database, world.identity, most=most)
        self.check = MeterCheck(sums, Alerts({AlertKind.METER_DIFFERENCE: self.alarms}), self._show, every=3600, pause=0)

    def _show(self, differences: Mapping[str, int], unchecked: int) -> None:
        self.shown, self.unchecked = differences, unchecked


@pytest.fixture
async def world(database: Database) -> World:
    """Budgets and limits of all kinds, and requests in all states."""
    world = await World(database).ready()
    await fill(world)
    return world


async def fill(world: World) -> None:
    await world.reserve()  # before the budget
    await world.budget(10**9)
    subjects = [PROJECT, KEY, DOMAIN, f"model:{MODEL}", "tag:team=red"]
    for number, (metric, subject) in enumerate([(metric, subject) for metric in _METRICS for subject in subjects]):
        limit = ledger_pb2.Limit(name=f"domains/platform/limits/l{number}", subject=subject, metric=metric, amount=10**6)
        if metric != ledger_pb2.LIMIT_METRIC_CONCURRENCY:
            limit.window.FromSeconds(3600)
        await world.limits.put_limit(limit, AuditEntry(domain=DOMAIN, action="limits.put", resource=limit.name, allowed=True))
    await world.settle(await world.reserve(attempt("a"), attempt("b")), line("a"))
    await world.settle(await world.reserve(admission=world.admission(tags={"team": "red"})), line("a"))
    await world.reserve()
    await world.lifecycle.release((await world.reserve()).held.reservation.id)
    shared = await world.reserve(attempt("a"), attempt("b", charge_to=f"{DOMAIN}/projects/other"))
    await world.settle(shared, line("a"), line("b"))
    lost = await world.reserve(epoch="lost")
    await world.lifecycle.heartbeat(policy_pb2.HeartbeatRequest(epoch="e2", replaces_epoch="lost"))
    await world.settle(lost, line("a", outcome=usage_pb2.ATTEMPT_OUTCOME_CANCELLED))


async def tamper(world: World, change: str, name: str = BUDGET) -> None:
    statement = text(f"UPDATE ledger_meters SET {change} WHERE name = :name")  # noqa: S608 - the test's own words
    assert (await world.database.write(lambda connection: connection.execute(statement, {"name": name}).rowcount)) == 1


async def test_meters_that_are_the_sums_of_their_entries_raise_no_alarm(world: World) -> None:
    checked = Checked(world)
    assert await checked.check.once() == 0
    assert (checked.alarms.count, checked.unchecked, set(checked.shown.values())) == (0, 0, {0})


async def test_a_budget_that_counts_too_little_is_raised_to_the_sum_of_its_entries(world: World) -> None:
    before = await world.standing()
    await tamper(world, "spent = 0")
    checked = Checked(world)
    assert await checked.check.once() == 1
    assert checked.alarms.count == 1
    assert checked.shown["money"] == before[0]
    assert await world.standing() == before
    record = world.identity.audit[-1]
    assert (record.action, record.resource, record.allowed) == ("ledger.meterDifference", BUDGET, False)
    assert await checked.check.once() == 0, "it is mended"


async def test_a_budget_that_counts_too_much_stays_so_and_goes_on_raising_alarms(world: World) -> None:
    spent, held = await world.standing()
    await tamper(world, "held = held + 5")
    checked = Checked(world)
    assert await checked.check.once() == 1
    assert await world.standing() == (spent, held + 5)
    assert (await checked.check.once(), checked.alarms.count) == (1, 2)


async def test_every_kind_of_limit_is_checked(world: World) -> None:
    for number in range(25):
        name = f"domains/platform/limits/l{number}"
        await tamper(world, "spent = spent - 1, held = held - 2", name)
        checked = Checked(world)
        assert await checked.check.once() == 1, name
        assert sum(checked.shown.values()) == 3, name
        assert await checked.check.once() == 0, f"{name} is mended"


async def test_a_meter_with_too_many_entries_is_not_added_up_and_counted(world: World) -> None:
    await tamper(world, "spent = 0")
    checked = Checked(world, most=1)
    assert await checked.check.once() == 0
    assert checked.unchecked > 0


async def test_requests_beside_the_check_raise_no_alarm(world: World) -> None:
    checked = Checked(world)

    async def one() -> None:
        await world.settle(await world.reserve(), line())

    rounds = asyncio.gather(*(checked.check.once() for _ in range(3)))
    await asyncio.gather(*(one() for _ in range(40)))
    assert await rounds == [0, 0, 0]


async def test_the_stricter_figure_of_a_tampered_file_holds_after_a_restart(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'policy.db'}"
    first = await World(Database(url, name="policy")).ready()
    await first.budget(worst() + worst(500, 50))
    await first.settle(await first.reserve(), line())
    await first.database.close()
    again = await World(Database(url, name="policy")).ready()
    await tamper(again, "spent = 0")
    checked = Checked(again)
    assert await checked.check.once() == 1
    await again.reserve()
    with pytest.raises(MeshError):
        await again.reserve()
    await again.database.close()
