"""Rows as Markdown: only the columns that a row of the table has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

_COLUMNS: Mapping[str, tuple[str, str]] = {
    "kind": ("kind", "{}"),
    "target": ("target", "{}"),
    "in_flight": ("in flight", "{}"),
    "per_second": ("per second", "{:,.0f}"),
    "cpu_us": ("CPU µs", "{:,.0f}"),
    "cpu_us_per_chunk": ("CPU µs a chunk", "{:.1f}"),
    "p50_ms": ("p50 ms", "{:.2f}"),
    "p95_ms": ("p95 ms", "{:.2f}"),
    "p99_ms": ("p99 ms", "{:.2f}"),
    "added_p50_ms": ("added p50 ms", "{:.2f}"),
    "added_p99_ms": ("added p99 ms", "{:.2f}"),
    "first_p50_ms": ("first token p50 ms", "{:.2f}"),
    "jitter_p99_ms": ("jitter p99 ms", "{:.2f}"),
    "refused_per_second": ("refused per second", "{:,.0f}"),
    "refused_p99_ms": ("refusal p99 ms", "{:.2f}"),
    "seconds": ("seconds", "{:.2f}"),
    "us": ("µs", "{:.1f}"),
    "share": ("share", "{:.1%}"),
    "memory_mb": ("MB", "{:.0f}"),
    "generator_share": ("generator's core", "{:.0%}"),
    "failed": ("wrong answers", "{}"),
    "told": ("", "{}"),
}
_STREAM_ONLY = {"first_p50_ms", "jitter_p99_ms"}


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Write rows of figures in Markdown, without columns that no row fills."""
    streamed = any("cpu_us_per_chunk" in row for row in rows)
    columns = [key for key in _COLUMNS if any(_has(row, key) for row in rows) and (streamed or key not in _STREAM_ONLY)]
    lines = ["| " + " | ".join(_COLUMNS[key][0] for key in columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(_cell(row, key) for key in columns) + " |" for row in rows]
    return "\n".join(lines)


def _has(row: Mapping[str, Any], key: str) -> bool:
    return row.get(key) is not None and (key != "failed" or bool(row[key]))


def _cell(row: Mapping[str, Any], key: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if key == "failed":
        return f"{value}: {', '.join(row.get('failures', {}))}" if value else ""
    shown = _COLUMNS[key][1].format(value)
    spread = row.get(f"{key}_spread")
    return f"{shown} ± {_COLUMNS[key][1].format(spread / 2)}" if spread and key in {"per_second", "cpu_us"} else shown


def goals(judged: Sequence[Mapping[str, Any]]) -> str:
    """Goal, measured, reached or not."""
    words = {True: "yes", False: "**no**", None: "–"}
    lines = ["| what | goal | measured | reached |", "|---|---|---|---|"]
    lines += [f"| {each['what']} | {each['goal']} | {each['measured']} | {words[each['reached']]} |" for each in judged]
    return "\n".join(lines)
