"""Meters: a budget or limit with what is spent and held of it, and the rule by which a request fits all of them or none.

All limits work alike. A reservation *holds* its worst case, a settlement turns the hold into what was *spent*; of a limit
on concurrency nothing is ever spent. Windows are fixed and aligned to 1970-01-01 UTC (months to their first day): counts
are exact and the answer to "when again?" is the window's end; the price is that around a boundary up to twice the amount
may pass within one window's length. A request counts in the window of its reservation, whenever it settles.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

MONEY = "money"
REQUESTS = "requests"
CONCURRENCY = "concurrency"
INPUT_TOKENS = "input_tokens"
OUTPUT_TOKENS = "output_tokens"
TOKENS = "tokens"

FOREVER = 0
MONTHLY = -1
SECOND = 1_000_000
DAY = 86_400 * SECOND

Amounts = Mapping[str, Mapping[str, int]]
"""Subject → metric → amount: what a request asks of whom, or has used."""


@dataclass(frozen=True, slots=True)
class Meter:
    """One budget or limit. `period` and `window` are in microseconds; the generation tells it from earlier ones of its name."""

    name: str
    subject: str
    metric: str
    amount: int
    period: int
    generation: int
    window: int
    spent: int
    held: int
    closed: int = 0
    """When a budget was closed, in microseconds: it bears nothing that costs, in no window. 0: it is open."""
    tag_scope: str = ""
    """The domain whose requests must have the tag of this limit. Empty: none must."""

    @property
    def left(self) -> int:
        """What may still be held."""
        return self.amount - self.spent - self.held

    def at(self, now: int) -> "Meter":
        """The meter in the window of `now`. A clock that goes back reopens no window."""
        start = window_of(self.period, now)
        return self if start <= self.window else replace(self, window=start, spent=0, held=0)

    def holding(self, amount: int) -> "Meter":
        """The meter with so much more held."""
        name, subject, metric, limit, period = self.name, self.subject, self.metric, self.amount, self.period
        held, generation, window = self.held + amount, self.generation, self.window
        return Meter(name, subject, metric, limit, period, generation, window, self.spent, held, self.closed, self.tag_scope)

    def ends_in(self, now: int) -> float | None:
        """Seconds until the window ends; None where it never does."""
        end = window_end(self.period, self.window)
        return None if end is None else max(0.0, (end - now) / SECOND)


@dataclass(frozen=True, slots=True)
class Hold:
    """What a reservation holds of one meter, in one of its windows."""

    meter: str
    generation: int
    window: int
    subject: str
    metric: str
    amount: int


@dataclass(frozen=True, slots=True)
class Posting:
    """A change of one meter; without effect where its window is over or the meter is another by now."""

    meter: str
    generation: int
    window: int
    held: int
    spent: int


@dataclass(frozen=True, slots=True)
class Excess:
    """A meter that does not bear the request."""

    meter: Meter
    requested: int
    again_in: float | None


@dataclass(frozen=True, slots=True)
class Fit:
    """Whether a request fits: what it would hold, how the meters would stand then, and what it exceeds."""

    holds: tuple[Hold, ...] = ()
    meters: tuple[Meter, ...] = ()
    excesses: tuple[Excess, ...] = field(default=())


def fit(meters: Iterable[Meter], amounts: Amounts, now: int) -> Fit:
    """Holds of every meter that is asked, or, where one does not bear it, of none."""
    holds: list[Hold] = []
    after: list[Meter] = []
    excesses: list[Excess] = []
    for stored in meters:
        meter = stored.at(now)
        amount = amounts.get(meter.subject, {}).get(meter.metric, 0)
        if amount > 0 and (amount > meter.left or meter.closed):
            excesses.append(Excess(meter, amount, _again(meter, amount, now)))
        holds.append(Hold(meter.name, meter.generation, meter.window, meter.subject, meter.metric, amount))
        after.append(meter.holding(amount))
    return Fit(excesses=tuple(excesses)) if excesses else Fit(tuple(holds), tuple(after))


def settled(holds: Sequence[Hold], used: Amounts) -> list[Posting]:
    """Turns holds into what was really used."""
    return [_posting(hold, -hold.amount, _used(hold, used)) for hold in holds]


def corrected(holds: Sequence[Hold], before: Amounts, after: Amounts) -> list[Posting]:
    """Replaces what was thought to be used by what was."""
    postings = [_posting(hold, 0, _used(hold, after) - _used(hold, before)) for hold in holds]
    return [posting for posting in postings if posting.spent]


def given_back(holds: Sequence[Hold]) -> list[Posting]:
    """Gives holds back whole."""
    return [_posting(hold, -hold.amount, 0) for hold in holds]


def window_of(period: int, now: int) -> int:
    """When the window of a moment began."""
    if period == FOREVER:
        return 0
    if period == MONTHLY:
        moment = datetime.fromtimestamp(now // SECOND, UTC)
        return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp()) * SECOND
    return now - now % period


def window_end(period: int, start: int) -> int | None:
    """When the window that began then ends."""
    if period == FOREVER:
        return None
    if period == MONTHLY:
        return window_of(MONTHLY, start + 32 * DAY)
    return start + period


def _posting(hold: Hold, held: int, spent: int) -> Posting:
    return Posting(hold.meter, hold.generation, hold.window, held, spent)


def _used(hold: Hold, used: Amounts) -> int:
    return 0 if hold.metric == CONCURRENCY else used.get(hold.subject, {}).get(hold.metric, 0)


def _again(meter: Meter, amount: int, now: int) -> float | None:
    """Waiting helps where the window ends or others finish; never where the request alone is too large, or the budget is closed."""
    if amount > meter.amount or meter.closed:
        return None
    return 1.0 if meter.metric == CONCURRENCY else meter.ends_in(now)
