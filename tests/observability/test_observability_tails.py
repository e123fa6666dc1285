"""Tails are shared fairly, and many of them cost the store as much as one."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.observability.v1 import observability_pb2 as pb
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_observability.domain.feed import MOST_REMEMBERED
from llm_mesh_observability.domain.observatory import Bounds, Observatory
from llm_mesh_observability.domain.ports import LedgerOfRecord, Projection, Sighting
from llm_mesh_observability.domain.queries import Scope
from llm_mesh_observability.domain.resume_tokens import ResumeTokens
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import Page
from llm_mesh_runtime.shares import Party

HOG, ANA = Party("domains/hog", "domains/hog/principals/hog"), Party("domains/claims", "domains/claims/principals/ana")
TRIAGE = "domains/claims/projects/triage"
TOKENS = ResumeTokens(b"a key of tests")


class CountingStore:
    """Entries in memory, and how often they were read."""

    def __init__(self) -> None:
        self.entries: list[Sighting] = []
        self.reads = 0
        self.tails_reads = 0
        """Those of tails of one project."""
        self.at_once = 0
        self.most_at_once = 0
        self.go_on = asyncio.Event()
        self.go_on.set()

    async def ingest(self, events: Sequence[usage_pb2.UsageEvent], *, live: bool) -> int:
        del live
        self.entries += [Sighting(event.sequence, event.entry) for event in events]
        return events[-1].sequence

    async def latest(self) -> int:
        self.reads += 1
        return self.entries[-1].sequence if self.entries else 0

    async def since(self, scope: Scope, sequence: int, limit: int) -> list[Sighting]:
        self.reads += 1
        self.tails_reads += scope.project == TRIAGE
        within = scope.project or scope.domain
        return [each for each in self.entries if each.sequence > sequence and each.entry.name.startswith(within)][:limit]

    async def skip(self, scope: Scope, sequence: int, most: int) -> tuple[int, int]:
        own = await self.since(scope, sequence, len(self.entries))
        return (len(own) - most, own[-most - 1].sequence) if len(own) > most else (0, sequence)

    async def through(self) -> int:
        return 0

    async def spend(self, query: object) -> list[pb.SpendRow]:
        del query
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await self.go_on.wait()
        self.at_once -= 1
        return []


def made(store: CountingStore, **bounds: int) -> Observatory:
    return Observatory(
        cast("Projection", store), cast("LedgerOfRecord", None), TOKENS, tail_pause=30, tail_lifetime=20, bounds=Bounds(**bounds)
    )


def event(sequence: int, project: str = TRIAGE) -> usage_pb2.UsageEvent:
    entry = usage_pb2.LedgerEntry(name=f"{project}/reservations/r{sequence}")
    return usage_pb2.UsageEvent(sequence=sequence, version=sequence, entry=entry)


async def opened(observatory: Observatory, party: Party, parent: str) -> tuple[AsyncIterator[Any], asyncio.Task[Any]]:
    """A tail that waits for its first message."""
    stream = observatory.tail(pb.TailRequest(parent=parent), party)
    first = asyncio.ensure_future(cast("Any", anext(stream)))
    await asyncio.sleep(0)
    return stream, first


async def closed(*tails: tuple[Any, asyncio.Task[Any]]) -> None:
    for stream, first in tails:
        first.cancel()
        await asyncio.gather(first, return_exceptions=True)
        await stream.aclose()


async def test_one_tenant_cannot_open_all_tails_and_gets_them_back() -> None:
    observatory = made(CountingStore(), tails=32)
    tried = [await opened(observatory, HOG, "domains/hog") for _ in range(32)]
    tails = [each for each in tried if not each[1].done()]
    with pytest.raises(MeshError) as raised:
        tried[-1][1].result()
    assert raised.value.reason_name == "TOO_MANY_TAILS"
    assert raised.value.code.name == "RESOURCE_EXHAUSTED"
    await closed(*(each for each in tried if each not in tails))
    assert 16 <= len(tails) < 24
    other = await opened(observatory, ANA, "domains/claims")
    assert not other[1].done()
    count = len(tails)
    await closed(*tails, other)
    again = [await opened(observatory, HOG, "domains/hog") for _ in range(count)]
    assert not any(first.done() for _, first in again)
    await closed(*again)


async def test_a_tail_reads_what_is_its_own_and_a_hundred_tails_cost_one_read() -> None:
    store = CountingStore()
    observatory = made(store, tails=1000)
    tails = [await opened(observatory, HOG, "domains/hog") for _ in range(100)]
    mine = await opened(observatory, ANA, TRIAGE)
    everything = await opened(observatory, ANA, "domains/-")
    alike = [await opened(observatory, ANA, TRIAGE) for _ in range(20)]
    await asyncio.sleep(0.1)
    store.reads = 0
    await observatory.ingest([event(1), event(2, "domains/claims/projects/audit")])
    assert [each.name for each in (await mine[1]).entries] == [f"{TRIAGE}/reservations/r1"]
    assert len((await everything[1]).entries) == 2
    assert [len((await first).entries) for _, first in alike] == [1] * 20
    assert store.reads <= 3
    assert not any(first.done() for _, first in tails)
    await closed(*tails, *alike, mine, everything)


async def test_what_others_do_is_no_loss_of_a_tail() -> None:
    store = CountingStore()
    observatory = made(store)
    mine = await opened(observatory, ANA, TRIAGE)
    await asyncio.sleep(0.01)
    for start in range(1, 12_001, 500):
        await observatory.ingest([event(number, "domains/hog/projects/p") for number in range(start, start + 500)])
        await asyncio.sleep(0)
    await asyncio.sleep(0.3)
    await observatory.ingest([event(12_001)])
    message = await asyncio.wait_for(mine[1], 10)
    assert (len(message.entries), message.lost) == (1, 0)
    await closed(mine)


async def test_a_tail_that_is_behind_reads_the_store_and_is_told_what_it_has_lost() -> None:
    store = CountingStore()
    observatory = made(store)
    other = await opened(observatory, ANA, "domains/claims")
    await asyncio.sleep(0.01)
    for start in range(1, MOST_REMEMBERED * 7, 500):
        await observatory.ingest([event(number) for number in range(start, start + 500)])
    await asyncio.sleep(0.5)
    stream = observatory.tail(pb.TailRequest(parent=TRIAGE, resume_token=TOKENS.token(10)), ANA)
    seen = [await asyncio.wait_for(cast("Any", anext(stream)), 5) for _ in range(2)]
    assert seen[0].lost == 7 * MOST_REMEMBERED - 10 - 5_000
    names = [entry.name for message in seen for entry in message.entries]
    assert names == [f"{TRIAGE}/reservations/r{number}" for number in range(2_001, 2_001 + len(names))]
    await closed(other)
    await cast("Any", stream).aclose()


async def test_a_tail_that_others_leave_behind_loses_nothing_and_reads_no_store() -> None:
    store = CountingStore()
    observatory = made(store, queries=1)
    mine = await opened(observatory, ANA, TRIAGE)
    hog = await opened(observatory, HOG, "domains/hog")
    await asyncio.sleep(0.01)
    await observatory.ingest([event(1)])
    await asyncio.wait_for(mine[1], 5)
    others = [event(number, "domains/hog/projects/p") for number in range(2, 2 + 8 * MOST_REMEMBERED)]
    for start in range(0, len(others), 500):
        await observatory.ingest(others[start : start + 500])
    await observatory.ingest([event(10_000)])
    second = await asyncio.wait_for(anext(mine[0]), 5)
    assert ([entry.name for entry in second.entries], second.lost, store.tails_reads) == ([f"{TRIAGE}/reservations/r10000"], 0, 0)
    await closed(mine, hog)


async def test_a_tail_that_resumes_behind_what_others_did_loses_nothing() -> None:
    store = CountingStore()
    observatory = made(store)
    store.entries = [
        Sighting(each.sequence, each.entry) for each in (event(number, "domains/hog/projects/p") for number in range(2, 10_000))
    ]
    store.entries = [Sighting(1, event(1).entry), *store.entries]
    resumed = observatory.tail(pb.TailRequest(parent=TRIAGE, resume_token=TOKENS.token(0)), ANA)
    message = await asyncio.wait_for(cast("Any", anext(resumed)), 5)
    assert ([entry.name for entry in message.entries], message.lost) == ([f"{TRIAGE}/reservations/r1"], 0)
    await cast("Any", resumed).aclose()


async def test_all_tails_of_a_domain_have_as_many_messages_as_a_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("llm_mesh_observability.domain.observatory._GATHERING", 0.003)
    observatory = made(CountingStore(), tails=1_000)
    pauses: dict[int, list[float]] = {}
    sleep = asyncio.sleep

    async def slept(delay: float) -> None:
        pauses.setdefault(count, []).append(delay)
        await sleep(0)

    for count in (1, 16, 160):
        tails = [await opened(observatory, HOG, "domains/hog") for _ in range(count - 1)]
        mine = await opened(observatory, HOG, "domains/hog")
        other = await opened(observatory, ANA, "domains/claims")
        await sleep(0.01)
        with monkeypatch.context() as patched:
            patched.setattr("llm_mesh_observability.domain.observatory.asyncio.sleep", slept)
            await observatory.ingest([event(count, "domains/hog/projects/p")])
            await asyncio.wait_for(mine[1], 5)
            following = asyncio.ensure_future(cast("Any", anext(mine[0])))
            await sleep(0.01)
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
        await closed(*tails, mine, other)
    assert 0.003 in pauses[1]
    assert 0.003 in pauses[16]
    assert 0.003 not in pauses[160]
    assert any(round(pause, 6) == 0.03 for pause in pauses[160])


@given(st.integers(0, 2**63 - 1), st.integers(1, 1_000))
def test_a_token_tells_nothing_of_its_position_and_none_can_be_made_up(sequence: int, step: int) -> None:
    token, next_one = TOKENS.token(sequence), TOKENS.token((sequence + step) % 2**63)
    assert TOKENS.sequence(token) == sequence
    assert TOKENS.token(sequence) != token
    assert sequence.to_bytes(8, "big") not in base64.urlsafe_b64decode(token)
    for forged in (str(sequence), token[:-2], next_one[:11] + token[11:], next_one[:21] + token[21:], "é" * 32):
        with pytest.raises(MeshError, match="resume_token"):
            TOKENS.sequence(forged)
    with pytest.raises(MeshError, match="resume_token"):
        ResumeTokens(b"another").sequence(token)


async def test_whoever_asks_much_waits_and_whoever_asks_little_does_not() -> None:
    store = CountingStore()
    observatory = made(store, queries=8)
    store.go_on.clear()
    hog = [asyncio.create_task(observatory.spend(pb.QuerySpendRequest(parent="domains/hog"), Page(10, "", b""), HOG)) for _ in range(50)]
    await asyncio.sleep(0.01)
    assert store.at_once < 8
    mine = asyncio.create_task(observatory.spend(pb.QuerySpendRequest(parent="domains/claims"), Page(10, "", b""), ANA))
    before = store.at_once
    await asyncio.sleep(0.01)
    assert store.at_once == before + 1
    store.go_on.set()
    await asyncio.wait_for(mine, 5)
    await asyncio.gather(*hog)
    assert store.most_at_once <= 8
