"""What all scenarios share: settings, goals, results, and the requests that they send."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import cycle, islice
from pathlib import Path
from typing import Any

from bench.behaviour import USUAL, Behaviour
from bench.load.spec import Expected, Spec, write_requests
from bench.prompts import PROMPTS, USUAL_WORDS, body, framed, texts
from bench.topologies.target import Target

_SLOW_SECONDS, _SLOW_WARM_UP = 4.0, 2.5


@dataclass(frozen=True, slots=True)
class Settings:
    """How long and against whom; printed with the results."""

    seconds: float = 2.0
    passes: int = 3
    warm_up: float = 0.7
    peers: bool = False
    meshes: tuple[str, ...] = ()
    """Arrangements to leave out are not in it; empty: all."""
    overload_seconds: float = 60.0
    soak_seconds: float = 60.0
    slow_seconds: float = 20.0
    trace: str = ""


@dataclass(frozen=True, slots=True)
class Goal:
    """One figure that the mesh must show."""

    what: str
    goal: str
    measured: str
    reached: bool | None
    """None: it could not be measured, and `measured` says why."""


@dataclass(slots=True)
class Outcome:
    """The result of a scenario."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    goals: list[Goal] = field(default_factory=list)
    absent: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def at_most(self, what: str, limit: float, value: float | None, unit: str) -> None:
        """A goal from above."""
        self._judge(what, f"≤ {limit:g} {unit}", value, unit, value is not None and value <= limit)

    def at_least(self, what: str, limit: float, value: float | None, unit: str) -> None:
        """A goal from below."""
        self._judge(what, f"≥ {limit:g} {unit}", value, unit, value is not None and value >= limit)

    def unjudged(self, what: str, goal: str, why: str) -> None:
        """A goal that cannot be judged here."""
        self.goals.append(Goal(what, goal, why, None))

    def _judge(self, what: str, goal: str, value: float | None, unit: str, reached: bool) -> None:  # noqa: FBT001 - private, and clear where it is called
        shownary = "not measured" if value is None else f"{value:.3g} {unit}" if value < 100 else f"{value:,.0f} {unit}"
        self.goals.append(Goal(what, goal, shownary.strip(), None if value is None else reached))

    def as_json(self) -> dict[str, Any]:
        """For a file."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load that the benchmark can run, under the name that the command line takes."""

    name: str
    summary: str
    run: Callable[[Settings], Outcome]
    quick: bool = False
    """Part of a plain `make bench`."""


def row_of(rows: Sequence[Mapping[str, Any]], target: str, **like: Any) -> Mapping[str, Any]:  # noqa: ANN401 - values of rows
    """The row of a target; empty where there is none, so that what it lacks reads as not measured."""
    return next((row for row in rows if row["target"] == target and all(row.get(key) == value for key, value in like.items())), {})


def ratio(above: float | None, below: float | None) -> float | None:
    """One by the other, where both were measured."""
    return above / below if above is not None and below else None


def less(value: float | None, base: float | None) -> float | None:
    """What is added."""
    return None if value is None or base is None else value - base


def spec_for(  # noqa: PLR0913 - keywords of one request
    target: Target,
    place: Path,
    settings: Settings,
    *,
    behaviour: Behaviour = USUAL,
    streamed: bool = False,
    words: int = USUAL_WORDS,
    count: int = PROMPTS,
    connections: int = 64,
    stagger: float = 0.0,
) -> Spec:
    """The usual run in a closed loop: keys and prompts in rotation."""
    keys = cycle(target.keys)
    requests = [
        framed(body(text, behaviour, streamed=streamed, model=target.model), key, target.path, target.headers)
        for text, key in zip(texts(count, words), islice(keys, count), strict=True)
    ]
    return Spec(
        port=target.port,
        host=target.host,
        requests=str(write_requests(place, requests)),
        expected=Expected(streamed=streamed, chunks=behaviour.chunks if streamed else 0, regrouped=target.regroups),
        connections=connections,
        seconds=max(settings.seconds, _SLOW_SECONDS) if target.slow else settings.seconds,
        warm_up=max(settings.warm_up, _SLOW_WARM_UP) if target.slow else settings.warm_up,
        stagger=stagger,
        pace=behaviour.pace if streamed else 0.0,
        watched=dict(target.processes),
    )
