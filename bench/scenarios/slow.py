"""Five hundred clients that read one byte a second: what each holds of the mesh's memory, and what others notice."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import replace
from itertools import islice
from typing import IO, Any, cast

from bench.behaviour import Behaviour
from bench.compared import row
from bench.load.spec import write_requests
from bench.processes import LOAD_CORE, pinned
from bench.prompts import body, framed, texts
from bench.runs import run
from bench.scenarios.scenario import Outcome, Scenario, Settings, ratio, spec_for
from bench.stand import EMBEDDED, Stand, stand
from bench.topologies.target import Target

_CLIENTS, _OTHERS = 500, 8
_LONG = Behaviour(chunks=5_000)
_KIB = 1024
_UNHARMED = 1.5
"""Others' median beside the slow ones by what it was alone, so that noise alone does not fail it."""


def run_slow(settings: Settings) -> Outcome:
    """Others alone, then beside the slow ones, then alone again."""
    outcome = Outcome(notes=[f"each slow client asks for a stream of {_LONG.chunks:,} chunks, about a megabyte, that comes in one burst"])
    with stand([EMBEDDED]) as made:
        outcome.absent = made.absent
        target = made.targets[EMBEDDED]
        spec = replace(spec_for(target, made.folder / "others", settings, connections=_OTHERS), seconds=settings.slow_seconds / 4)
        alone = run(spec, made.folder)
        before = target.allocated_mb()
        with _slow(made, target) as clients:
            output, held = cast("IO[str]", clients.stdout), cast("IO[str]", clients.stdin)
            begun: dict[str, Any] = json.loads(output.readline())
            time.sleep(settings.slow_seconds / 4)
            beside = run(spec, made.folder)
            during = target.allocated_mb()
            held.close()
            ended: int = json.loads(output.readline())["ended"]
        again = run(spec, made.folder)
        after = target.allocated_mb()
    for kind, result in (("others alone", alone), ("others beside the slow ones", beside), ("others alone again", again)):
        outcome.rows.append(row(EMBEDDED, [result]) | {"kind": kind, "in_flight": _OTHERS})
    answered: int = begun["answered"]
    outcome.more |= begun | {"ended_early": ended, "memory_mb": [before, during, after]}
    refused = begun["answers"].get("503", 0)
    seconds = begun["seconds"]
    outcome.notes.append(
        f"{answered} of {_CLIENTS} slow clients had a 200 within {seconds:.0f} s, after {refused} refusals; "
        f"answers {begun['answers']}, {begun['waiting']} without any; {ended} were hung up on meanwhile"
    )
    a_client = (during - before) * _KIB / answered if answered else None
    outcome.at_least("slow clients answered", _CLIENTS, float(answered), "")
    outcome.at_most("memory per client that reads 1 byte/s", 256, a_client, "KiB")
    slower = ratio(beside["latency_ms"].get("p50"), alone["latency_ms"].get("p50"))
    outcome.at_most("others' p50 beside them by what it was alone", _UNHARMED, slower, "×")
    return outcome


def _slow(made: Stand, target: Target) -> subprocess.Popen[str]:
    requests = [
        framed(body(text, _LONG, streamed=True), key) for text, key in zip(texts(_CLIENTS), islice(target.keys, _CLIENTS), strict=True)
    ]
    path = write_requests(made.folder / "slow", requests)
    return subprocess.Popen(
        [sys.executable, "-m", "bench.load.slow", target.host, str(target.port), str(path), str(_CLIENTS)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=pinned(LOAD_CORE),  # noqa: PLW1509 - no threads here
    )


SCENARIO = Scenario("slow-readers", "500 clients that read one byte a second", run_slow)
