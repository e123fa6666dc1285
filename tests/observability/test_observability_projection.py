"""The projection shows what the ledger says, whatever order events come in and however often."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.observability.v1 import observability_pb2 as pb
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_observability.domain.observatory import Observatory
from llm_mesh_observability.domain.projection import spend_lines
from llm_mesh_observability.domain.queries import Scope
from llm_mesh_observability.domain.resume_tokens import ResumeTokens
from llm_mesh_observability.store.projection import SqlProjection
from llm_mesh_observability.store.tables import METADATA
from llm_mesh_runtime.database import Database, drift
from llm_mesh_runtime.errors import MeshError, store_unavailable
from llm_mesh_runtime.resources import page_of
from llm_mesh_runtime.validation import check_message
from tests.databases import migrated

TRIAGE, AUDIT = "domains/claims/projects/triage", "domains/claims/projects/audit"
AT = 1_760_000_000_000_000


class FakeLedger:
    """Replays given events; fails as often as told first."""

    def __init__(self, *events: usage_pb2.UsageEvent, failures: int = 0) -> None:
        self.events, self.failures, self.asked = list(events), failures, list[int]()

    async def replay(self, from_sequence: int) -> AsyncIterator[Sequence[usage_pb2.UsageEvent]]:
        self.asked.append(from_sequence)
        if self.failures:
            self.failures -= 1
            raise store_unavailable("ledger")
        for wanted in self.events:
            if wanted.sequence >= from_sequence:
                yield [wanted]


def line(
    attempt: str, model: str, nanos: int, outcome: usage_pb2.AttemptOutcome = usage_pb2.ATTEMPT_OUTCOME_COMPLETED
) -> usage_pb2.ChargeLine:
    usage = generate_pb2.Usage(input_tokens=10, output_tokens=5)
    reported = usage_pb2.UsageLine(attempt_id=attempt, outcome=outcome, usage=usage, source=usage_pb2.USAGE_SOURCE_PROVIDER)
    return usage_pb2.ChargeLine(usage=reported, model=model, charge=resources_pb2.Money(currency="USD", nanos=nanos))


def event(
    sequence: int,
    *lines: usage_pb2.ChargeLine,
    name: str = "r1",
    project: str = TRIAGE,
    charged: int | None = None,
    state: usage_pb2.ReservationState = usage_pb2.RESERVATION_STATE_SETTLED,
    version: int | None = None,
    hours: int = 0,
    **tags: str,
) -> usage_pb2.UsageEvent:
    total = sum(found.charge.nanos for found in lines) if charged is None else charged
    money = resources_pb2.Money(currency="USD", nanos=total)
    entry = usage_pb2.LedgerEntry(name=f"{project}/reservations/{name}", state=state, charged=money, reserved=money, lines=lines, tags=tags)
    entry.key, entry.alias, entry.principal = f"{project}/keys/k", "gpt", "domains/claims/principals/ana"
    entry.reserve_time.FromMicroseconds(AT + hours * 3_600_000_000)
    return usage_pb2.UsageEvent(sequence=sequence, version=version or sequence, entry=entry, domain="domains/claims", project=project)


async def observatory(database: Database, *events: usage_pb2.UsageEvent, ledger: FakeLedger | None = None) -> Observatory:
    await migrated(database, "llm_mesh_observability.store.migrations")
    made = Observatory(SqlProjection(database), ledger or FakeLedger(), ResumeTokens(b"a key of tests"), tail_pause=0.05, tail_lifetime=0.2)
    if ledger is None:
        await made.catch_up()
    if events:
        await made.ingest(events)
    return made


async def spend(made: Observatory, *by: pb.SpendDimension, parent: str = "domains/claims", tag: str = "") -> dict[tuple[str, ...], int]:
    request = pb.QuerySpendRequest(parent=parent, group_by=by, tag_key=tag)
    request.start_time.FromMicroseconds(AT - 1)
    rows, _, _ = await made.spend(request, page_of(request))
    return {tuple(row.keys): row.charged.nanos for row in rows}


async def test_the_migrated_schema_is_the_declared_one(database: Database) -> None:
    await observatory(database)
    assert await drift(database, METADATA) == []


async def test_spend_is_summed_by_whatever_is_asked(database: Database) -> None:
    made = await observatory(
        database,
        event(1, line("a1", "m/a", 7), team="x"),
        event(2, line("a1", "m/a", 1, usage_pb2.ATTEMPT_OUTCOME_FAILED), line("a2", "m/b", 20), name="r2", project=AUDIT, hours=1),
    )
    assert await spend(made) == {(): 28}
    assert await spend(made, pb.SPEND_DIMENSION_PROJECT) == {(TRIAGE,): 7, (AUDIT,): 21}
    assert await spend(made, pb.SPEND_DIMENSION_MODEL) == {("m/a",): 8, ("m/b",): 20}
    assert await spend(made, pb.SPEND_DIMENSION_TAG, tag="team") == {("x",): 7, ("",): 21}
    assert await spend(made, pb.SPEND_DIMENSION_HOUR) == {("2025-10-09T08:00:00Z",): 7, ("2025-10-09T09:00:00Z",): 21}
    assert await spend(made, pb.SPEND_DIMENSION_KEY, parent=TRIAGE) == {(f"{TRIAGE}/keys/k",): 7}
    assert await spend(made, parent="domains/other") == {}


async def test_one_odd_row_breaks_no_report(database: Database) -> None:
    most = 2**63 - 1
    made = await observatory(
        database,
        event(1, line("a1", "m/odd", most)),
        event(2, line("a1", "m/odd", most), name="r2"),
        event(3, line("a1", "m/odd", most), line("a2", "m/odd", most), charged=-most, name="r3"),
        event(4, line("a1", "m/plain", 20), name="r4"),
    )
    request = pb.QuerySpendRequest(parent="domains/claims", group_by=[pb.SPEND_DIMENSION_MODEL])
    request.start_time.FromMicroseconds(AT - 1)
    rows, _, _ = await made.spend(request, page_of(request))
    assert [(row.keys[0], row.charged.nanos, row.saturated) for row in rows] == [("m/odd", most, True), ("m/plain", 20, False)]


async def test_a_request_counts_once_however_many_attempts_it_took(database: Database) -> None:
    made = await observatory(database, event(1, line("a1", "m/a", 1, usage_pb2.ATTEMPT_OUTCOME_FAILED), line("a2", "m/b", 2)))
    request = pb.QuerySpendRequest(parent="domains/-")
    request.start_time.FromMicroseconds(AT)
    rows, _, through = await made.spend(request, page_of(request))
    assert [(row.requests, row.failed, row.input_tokens, row.output_tokens) for row in rows] == [(1, 0, 20, 10)]
    assert through == 1


@pytest.mark.parametrize("parent", ["domains/claims", TRIAGE])
async def test_a_tenant_is_not_told_how_many_requests_all_others_make(database: Database, parent: str) -> None:
    made = await observatory(database, event(1, line("a1", "m/a", 1)), event(9, line("a1", "m/a", 1), name="r9", project=AUDIT))
    request = pb.QuerySpendRequest(parent=parent)
    assert (await made.spend(request, page_of(request)))[2] == 0
    request.parent = "domains/-"
    assert (await made.spend(request, page_of(request)))[2] == 9


async def test_events_that_come_twice_or_late_change_nothing(database: Database) -> None:
    held = event(1, charged=50, state=usage_pb2.RESERVATION_STATE_HELD)
    settled = event(2, line("a1", "m/a", 7))
    made = await observatory(database, held, settled)
    await made.ingest([settled])
    await made.ingest([held])
    assert await spend(made) == {(): 7}
    assert (await made.entry(settled.entry.name)).state == usage_pb2.RESERVATION_STATE_SETTLED


async def test_a_rebuild_gives_the_same_figures_and_keeps_feedback(database: Database) -> None:
    events = [event(1, line("a1", "m/a", 7)), event(2, line("a1", "m/a", 9), name="r2")]
    ledger = FakeLedger(*events)
    made = await observatory(database, ledger=ledger)
    await made.catch_up()
    await made.add_feedback(events[0].entry.name, pb.Feedback(score=1), "ana")
    before = await spend(made, pb.SPEND_DIMENSION_MODEL)
    assert await made.begin_rebuild() == 2
    with pytest.raises(MeshError, match="REBUILD_RUNNING"):
        await made.begin_rebuild()
    await made.ingest([event(3, line("a1", "m/a", 1), name="r3")])
    ledger.events.append(event(3, line("a1", "m/a", 1), name="r3"))
    await made.catch_up()
    assert ledger.asked[-1] == 1
    assert await spend(made, pb.SPEND_DIMENSION_MODEL) == {("m/a",): before["m/a",] + 1}
    assert len((await made.feedback(events[0].entry.name, page_of(pb.ListFeedbackRequest())))[0]) == 1


async def test_a_ledger_that_is_away_is_read_when_it_is_back(database: Database) -> None:
    ledger = FakeLedger(event(1, line("a1", "m/a", 7)), failures=1)
    made = await observatory(database, ledger=ledger)
    await made.catch_up()
    assert await spend(made) == {(): 7}


async def test_a_tail_shows_older_requests_and_then_what_comes(database: Database) -> None:
    made = await observatory(database, event(1, line("a1", "m/a", 7)))
    stream = made.tail(pb.TailRequest(parent="domains/claims", backlog=5))
    first = await anext(stream)
    await made.ingest([event(2, line("a1", "m/a", 9), name="r2"), event(3, line("a1", "m/a", 1), name="r3", project=AUDIT)])
    second = await anext(stream)
    assert [len(first.entries), len(second.entries)] == [1, 2]
    resumed = [message async for message in made.tail(pb.TailRequest(parent=TRIAGE, resume_token=first.resume_token))]
    assert [found.name for message in resumed for found in message.entries] == [f"{TRIAGE}/reservations/r2"]


async def test_what_a_tail_passes_over_is_counted_among_its_own_entries(database: Database) -> None:
    await observatory(database)
    store = SqlProjection(database)
    made = [event(number, line("a1", "m/a", 1), name=f"r{number}", project=AUDIT if number % 3 else TRIAGE) for number in range(1, 31)]
    await store.ingest(made, live=True)
    scope = Scope(project=TRIAGE)
    assert await store.skip(scope, 0, 10) == (0, 0)
    assert await store.skip(scope, 0, 4) == (6, 18)
    assert [sighting.sequence for sighting in await store.since(scope, 18, 100)] == [21, 24, 27, 30]
    assert await store.skip(scope, 12, 4) == (2, 18)
    assert await store.skip(Scope(), 0, 4) == (26, 26)


async def test_feedback_is_kept_on_known_requests_only(database: Database) -> None:
    made = await observatory(database, event(1, line("a1", "m/a", 7)))
    name = f"{TRIAGE}/reservations/r1"
    kept = [await made.add_feedback(name, pb.Feedback(score=score), "ana") for score in (1.0, -1.0)]
    assert list((await made.feedback(name, page_of(pb.ListFeedbackRequest())))[0]) == kept
    with pytest.raises(MeshError, match="REQUEST_NOT_FOUND"):
        await made.add_feedback(f"{TRIAGE}/reservations/none", pb.Feedback(), "ana")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        (pb.Feedback(score=2), "score"),
        (pb.Feedback(score=float("nan")), "score"),
        (pb.Feedback(aspect="A b"), "aspect"),
        (pb.Feedback(comment="x" * 5000), "comment"),
    ],
)
def test_feedback_has_rules(wrong: pb.Feedback, field: str) -> None:
    with pytest.raises(MeshError) as failure:
        check_message(pb.CreateFeedbackRequest(feedback=wrong), "")
    assert failure.value.field == f"feedback.{field}"


@pytest.mark.parametrize(
    ("request_fields", "field"),
    [
        ({"parent": "claims"}, "parent"),
        ({"parent": "domains/-", "group_by": [0]}, "group_by[0]"),
        ({"parent": "domains/-", "group_by": [1, 1]}, "group_by"),
        ({"parent": "domains/-", "tag_key": "x"}, "tag_key"),
        ({"parent": "domains/-", "group_by": [6]}, "tag_key"),
    ],
)
async def test_a_question_that_means_nothing_is_refused_with_its_field(
    database: Database, request_fields: dict[str, object], field: str
) -> None:
    made = await observatory(database)
    request = pb.QuerySpendRequest(**request_fields)  # type: ignore[arg-type]  # fields of several types
    with pytest.raises(MeshError) as failure:
        await asked(made, request)
    assert failure.value.field == field


async def asked(made: Observatory, request: pb.QuerySpendRequest) -> None:
    """As the pipeline has it asked."""
    check_message(request, "")
    await made.spend(request, page_of(request))


@given(
    nanos=st.lists(st.integers(0, 10**12), max_size=4),
    adjustment=st.integers(-(10**9), 10**9),
    state=st.sampled_from(
        [usage_pb2.RESERVATION_STATE_SETTLED, usage_pb2.RESERVATION_STATE_ESTIMATED, usage_pb2.RESERVATION_STATE_RELEASED]
    ),
)
def test_the_lines_of_an_entry_sum_up_to_its_charge_and_to_one_request(
    nanos: list[int], adjustment: int, state: usage_pb2.ReservationState
) -> None:
    charged = sum(nanos) + adjustment
    entry = event(1, *(line(f"a{index}", "m", amount) for index, amount in enumerate(nanos)), charged=charged, state=state).entry
    rows = list(spend_lines(entry))
    assert sum(row.charged for row in rows) == charged
    assert sum(row.requests for row in rows) == 1
