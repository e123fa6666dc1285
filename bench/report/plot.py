"""Horizontal bars as SVG, written by hand: a plot needs no library."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

_WIDTH, _LABEL, _BAR, _GAP = 760, 190, 22, 10
_TOP = 46
_COLOURS = {True: "#2563eb", False: "#94a3b8"}


def bars(title: str, unit: str, values: Sequence[tuple[str, float]], *, ours: Sequence[str] = (), logarithmic: bool = False) -> str:
    """One bar per value, ours in another colour."""
    height = _TOP + len(values) * (_BAR + _GAP)
    room = _WIDTH - _LABEL - 110
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" font-family="system-ui, sans-serif" font-size="13">',
        f'<rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>',
        f'<text x="8" y="22" font-size="15" font-weight="600" fill="#0f172a">{escape(title)}</text>',
    ]
    for place, (label, value) in enumerate(values):
        y = _TOP + place * (_BAR + _GAP)
        length = max(1.0, room * _part(value, [each for _, each in values], logarithmic=logarithmic))
        lines += [
            f'<text x="{_LABEL - 8}" y="{y + 16}" text-anchor="end" fill="#0f172a">{escape(label)}</text>',
            f'<rect x="{_LABEL}" y="{y}" width="{length:.1f}" height="{_BAR}" rx="2" fill="{_COLOURS[label in ours]}"/>',
            f'<text x="{_LABEL + length + 6:.1f}" y="{y + 16}" fill="#334155">{_shown(value)} {escape(unit)}</text>',
        ]
    return "\n".join([*lines, "</svg>"]) + "\n"


def _part(value: float, values: Sequence[float], *, logarithmic: bool) -> float:
    from math import log10  # noqa: PLC0415 - only here

    top, low = max(values), min(each for each in values if each > 0)
    if not logarithmic or top == low:
        return value / top if top else 0.0
    base = log10(low) - 0.5  # the smallest has a bar, too
    return (log10(value) - base) / (log10(top) - base) if value > 0 else 0.0


def _shown(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
