"""Decisions of the ledger are functions of a loaded view: what they decide, and that they change the view whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh_policy.ledger.domain import amounts, decisions, endings
from llm_mesh_policy.ledger.domain.decisions import LedgerTerms, place_of
from llm_mesh_policy.ledger.domain.limits import PLATFORM
from llm_mesh_policy.ledger.domain.meters import CONCURRENCY, FOREVER, MONEY, REQUESTS, Meter
from llm_mesh_policy.ledger.domain.ports import NOTHING_TOLD, HeldReservation, ReservationDraft, Settled
from llm_mesh_policy.ledger.domain.requests import Extend, Release, Request, Reserve, Settle
from llm_mesh_policy.ledger.domain.reservation import HELD, RELEASED, SETTLED
from llm_mesh_policy.ledger.domain.view import FirstRequest, LedgerView, NotLoadedError
from llm_mesh_runtime.errors import MeshError
from tests.policy.drafts import DOMAIN, KEY, LATER, MODEL, PRINCIPAL, PROJECTS, attempt, draft, report
from tests.proofs.proof import count

OTHER = "domains/other"
NOW = 1_000_000
TERMS = LedgerTerms("USD", lambda _: 100.0)
NAMES = ("r0", "r1", "r2", "r3")
DECIDE = {Reserve: decisions.reserve, Extend: decisions.extend, Settle: endings.settle, Release: endings.release}


def reserve(wanted: ReservationDraft) -> Reserve:
    reservation = wanted.reservation
    return Reserve(reservation.id, wanted, amounts.bound(reservation.lines, reservation.subjects))


def meter(subject: str, metric: str, amount: int, owner: str = DOMAIN, *, closed: int = 0) -> Meter:
    return Meter(f"{owner}/limits/{subject.rpartition('/')[2]}-{metric}", subject, metric, amount, FOREVER, 1, 0, 0, 0, closed)


def loaded(*meters: Meter, dead: bool = False) -> LedgerView:
    """A view with these meters and no reservations, in which everything is loaded that the requests of these tests are decided by."""
    view = LedgerView(NOW)
    subjects = {PLATFORM, DOMAIN, *PROJECTS, PRINCIPAL, KEY, f"model:{MODEL}"}
    view.add_meters(subjects, meters)
    view.add_keys([KEY], [KEY] if dead else [])
    view.reservations.update(dict.fromkeys(NAMES))
    return view


def decided(view: LedgerView, request: Request, terms: LedgerTerms = TERMS) -> object:
    """The answer; a refusal that is raised is one like those that are returned."""
    try:
        return DECIDE[type(request)](view, request, terms)  # type: ignore[operator]  # each takes its own request
    except MeshError as refusal:
        return refusal


def reason(answer: object) -> str:
    return answer.reason_name if isinstance(answer, MeshError) else ""


def shown(view: LedgerView) -> object:
    """Everything of a view but its audit."""
    entries = {name: each and (each.entry.SerializeToString(deterministic=True), each.holds) for name, each in view.reservations.items()}
    return entries, dict(view.meters), dict(view.inserted), dict(view.changed), dict(view.posted), dict(view.bound_keys), view.sequence


@dataclass
class Refusing:
    """A view and a request for which each reason to refuse can be set alone."""

    reasons: frozenset[str]
    view: LedgerView = field(init=False)
    request: Reserve = field(init=False)

    def __post_init__(self) -> None:
        self.view = loaded(meter(PROJECTS[0], MONEY, 0 if "limits" in self.reasons else 10**9), dead="key" in self.reasons)
        self.request = reserve(draft("r0", key="once", expires=0 if "expiry" in self.reasons else LATER))
        first = None
        if "idempotency" in self.reasons:
            first = FirstRequest(b"another", "r1", LATER, has_answer=False)
        self.view.first_requests[place_of(self.request.draft)] = first
        if "tags" in self.reasons:
            self.view.add_demands([(DOMAIN, "tag:cost=", "limits/tagged")])


ORDER = (
    ("expiry", "ADMISSION_EXPIRED"),
    ("idempotency", "IDEMPOTENCY_KEY_REUSED"),
    ("tags", "TAG_REQUIRED"),
    ("limits", "BUDGET_EXCEEDED"),
)


@given(st.frozensets(st.sampled_from([name for name, _ in ORDER])))
def test_a_request_is_refused_by_the_first_of_expiry_idempotency_tags_and_limits(given_reasons: frozenset[str]) -> None:
    case = Refusing(given_reasons)
    expected = next((answer for name, answer in ORDER if name in given_reasons), "")
    before = shown(case.view)
    assert reason(decided(case.view, case.request)) == expected
    assert (shown(case.view) == before) == bool(expected)


def test_an_idempotency_key_lets_one_of_a_group_through_and_is_free_again_after_a_release() -> None:
    view = loaded()
    first, second = draft("r0", key="once"), draft("r1", key="once")
    view.first_requests[place_of(first)] = None
    assert isinstance(decided(view, reserve(first)), HeldReservation)
    assert reason(decided(view, reserve(second))) == "IDEMPOTENCY_IN_PROGRESS"
    assert decided(view, Release("r0", None, NOTHING_TOLD)) == RELEASED
    assert isinstance(decided(view, reserve(second)), HeldReservation)
    decided(view, Settle("r1", None, [report("a", 5, 5)], ()))
    assert reason(decided(view, reserve(draft("r2", key="once")))) == "IDEMPOTENCY_COMPLETED"
    assert view.bound_keys == {place_of(second): second}


@pytest.mark.parametrize("beside", [frozenset(), frozenset({"idempotency"}), frozenset({"limits"})])
def test_a_dead_key_learns_of_no_other_reason(beside: frozenset[str]) -> None:
    case = Refusing(beside | {"key"})
    assert reason(decided(case.view, case.request)) == "INVALID_CREDENTIAL"


def test_a_decision_on_what_is_not_loaded_is_an_error_and_never_a_leave() -> None:
    view = loaded()
    request = reserve(draft("r0", f"{DOMAIN}/projects/unseen"))
    with pytest.raises(NotLoadedError, match="unseen"):
        decisions.reserve(view, request, TERMS)
    with pytest.raises(KeyError):
        endings.settle(view, Settle("unseen", None, [], ()), TERMS)


def test_meters_of_other_domains_never_bind() -> None:
    view = loaded(meter(f"model:{MODEL}", REQUESTS, 0, owner=OTHER))
    assert isinstance(decided(view, reserve(draft("r0"))), HeldReservation)


def test_where_budgets_are_required_a_payer_without_one_is_refused() -> None:
    required = TERMS._replace(budget_required=True)
    assert reason(decided(loaded(), reserve(draft("r0")), required)) == "BUDGET_REQUIRED"
    assert isinstance(decided(loaded(meter(DOMAIN, MONEY, 10**9)), reserve(draft("r0")), required), HeldReservation)


def test_a_settlement_after_the_release_of_a_later_group_changes_nothing() -> None:
    view = loaded(meter(PROJECTS[0], MONEY, 10**9))
    decided(view, reserve(draft("r0")))
    assert decided(view, Release("r0", None, NOTHING_TOLD)) == RELEASED
    before = shown(view)
    assert reason(decided(view, Settle("r0", None, [report("a", 1, 1)], ()))) == "RESERVATION_RELEASED"
    assert shown(view) == before


def test_an_overrun_closes_the_payers_budget_once_and_it_refuses_from_then_on() -> None:
    view = loaded(meter(PROJECTS[0], MONEY, 10**9))
    decided(view, reserve(draft("r0")))
    settled = decided(view, Settle("r0", None, [report("a", 10, 12)], ()))
    assert isinstance(settled, Settled)
    charged = view.reservations["r0"]
    assert charged is not None
    assert charged.entry.overrun
    endings.close_overrun(view, charged)
    endings.close_overrun(view, charged)
    assert [entry.action for entry in view.audit].count("budgets.close") == 1
    assert reason(decided(view, reserve(draft("r1")))) == "BUDGET_CLOSED"


names, projects, tokens = st.sampled_from(NAMES), st.sampled_from(PROJECTS), st.integers(1, 60)
requests = st.lists(
    st.one_of(
        st.builds(lambda name, project, size: reserve(draft(name, project, [attempt("a", size, project)])), names, projects, tokens),
        st.builds(lambda name, id_, size: ("extend", name, id_, size), names, st.sampled_from("abc"), tokens),
        st.builds(lambda name, inputs, outputs: Settle(name, None, [report("a", inputs, outputs)], ()), names, tokens, tokens),
        st.builds(lambda name: Release(name, None, NOTHING_TOLD), names),
    ),
    max_size=25,
)


def extension(view: LedgerView, name: str, attempt_id: str, size: int) -> Extend:
    held = view.reservations[name]
    return Extend(name, None, f"admission-{name}", LATER, attempt(attempt_id, size, held.project if held and held.project else PROJECTS[0]))


@settings(max_examples=count(150, 10_000), deadline=None)
@given(requests, st.integers(0, 400), st.integers(0, 200), st.integers(0, 4))
def test_after_any_sequence_meters_are_the_sums_of_entries_and_refusals_changed_nothing(
    wanted: list[Request | tuple[str, str, str, int]], all_money: int, own_money: int, at_once: int
) -> None:
    budgets = (meter(DOMAIN, MONEY, all_money * 1_000), meter(PROJECTS[0], MONEY, own_money * 1_000))
    view = loaded(*budgets, meter(DOMAIN, CONCURRENCY, at_once))
    for each in wanted:
        request = extension(view, *each[1:]) if isinstance(each, tuple) else each
        before, audited = shown(view), len(view.audit)
        answer = decided(view, request)
        if isinstance(answer, MeshError):
            assert shown(view) == before, reason(answer)
            assert len(view.audit) <= audited + 1
        if isinstance(answer, HeldReservation):
            again = decided(view, replace(request))
            assert isinstance(again, HeldReservation)
            assert again.reservation.entry == answer.reservation.entry
    entries = [entry for entry in view.reservations.values() if entry is not None and entry.domain]
    for budget in budgets:
        own = [entry for entry in entries if amounts.pays(entry.project, budget.subject)]
        stands = view.meters[budget.name]
        assert stands.held == sum(entry.reserved for entry in own if entry.entry.state == HELD)
        assert stands.spent == sum(entry.entry.charged.nanos for entry in own if entry.entry.state == SETTLED)
        overrun = any(entry.entry.overrun for entry in own)
        assert overrun or stands.spent + stands.held <= stands.amount
    concurrent = view.meters[f"{DOMAIN}/limits/claims-{CONCURRENCY}"]
    assert (concurrent.held, concurrent.spent) == (sum(entry.entry.state == HELD for entry in entries), 0)
    assert concurrent.held <= at_once
    places = [at for _, at in view.inserted.values() if at is not None] + list(view.changed.values())
    assert len(set(places)) == len(places)
    assert max(places, default=0) == view.sequence
