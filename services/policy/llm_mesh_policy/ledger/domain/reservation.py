"""A reservation and what may become of it: held, then settled, estimated or released; corrected by adjustments, never erased."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Self

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import errors_pb2, usage_pb2
from llm_mesh_figures.money import saturated
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.instants import put_micros
from llm_mesh_policy.ledger.domain import amounts, settlement
from llm_mesh_policy.ledger.domain.meters import MONEY, Hold, Meter, Posting, corrected, given_back, settled
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_runtime.errors import invalid

HELD = usage_pb2.RESERVATION_STATE_HELD
SETTLED = usage_pb2.RESERVATION_STATE_SETTLED
ESTIMATED = usage_pb2.RESERVATION_STATE_ESTIMATED
RELEASED = usage_pb2.RESERVATION_STATE_RELEASED
REFUSED = usage_pb2.RESERVATION_STATE_REFUSED
UNSENT = frozenset({RELEASED, REFUSED})
"""States of an entry of which nothing was sent: it ended, and counts nowhere."""


@dataclass(slots=True)
class Reservation:
    """An entry of the ledger with its quote and holds. Changes are methods that answer with what to post to the meters.

    What never changes of the entry stands beside it too: each reading of a message's text makes a new one.
    """

    id: str
    domain: str
    project: str
    key: str
    principal: str
    request_id: str
    entry: usage_pb2.LedgerEntry
    lines: tuple[QuoteLine, ...]
    time: int = 0
    """When it was made, in microseconds."""
    holds: tuple[Hold, ...] = field(default=())
    version: int = 1
    screened: str = ""
    """What screening found in the request, in words for the audit trail. Not stored with the reservation."""

    def begin(self, now: int) -> None:
        """It stands from now on."""
        self.time = now
        put_micros(self.entry.reserve_time, now)

    def unreserved(self, reason: str, field: str) -> Self:
        """The same request where it is refused: nothing is held for it, and it has no attempts."""
        entry = usage_pb2.LedgerEntry()
        entry.CopyFrom(self.entry)
        entry.ClearField("reserved")
        entry.state, entry.refused_reason, entry.refused_field = REFUSED, reason, field
        return replace(self, entry=entry, lines=(), holds=())

    def end_at_once(self, now: int) -> None:
        """It begins and ends now: nothing is held for it."""
        self.begin(now)
        self.entry.settle_time.CopyFrom(self.entry.reserve_time)

    @property
    def reserved(self) -> int:
        """What is held for all lines, in nanos."""
        return sum([line.reserved for line in self.lines])

    def settle(self, reported: Sequence[usage_pb2.UsageLine], now: int, speed_of: settlement.SpeedOf) -> list[Posting]:
        """The first settlement, or, after an estimate, the truth."""
        state = self.entry.state
        if state in UNSENT:
            raise released(self.id)
        if state == SETTLED:
            return self._correct(self._with_truth(reported), "late_settlement", now)
        charged = settlement.charges(self.lines, reported, speed_of)
        if state == HELD:
            return self._close(SETTLED, charged, now)
        return self._correct(charged, "late_settlement", now)

    def found_in_answer(self, screened: Iterable[usage_pb2.ScreeningCount]) -> None:
        """Keeps what screening found in the answer."""
        for count in screened:
            self.entry.screened.add().CopyFrom(count)
            self.entry.screened[-1].direction = usage_pb2.SCREENING_DIRECTION_ANSWER

    def awaits(self, reported: Sequence[usage_pb2.UsageLine]) -> bool:
        """Whether a report has the provider's usage of an attempt that a settlement had to estimate."""
        return bool(self._estimated & {report.attempt_id for report in reported if _is_final(report)})

    def estimate(self, now: int) -> list[Posting]:
        """The gateway is lost: the full reservation is charged until the truth is known."""
        return self._close(ESTIMATED, settlement.estimates(self.lines), now)

    def release(self, now: int, unsent: Sequence[usage_pb2.UsageLine] = (), reason: str = "", field: str = "") -> list[Posting]:
        """Nothing was sent: everything goes back. After an estimate this is a truth like any other.

        `unsent` are the attempts that no adapter sent; `reason` and `field` say why there was none.
        """
        if self.entry.state == SETTLED:
            raise already_settled(self.id)
        charged = settlement.unsent(self.lines, unsent)
        if self.entry.state == ESTIMATED:
            return self._correct(charged, "late_release", now)
        if charged:
            settlement.write(self.entry, charged, self.entry.reserved.currency)
        self.entry.state = REFUSED if charged or reason else RELEASED
        self.entry.refused_reason, self.entry.refused_field = reason, field
        put_micros(self.entry.settle_time, now)
        self.version += 1
        return given_back(self.holds)

    def reconcile(self, reported: Sequence[usage_pb2.UsageLine], now: int) -> list[Posting]:
        """Replaces an estimate by what became known otherwise."""
        if self.entry.state != ESTIMATED and not (self.entry.state == SETTLED and self._estimated):
            raise invalid("name", "an entry that was charged as estimated")
        return self._correct(settlement.true_charges(self.lines, reported), "reconciliation", now)

    def join(self, meters: Iterable[Meter]) -> None:
        """Lets budgets follow its corrections that were made or begun anew after it ended, and counted it then."""
        payers = {line.payer for line in self.lines} | {self.domain}
        joined = {
            meter.name: Hold(meter.name, meter.generation, meter.window, meter.subject, MONEY, 0)
            for meter in meters
            if meter.metric == MONEY and meter.subject in payers and meter.window <= self.time < meter.generation
        }
        if joined:
            known = {(hold.meter, hold.generation) for hold in self.holds}
            added = [hold for hold in joined.values() if (hold.meter, hold.generation) not in known]
            replaced = {hold.meter for hold in added}
            self.holds = (*[hold for hold in self.holds if hold.meter not in replaced], *added)

    @property
    def overrun_by(self) -> list[str]:
        """The projects that pay more than was reserved for them."""
        return list(dict.fromkeys(line.charge_to for line in self.entry.lines if line.overrun))

    @property
    def _estimated(self) -> set[str]:
        """Attempts whose charge is an estimate."""
        return {line.usage.attempt_id for line in self.entry.lines if line.usage.source == usage_pb2.USAGE_SOURCE_ESTIMATED}

    def _with_truth(self, reported: Sequence[usage_pb2.UsageLine]) -> list[settlement.Charge]:
        """All charges as they stand, but those that were estimated and whose usage the provider reports now."""
        truths = [report for report in reported if report.attempt_id in self._estimated and _is_final(report)]
        replaced = {each.line.id: each for each in settlement.charges(self.lines, truths, lambda _: 0.0) if not each.implausible}
        return [replaced.get(charge.line.id, charge) for charge in settlement.standing(self.lines, self.entry)]

    @property
    def subjects(self) -> list[str]:
        """Whom its limits bind as a whole."""
        named = [name for name in (self.key, self.principal, self.project, self.domain) if name]
        tags = self.entry.tags
        if not tags:
            return named
        pairs = [f"{key}={value}" for key, value in sorted(tags.items())]
        return named + [f"tag:{pair}" for pair in pairs] + [f"{self.domain}/tags/{pair}" for pair in pairs]

    def _close(self, state: usage_pb2.ReservationState, charged: Sequence[settlement.Charge], now: int) -> list[Posting]:
        self._write(state, charged, self.entry.reserved.currency)
        put_micros(self.entry.settle_time, now)
        return settled(self.holds, amounts.used(self.entry.lines, self.subjects)) if self.holds else []

    def _correct(self, charged: Sequence[settlement.Charge], reason: str, now: int) -> list[Posting]:
        before = amounts.used(self.entry.lines, self.subjects)
        currency = self.entry.reserved.currency
        difference = settlement.total(charged) - self.entry.charged.nanos
        adjustment = usage_pb2.Adjustment(amount=resources_pb2.Money(currency=currency, nanos=saturated(difference)), reason=reason)
        put_micros(adjustment.create_time, now)
        self.entry.adjustments.append(adjustment)
        self._write(SETTLED, charged, currency)
        return corrected(self.holds, before, amounts.used(self.entry.lines, self.subjects))

    def _write(self, state: usage_pb2.ReservationState, charged: Sequence[settlement.Charge], currency: str) -> None:
        self.entry.state = state
        settlement.write(self.entry, charged, currency)
        self.version += 1


def released_early(reservation_id: str, now: int) -> Reservation:
    """What stands for a reservation that was released before it was made: it has no tenant yet."""
    made = Reservation(reservation_id, "", "", "", "", "", usage_pb2.LedgerEntry(state=RELEASED), ())
    made.begin(now)
    return made


def _is_final(report: usage_pb2.UsageLine) -> bool:
    return report.source == usage_pb2.USAGE_SOURCE_PROVIDER and report.HasField("usage")


def released(reservation: str) -> PolicyError:
    """The reservation was given back, perhaps before it was made."""
    return PolicyError(errors_pb2.ERROR_REASON_RESERVATION_RELEASED, f"the reservation {reservation} was released", reservation=reservation)


def already_settled(reservation: str) -> PolicyError:
    """The request has ended."""
    return PolicyError(errors_pb2.ERROR_REASON_RESERVATION_SETTLED, f"the reservation {reservation} is settled", reservation=reservation)


def unknown(reservation: str) -> PolicyError:
    """There is no such reservation."""
    return PolicyError(errors_pb2.ERROR_REASON_RESERVATION_NOT_FOUND, f"there is no reservation {reservation}", reservation=reservation)
