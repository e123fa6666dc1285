"""A flood of keys that nobody made, a new one with each request: what a refusal costs, and what those with good keys notice."""

from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

from bench.compared import row
from bench.load.spec import Expected, Spec, write_requests
from bench.prompts import body, framed, texts
from bench.runs import run, together
from bench.scenarios.scenario import Outcome, Scenario, Settings, spec_for
from bench.stand import EMBEDDED, stand
from bench.topologies.target import Target

_FLOOD, _GOOD = 32, 8
_KEYS = 20_000
_REFUSED = (401, 429)


def run_flood(settings: Settings) -> Outcome:
    """Good requests alone, the flood alone, both."""
    outcome = Outcome(notes=["no goal of the issue beyond: refused, counted, and others served"])
    seconds = max(settings.seconds, 3.0)
    with stand([EMBEDDED]) as made:
        outcome.absent = made.absent
        target = made.targets[EMBEDDED]
        good = replace(spec_for(target, made.folder / "good", settings, connections=_GOOD), seconds=seconds)
        flood = replace(_unknown(target, made.folder / "flood", good), connections=_FLOOD)
        alone = run(good, made.folder)
        refused = run(flood, made.folder)
        both = together({"good": good, "flood": flood}, made.folder)
        outcome.more["memory_mb_after"] = sum(target.memory_mb().values())
    for kind, result in (
        ("good keys alone", alone),
        ("flood alone", refused),
        ("good keys beside the flood", both["good"]),
        ("flood beside good keys", both["flood"]),
    ):
        made_row = row(EMBEDDED, [result]) | {"kind": kind, "refused_per_second": result["refused"]["count"] / result["seconds"]}
        if "beside" in kind:
            made_row.pop("cpu_us", None)  # it would be both generators' requests by one's
        outcome.rows.append(made_row)
    outcome.more["cpu_us_per_refusal"] = outcome.rows[1].get("cpu_us")
    return outcome


def _unknown(target: Target, place: Path, like: Spec) -> Spec:
    """Keys of the right form: only policy can tell."""
    dice = random.Random(11)  # noqa: S311 - keys that must not exist
    text, keys = next(texts()), []
    for number in range(_KEYS):
        known = target.keys[number % len(target.keys)]
        keys.append(
            "".join(
                dice.choice("abcdefghijklmnopqrstuvwxyz0123456789") if at > 3 and sign.isalnum() else sign for at, sign in enumerate(known)
            )
        )
    requests = [framed(body(text, model=target.model), key) for key in keys]
    return replace(like, requests=str(write_requests(place, requests)), expected=Expected(refusals=_REFUSED))


SCENARIO = Scenario("key-flood", "a new unknown key with each request, beside good ones", run_flood)
