"""`llm-mesh audit verify` finds whatever was done to a copy of policy's database, and `--against` what the copy alone does not show."""

from __future__ import annotations

import json
import random
import secrets
import shutil
import sqlite3
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import Connection

from llm_mesh.policy.v1 import audit_pb2, rules_pb2
from llm_mesh_cli.output import Output
from llm_mesh_cli.session import Access, Session
from llm_mesh_cli.trail import sources
from llm_mesh_cli.trail.verification import verify as verified
from llm_mesh_policy.audit.store.chains import AuditTrail
from llm_mesh_policy.domain.audit_entry import AuditEntry
from llm_mesh_policy.store.unit_of_work import SqlUnitOfWork
from llm_mesh_runtime.database import Database, migrate
from llm_mesh_runtime.trail import FIRST_NUMBERING, first_hash, next_numbering, record_hash
from llm_mesh_runtime.trail.stored import record_of
from llm_mesh_runtime.trail.verifying import TrailDefectKind
from tests.cli.inside import run
from tests.e2e.running import RunningMesh, environment, llm_mesh

RECORDS = 60


@pytest.fixture(scope="module")
def trail(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of policy with three chains: decisions, and changes of other services."""
    import asyncio  # noqa: PLC0415 (the fixture alone is of asyncio)

    path = tmp_path_factory.mktemp("trail") / "policy.db"

    async def fill() -> None:
        database = Database(f"sqlite:///{path}", name="policy")
        await migrate(database, "llm_mesh_policy.store.migrations")

        def added(trail: AuditTrail, entry: AuditEntry, connection: Connection) -> int:
            return trail.append(SqlUnitOfWork(connection, database), entry)

        trails = [AuditTrail(epoch=f"epoch{number}") for number in range(3)]
        for number in range(RECORDS):
            entry = AuditEntry("domains/claims", "models.update", f"domains/claims/models/{number}", allowed=True, detail=str(number))
            if number % 2:
                entry.event_id, entry.source, entry.before, entry.after, entry.reason = str(number), "registry", bytes(32), bytes(32), "why"
            await database.write(partial(added, trails[number % 3], entry))
        await database.close()

    asyncio.run(fill())
    return path


def verify(path: Path, *words: str) -> subprocess.CompletedProcess[str]:
    ended = run("audit", "verify", *words, "--database", str(path), env=environment())
    return subprocess.CompletedProcess(words, ended.code, ended.out, ended.err)


def kinds(path: Path, *words: str) -> set[str]:
    done = verify(path, *words, "--json")
    found = {problem["kind"] for problem in json.loads(done.stdout)["problems"]}
    assert (done.returncode == 1) == bool(found), done.stderr
    return found


@pytest.fixture
def copy(trail: Path, tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A copy to tamper with; the file is `copy.db`."""
    shutil.copy(trail, tmp_path / "copy.db")
    with closing(sqlite3.connect(tmp_path / "copy.db", isolation_level=None)) as connection:
        yield connection


Tampering = Callable[[sqlite3.Connection, random.Random], None]


def changed(connection: sqlite3.Connection, rng: random.Random) -> None:
    column = rng.choice(["domain", "principal", "key", "action", "resource", "detail", "request_id", "reason", "event_id", "source"])
    connection.execute(f"UPDATE audit_records SET {column} = 'forged' WHERE sequence = ?", (rng.randint(1, RECORDS),))  # noqa: S608 (names of columns only)


def turned(connection: sqlite3.Connection, rng: random.Random) -> None:
    connection.execute("UPDATE audit_records SET allowed = NOT allowed, time = time + 1 WHERE sequence = ?", (rng.randint(1, RECORDS),))


def digested(connection: sqlite3.Connection, rng: random.Random) -> None:
    column = rng.choice(["before_digest", "after_digest", "hash"])
    connection.execute(f"UPDATE audit_records SET {column} = randomblob(32) WHERE sequence = ?", (rng.randint(1, RECORDS),))  # noqa: S608 (names of columns only)


def dropped(connection: sqlite3.Connection, rng: random.Random) -> None:
    connection.execute("DELETE FROM audit_records WHERE sequence = ?", (rng.randint(1, RECORDS),))


def truncated(connection: sqlite3.Connection, rng: random.Random) -> None:
    connection.execute("DELETE FROM audit_records WHERE sequence > ?", (rng.randint(0, RECORDS - 1),))


def renumbered(connection: sqlite3.Connection, rng: random.Random) -> None:
    begin = rng.randint(1, RECORDS)
    connection.execute("UPDATE audit_records SET sequence = -sequence WHERE sequence >= ?", (begin,))
    connection.execute("UPDATE audit_records SET sequence = 7 - sequence WHERE sequence < 0")


def swapped(connection: sqlite3.Connection, rng: random.Random) -> None:
    one, other = rng.sample(range(1, RECORDS + 1), 2)
    for old, new in ((one, -1), (other, one), (-1, other)):
        connection.execute("UPDATE audit_records SET sequence = ? WHERE sequence = ?", (new, old))


def interleaved(connection: sqlite3.Connection, rng: random.Random) -> None:
    """Records of different chains change places, so that each chain keeps its order and its end."""
    one = rng.randint(1, RECORDS - 5)
    for old, new in ((one, -1), (one + 1, one), (-1, one + 1)):
        connection.execute("UPDATE audit_records SET sequence = ? WHERE sequence = ?", (new, old))


def stripped(connection: sqlite3.Connection, rng: random.Random) -> None:
    """A change made a plain decision."""
    nothing = "event_id = NULL, source = NULL, before_digest = NULL, after_digest = NULL, reason = NULL"
    connection.execute(f"UPDATE audit_records SET {nothing} WHERE sequence = ?", (2 * rng.randint(1, RECORDS // 2),))  # noqa: S608 (names of columns only)


def forgotten(connection: sqlite3.Connection, rng: random.Random) -> None:
    """A whole chain, without its head."""
    writer = f"epoch{rng.randrange(3)}-0"
    connection.execute("DELETE FROM audit_heads WHERE writer = ?", (writer,))


def repeated(connection: sqlite3.Connection, rng: random.Random) -> None:
    columns = "time, domain, principal, key, action, resource, allowed, detail, request_id, writer, hash"
    row = rng.randint(1, RECORDS)
    connection.execute(f"INSERT INTO audit_records ({columns}) SELECT {columns} FROM audit_records WHERE sequence = ?", (row,))  # noqa: S608 (names of columns only)


TAMPERINGS: list[Tampering] = [
    changed,
    turned,
    digested,
    dropped,
    truncated,
    renumbered,
    swapped,
    interleaved,
    stripped,
    forgotten,
    repeated,
]


def test_a_whole_trail_is_whole(trail: Path) -> None:
    done = verify(trail)
    assert (done.returncode, done.stdout) == (0, f"{RECORDS} records in 3 chains are whole\n"), done.stderr


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
def test_whatever_is_done_to_a_copy_is_found(copy: sqlite3.Connection, tmp_path: Path, tamper: Tampering) -> None:
    tamper(copy, random.Random(tamper.__name__))  # noqa: S311 (choices of a test)
    copy.close()
    assert kinds(tmp_path / "copy.db")


@pytest.mark.parametrize("tamper", TAMPERINGS, ids=lambda each: each.__name__)
async def test_no_random_tampering_stays_unseen(trail: Path, tmp_path: Path, tamper: Tampering) -> None:
    session = Session(Access(), Output(as_json=False), "admin")
    for number in range(12):
        seed = f"{secrets.token_hex(4)}"
        path = tmp_path / f"{number}.db"
        shutil.copy(trail, path)
        with closing(sqlite3.connect(path, isolation_level=None)) as connection:
            tamper(connection, random.Random(seed))  # noqa: S311 (likewise)
        verdict = await verified(partial(sources.stored, session, str(path)))
        assert verdict.problems, f"{tamper.__name__} with the seed {seed}"


def heads_again(connection: sqlite3.Connection) -> None:
    """What a careful forger does: makes every hash and head follow from what the records are now."""
    connection.row_factory = sqlite3.Row
    heads: dict[str, tuple[int, bytes, int, bytes]] = {}
    for row in connection.execute("SELECT * FROM audit_records ORDER BY sequence").fetchall():
        record = record_of(row)
        count, digest, _, numbering = heads.get(record.writer, (0, first_hash(record.writer), 0, FIRST_NUMBERING))
        digest = record_hash(digest, record)
        connection.execute("UPDATE audit_records SET hash = ? WHERE sequence = ?", (digest, record.sequence))
        heads[record.writer] = (count + 1, digest, record.sequence, next_numbering(numbering, record.sequence))
    connection.execute("DELETE FROM audit_heads")
    rows = [(writer, *head) for writer, head in heads.items()]
    connection.executemany("INSERT INTO audit_heads (writer, records, hash, sequence, numbering) VALUES (?, ?, ?, ?, ?)", rows)


@pytest.mark.parametrize("tamper", [changed, dropped, truncated, renumbered], ids=lambda each: each.__name__)
def test_a_rewritten_trail_is_found_by_heads_that_were_saved_elsewhere_and_not_without(
    trail: Path, copy: sqlite3.Connection, tmp_path: Path, tamper: Tampering
) -> None:
    saved = tmp_path / "heads.json"
    assert verify(trail, "--save", str(saved)).returncode == 0
    tamper(copy, random.Random(f"again/{tamper.__name__}"))  # noqa: S311 (likewise)
    heads_again(copy)
    copy.close()
    assert kinds(tmp_path / "copy.db") == set()
    assert kinds(tmp_path / "copy.db", "--against", str(saved)) <= {"rewritten", "missing", "renumbered"}
    assert kinds(tmp_path / "copy.db", "--against", str(saved))


def test_a_trail_that_has_grown_is_whole_against_its_earlier_heads(trail: Path, copy: sqlite3.Connection, tmp_path: Path) -> None:
    saved = tmp_path / "heads.json"
    copy.execute("DELETE FROM audit_records WHERE sequence > 30")
    heads_again(copy)
    copy.close()
    assert verify(tmp_path / "copy.db", "--save", str(saved)).returncode == 0
    done = verify(trail, "--against", str(saved))
    assert (done.returncode, "has only grown since" in done.stdout) == (0, True), done.stderr


def test_an_exported_file_is_verified_without_a_mesh(trail: Path, tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    assert llm_mesh("audit", "export", str(file), "--database", str(trail), env=environment()).returncode == 0
    assert llm_mesh("audit", "verify", "--file", str(file), env=environment()).returncode == 0
    lines = file.read_text().splitlines()
    file.write_text("\n".join([*lines[:10], *lines[11:]]))
    done = llm_mesh("audit", "verify", "--file", str(file), env=environment())
    assert (done.returncode, "broken" in done.stdout) == (1, True)


def test_a_running_mesh_is_verified_listed_and_looked_at_by_doctor(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    saved = tmp_path / "heads.json"
    assert cli_mesh.cli("audit", "verify", "--save", str(saved)).returncode == 0
    put = cli_mesh.cli("endpoints", "set", "openai/elsewhere", "--region", "eu", "--reason", "ticket 7: größer")
    assert put.returncode == 0, put.stderr
    listed = json.loads(cli_mesh.cli("audit", "list", "--domain", "platform", "-n", "5", "--json").stdout)
    assert (listed[0]["action"], listed[0]["reason"], listed[0]["source"]) == ("endpointFacts.put", "ticket 7: größer", "registry")
    assert cli_mesh.cli("audit", "verify", "--against", str(saved)).returncode == 0
    found = json.loads(cli_mesh.cli("doctor", "--json").stdout)
    assert {row["state"] for row in found if row["what"] in {"audit", "endpoints"}} == {"ok"}, found
    assert cli_mesh.cli("endpoints", "delete", "openai/elsewhere", "--reason", "x" * 513).returncode == 2


@pytest.mark.parametrize("grows_by", [0, 1])
async def test_renumbering_is_found_in_a_chain_that_grows_between_two_readings(grows_by: int) -> None:
    lengths = iter((3, 3 + grows_by))

    async def source() -> AsyncIterator[sources.TrailPage]:
        last, numbering, records = first_hash("w"), FIRST_NUMBERING, []
        for number in range(1, next(lengths) + 1):
            record = rules_pb2.AuditRecord(sequence=number * 10, writer="w", action="a", allowed=True)
            last = record.hash = record_hash(last, record)
            numbering = next_numbering(numbering, record.sequence)
            records.append(record)
        head = audit_pb2.ChainHead(writer="w", count=len(records), hash=last, sequence=len(records) * 10, numbering=numbering)
        records[0].sequence = 5
        yield sources.TrailPage(records, [head])

    assert [problem.kind for problem in (await verified(source, grows=True)).problems] == [TrailDefectKind.RENUMBERED]
