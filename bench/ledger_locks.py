"""Reservations per second on PostgreSQL by how many budgets they are spread over, under one lock of the ledger and under locks of rows.

python -m bench.ledger_locks [--seconds 5] [--waiting 64] [--instances 1 2] [--budgets 1 10 1000] [--durable]

`ledger` is what policy does: one advisory lock lets one group of requests at a time at the ledger. `rows` is the most to be gained by
locking the rows of the budgets that a group touches, in the order of their names: it leaves out what exactness would cost beside (the
order of the outbox, idempotency keys, repeated calls, budgets that are put meanwhile), so no service may run it. Each instance is a
process with four writers, as policy has them. Each reservation is of one project with a budget of its own. Keys are not looked up.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import secrets
import statistics
import time
from collections.abc import Collection, Sequence

from sqlalchemy import Connection, text

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import ledger_pb2, usage_pb2
from llm_mesh_policy.audit.store.chains import AuditTrail
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.domain.unit_of_work import UnitOfWork
from llm_mesh_policy.ledger.domain.ports import ReservationDraft
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.rates import FREE
from llm_mesh_policy.ledger.domain.requests import Request, Reserve
from llm_mesh_policy.ledger.domain.reservation import Reservation
from llm_mesh_policy.ledger.store.ledger import SqlLedger
from llm_mesh_policy.ledger.store.limits import LedgerLimits
from llm_mesh_policy.ledger.store.loading import ViewLoader
from llm_mesh_policy.ledger.store.saving import save
from llm_mesh_policy.settings import Settings
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_policy.wiring import MIGRATIONS
from llm_mesh_runtime.database import Database, PreparedStatement, as_list, migrate
from tests.postgres import cluster

_DOMAIN = "domains/bench"
_CURRENCY = "USD"
_PLENTY = 10**17
_EACH = 1_000
_FAR = 1 << 60
# Each group takes a block of places, larger than the largest group.
_SEQUENCE = "CREATE SEQUENCE bench_places INCREMENT BY 512"
_ROWS = PreparedStatement(
    text(
        "SELECT nextval('bench_places'), (SELECT count(*) FROM (SELECT 1 FROM ledger_meters "
        "WHERE subject = ANY(CAST(:subjects AS text[])) ORDER BY name FOR UPDATE) AS locked)"
    )
)


class BenchAccounts:
    """An audit trail as policy has it, and keys that count."""

    def __init__(self) -> None:
        self._trail = AuditTrail()

    def dead(self, unit: UnitOfWork, keys: Collection[str], now: int, revision: object = None) -> Collection[str]:
        del unit, keys, now, revision
        return ()

    def extend_audit(self, unit: UnitOfWork, entries: Sequence[AuditEntry]) -> None:
        self._trail.extend(unit, entries)

    def domain_names(self, unit: UnitOfWork) -> Collection[str]:
        del unit
        return [_DOMAIN]


class RowLockedLedger(SqlLedger):
    """The ledger with locks of rows in place of its one lock, and places in the outbox from a sequence. Only to measure."""

    def _together(self, connection: Connection, requests: Sequence[Request]) -> list[object]:
        subjects = {subject for request in requests if isinstance(request, Reserve) for subject in request.subjects}
        row = _ROWS.first(connection, subjects=as_list(connection, sorted(subjects)))
        unit = SqlUnitOfWork(connection, self._database)
        loader = ViewLoader(unit, self._accounts, unit.now(), requests)
        loader.view.sequence = int(row[0]) if row else 0
        answers = [self._answer(loader, request) for request in requests]
        save(unit, self._accounts, loader.view)
        return answers


def _draft(budget: int) -> ReservationDraft:
    number, project = secrets.token_hex(16), f"{_DOMAIN}/projects/p{budget}"
    entry = usage_pb2.LedgerEntry(name=f"{project}/reservations/{number}", state=usage_pb2.RESERVATION_STATE_HELD, admission_id=number)
    entry.reserved.currency, entry.reserved.nanos = _CURRENCY, _EACH
    line = QuoteLine("a", "openai", "openai", "m", "", "", f"{_DOMAIN}/models/m", "p", project, 10, 10, 1, _EACH, FREE)
    return ReservationDraft(
        Reservation(number, _DOMAIN, project, f"{project}/keys/k", f"{_DOMAIN}/principals/p", "r", entry, (line,)), "epoch", _FAR
    )


async def _reserve(url: str, *, rows: bool, budgets: int, waiting: int, seconds: float) -> int:
    database = Database(url, name="policy", time_limit=60)
    ledger = (RowLockedLedger if rows else SqlLedger)(database, BenchAccounts(), currency=_CURRENCY)
    end, done = time.monotonic() + seconds, 0

    async def client(number: int) -> None:
        nonlocal done
        budget = number
        while time.monotonic() < end:
            budget = (budget + waiting) % budgets
            await ledger.reserve(_draft(budget))
            done += 1

    await asyncio.gather(*(client(number) for number in range(waiting)))
    await database.close()
    return done


def _instance(url: str, options: dict[str, int | float | bool], results: multiprocessing.Queue[int]) -> None:
    """One instance of policy, in a process of its own."""
    results.put(asyncio.run(_reserve(url, **options)))  # type: ignore[arg-type]  # options of one name each


async def _prepare(url: str, budgets: int) -> None:
    database = Database(url, name="policy", time_limit=60)
    await migrate(database, MIGRATIONS)
    limits = LedgerLimits(database, BenchAccounts(), Settings().quotas, currency=_CURRENCY)
    for number in range(budgets):
        name = f"{_DOMAIN}/projects/p{number}/budget"
        budget = ledger_pb2.Budget(name=name, amount=resources_pb2.Money(currency=_CURRENCY, nanos=_PLENTY))
        await limits.put_budget(budget, AuditEntry(domain=_DOMAIN, action="budgets.put", resource=name, allowed=True))
    await database.write(lambda connection: connection.execute(text(_SEQUENCE)).rowcount)
    await database.close()


def _rate(url: str, instances: int, **options: float | bool) -> float:
    """Reservations per second of all instances together."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[int] = context.Queue()
    begun = [context.Process(target=_instance, args=(url, options, results)) for _ in range(instances)]
    for process in begun:
        process.start()
    done = sum(results.get(timeout=120) for _ in begun)
    for process in begun:
        process.join()
    return done / float(options["seconds"])


def main() -> None:
    """Measures and prints, the two ways in turns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--waiting", type=int, default=64, help="reservations that wait at once, in each instance")
    parser.add_argument("--instances", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--budgets", type=int, nargs="+", default=[1, 10, 1000])
    parser.add_argument("--durable", action="store_true", help="commits wait for the disk")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    print("instances  budgets  reservations/s: ledger  rows  (median of the rounds)")
    with cluster(durable=arguments.durable) as server:
        for instances in arguments.instances:
            for budgets in arguments.budgets:
                rates: dict[bool, list[float]] = {False: [], True: []}
                for _ in range(arguments.rounds):
                    for rows, measured in rates.items():
                        url = server.database()
                        asyncio.run(_prepare(url, budgets))
                        options = {"rows": rows, "budgets": budgets, "waiting": arguments.waiting, "seconds": arguments.seconds}
                        measured.append(_rate(url, instances, **options))
                        server.drop(url)
                ledger, by_rows = (statistics.median(rates[rows]) for rows in (False, True))
                print(f"{instances:9}  {budgets:7}  {ledger:22.0f}  {by_rows:4.0f}", flush=True)


if __name__ == "__main__":
    main()
