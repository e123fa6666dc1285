"""Backing up under load and restoring into a fresh mesh, by the very commands of docs/operations.md: the ledger is the same."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from openai import OpenAI

from llm_mesh.policy.v1 import ledger_pb2, ledger_pb2_grpc, usage_pb2
from llm_mesh_cli.set_up.project import PROJECT
from llm_mesh_runtime.links.outbound import Outbound
from llm_mesh_runtime.links.remote import RemoteChannel
from tests.e2e.running import RunningMesh, running
from tests.e2e.separate import SeparateMesh, restored, separate
from tests.engines import postgres_bin, program

PAGE = Path(__file__).resolve().parents[2] / "docs/operations.md"
WORKERS = 4
Ledger = dict[str, usage_pb2.LedgerEntry]


def documented(heading: str, environment: dict[str, str]) -> None:
    """Run the commands below a heading as they stand."""
    found = re.search(rf"^### {heading}\n.*?^```sh\n(.*?)^```$", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert found, f"docs/operations.md does not say how to: {heading}"
    done = subprocess.run(["/bin/sh", "-euc", found[1]], env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


class Load:
    """Applications that ask without a pause."""

    def __init__(self, mesh: RunningMesh) -> None:
        self._mesh = mesh
        self._stop = threading.Event()
        self._answered = threading.Semaphore(0)
        self._failures: list[Exception] = []
        self._threads = [threading.Thread(target=self._ask) for _ in range(WORKERS)]

    def more(self, count: int) -> None:
        """Wait until so many more requests have been answered."""
        for _ in range(count):
            assert self._answered.acquire(timeout=60), self._failures
            assert not self._failures

    def _ask(self) -> None:
        with OpenAI(base_url=self._mesh.base_url, api_key=self._mesh.project_key, max_retries=0, timeout=30) as client:
            while not self._stop.is_set():
                try:
                    client.chat.completions.create(model="sim-words", messages=[{"role": "user", "content": "go on"}])
                except Exception as error:  # noqa: BLE001 - told by the test's own thread
                    self._failures.append(error)
                    self._stop.set()
                self._answered.release()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()


@contextmanager
def loaded(mesh: RunningMesh) -> Iterator[Load]:
    load = Load(mesh)
    load.start()
    try:
        yield load
    finally:
        load.stop()


def ledger(mesh: RunningMesh) -> Ledger:
    """All entries of the project, by name."""

    async def read() -> Ledger:
        sent = (("authorization", f"Bearer {mesh.admin_key}"),)
        channel = RemoteChannel("policy", mesh.address("policy"), Outbound("", identity=lambda: sent))
        stub = ledger_pb2_grpc.LedgerServiceStub(channel)  # type: ignore[arg-type]  # what stubs take has no common type
        entries: Ledger = {}
        token = ""
        try:
            while True:
                request = ledger_pb2.ListLedgerEntriesRequest(parent=PROJECT, page_size=1000, page_token=token)
                answer = await stub.ListLedgerEntries(request, timeout=30)
                entries |= {entry.name: entry for entry in answer.entries}
                token = answer.next_page_token
                if not token:
                    return entries
        finally:
            await channel.close()

    return asyncio.run(read())


def settled(entries: Ledger) -> Ledger:
    return {name: entry for name, entry in entries.items() if entry.HasField("settle_time")}


def nothing_open(mesh: RunningMesh) -> Ledger:
    """The ledger, once every reservation has ended: leases of the mesh that was backed up run out."""
    end = time.monotonic() + 60
    while len(settled(entries := ledger(mesh))) < len(entries):
        assert time.monotonic() < end, "a reservation of the backup never ends"
        time.sleep(0.2)  # the ledger has no event for the end of a lease
    return entries


def same(before: Ledger, original: Ledger, after: Ledger) -> None:
    """What was settled before the backup is in the restored ledger as it was; nothing is there that never was."""
    assert len(before) >= 40
    assert {name: after.get(name) for name in before} == before
    assert set(after) <= set(original)
    taken = set(after) - set(before)
    estimated = [name for name in taken if after[name] != original[name]]
    assert len(estimated) <= WORKERS, "more than what was in flight differs"
    for name in estimated:
        assert after[name].charged.nanos <= after[name].reserved.nanos


def tried(mesh: RunningMesh, backup: Callable[[], None]) -> tuple[Ledger, Ledger]:
    """Back up under load; the settled entries before it, and the ledger after it."""
    with loaded(mesh) as load:
        load.more(50)
        before = settled(ledger(mesh))
        backup()
        load.more(20)
    return before, nothing_open(mesh)


def goes_on(mesh: RunningMesh, known: Ledger) -> None:
    """The restored mesh takes requests with the keys of old, and records them."""
    with loaded(mesh) as load:
        load.more(5)
    assert len(set(nothing_open(mesh)) - set(known)) >= 5


def test_an_embedded_mesh_is_backed_up_under_load_and_restored(tmp_path: Path) -> None:
    program("sqlite3", "install the package `sqlite3`")
    backup = {"BACKUP": str(tmp_path / "backup")}
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    with running(tmp_path / "first") as mesh:
        place = {**backup, "LLM_MESH_DATA_DIR": str(mesh.data_dir)}
        before, original = tried(mesh, lambda: documented("Back up an embedded mesh", place))
    fresh = tmp_path / "second/data"
    documented("Restore an embedded mesh", {**backup, "LLM_MESH_DATA_DIR": str(fresh)})
    with running(tmp_path / "second", data_dir=fresh) as again:
        after = nothing_open(again)
        same(before, original, after)
        goes_on(again, after)


def test_separate_services_are_backed_up_under_load_and_restored(tmp_path: Path) -> None:
    path = {"BACKUP": str(tmp_path / "backup"), "PATH": f"{postgres_bin()}:{os.environ['PATH']}"}
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()

    def restore(into: SeparateMesh) -> None:
        documented("Restore separate services", {**into.env, **path})

    with separate(tmp_path / "first", mutual_tls=False) as mesh:
        before, original = tried(mesh, lambda: documented("Back up separate services", {**mesh.env, **path}))
        mesh.stop_all()
        with restored(tmp_path / "second", mesh, restore) as again:
            after = nothing_open(again)
            same(before, original, after)
            goes_on(again, after)


def test_commands_that_fail_are_noticed(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        documented("Restore an embedded mesh", {"BACKUP": str(tmp_path / "none"), "LLM_MESH_DATA_DIR": str(tmp_path / "data")})
