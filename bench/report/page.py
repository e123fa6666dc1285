"""docs/performance.md: goals first, then every scenario with its conditions, then the cost model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.report.plot import bars
from bench.report.table import goals, table

_HEAD = """\
# Performance

What the mesh costs, measured beside direct calls, a byte pass-through and other gateways; written by `make bench-report` from the
last run, with losing results kept. Read CPU and ratios: this is a small virtual machine, whose requests/s follow its noise.

- **Layout**: all processes of what is measured on one core, generator and fake upstream on the other (two workers: on both).
  Loopback, no TLS.
- **On**: authentication, Casbin, screening of input, reservation, settlement, ledger, audit, metrics. A thousand keys and a thousand
  prompts of about 1 KB in rotation. Every answer is verified; a row with a wrong answer has no figures.
- **Separate** means five processes with service tokens: edge and gateway, policy, router, the adapter, and registry, observability and
  catalogue together. Stores are SQLite files there as well, so that only links differ.
- **Latency** is from the write (open loop: from when the request was due) to the last byte. Values are medians of the passes, ± half of
  their spread; passes go in turn, in another order each time. CPU is from the kernel's accounts of threads, of all processes together.

`make bench-report` repeats it: one result per scenario in `.bench/results/`, kept while build and settings stay the same, so an
interrupted run goes on. `make bench` is the quick one; [bench/README.md](../bench/README.md) says how to measure one thing, and what
peers are run with.
"""
_FLOORS = (
    "What stands in the way of the goals that are missed, and where the floors are: [floors](../bench/floors.md). What\n"
    "was tried: for CPU [ADR 13](adr/0013-plain-python-breadth-first.md), for overload [ADR 10](adr/0010-overload-is-lateness.md), for\n"
    "the batched link [ADR 6](adr/0006-a-batched-link.md), for workers [ADR 11](adr/0011-workers.md)."
)


def page(results: Sequence[Mapping[str, Any]], plots: str) -> str:
    """The whole page; `plots` is the folder of the pictures as the page links to it."""
    parts = [_HEAD, _builds(results)]
    all_goals = [goal for result in results for goal in result["goals"]]
    parts.append(f"## Goals\n\n{_reached(all_goals)}\n\n{goals(all_goals)}\n\n{_FLOORS}\n")
    absent = {name: why for result in results for name, why in result["absent"].items()}
    if absent:
        lines = [f"- **{name}**: {why}" for name, why in absent.items()]
        parts.append("Not measured:\n\n" + "\n".join(lines) + "\n")
    parts += [f"![CPU per request]({plots}/cpu.svg)\n", f"![CPU per chunk]({plots}/chunks.svg)\n"]
    parts += [_section(result) for result in results]
    return "\n".join(parts)


def pictures(results: Sequence[Mapping[str, Any]], folder: Path) -> None:
    """The plots that the page shows."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, scenario, title, key, like in (
        ("cpu.svg", "unary", "CPU per request, 64 in flight (logarithmic)", "cpu_us", {"in_flight": 64}),
        ("chunks.svg", "streaming", "CPU per chunk, bursts of 100 (logarithmic)", "cpu_us_per_chunk", {"kind": "burst"}),
    ):
        rows: Sequence[Mapping[str, Any]] = next((result["rows"] for result in results if result["scenario"] == scenario), ())
        values = [(row["target"], row[key]) for row in rows if row.get(key) and all(row.get(what) == value for what, value in like.items())]
        if values:
            ours = [label for label, _ in values if label.startswith(("embedded", "separate"))]
            drawn = bars(title, "µs", sorted(values, key=lambda each: each[1]), ours=ours, logarithmic=True)
            (folder / name).write_text(drawn, encoding="utf-8")


def _builds(results: Sequence[Mapping[str, Any]]) -> str:
    """Of which builds the figures are."""
    dates = sorted(result["conditions"]["date"].partition(" ")[0] for result in results)
    commits = ", ".join(dict.fromkeys(result["conditions"]["commit"] for result in results))
    when = dates[0] if dates[0] == dates[-1] else f"{dates[0]} to {dates[-1]}"
    return (
        f"**Of which build**: the figures were measured {when}, at the commits {commits}; each scenario names its own. What has changed\n"
        "since is not in them.\n"
    )


def _reached(judged: Sequence[Mapping[str, Any]]) -> str:
    reached, missed = (sum(goal["reached"] is state for goal in judged) for state in (True, False))
    return f"{reached} of {len(judged)} reached, {missed} not, {len(judged) - reached - missed} not measured."


def _section(result: Mapping[str, Any]) -> str:
    held = result["conditions"]
    lines = [f"## {result['scenario']}\n", f"{result['told'][0].upper()}{result['told'][1:]}.\n"]
    if result["rows"]:
        lines.append(table(result["rows"]) + "\n")
    lines += [f"- {note}" for note in result["notes"]]
    lines.append(
        f"- {held['date']}, commit {held['commit']}; {held['machine']}; Python {held['python']}; one fsync {held['fsync_ms']:.2f} ms; "
        f"waking a client {held['wake_us']:.0f} µs; the host took {held['stolen']:.1%} of the cores' time; "
        f"load average at the beginning {held['load_average']:.1f}; {result['settings']['passes']} passes of "
        f"{result['settings']['seconds']:g} s, unless said\n"
    )
    for title, key in (("By package, own time", "packages"), ("By function, own time", "functions")):
        if shares := result["more"].get(key):
            lines += [f"### {title}\n", "| | share |\n|---|---|"]
            lines += [f"| `{name}` | {share:.1%} |" for name, share in shares.items()]
            lines.append("")
    return "\n".join(lines)
