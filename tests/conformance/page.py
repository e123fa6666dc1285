"""docs/conformance.md, written from what the suite has seen."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from tests.conformance.edges import EDGES
from tests.conformance.errors import ERRORS
from tests.conformance.features import FEATURES
from tests.conformance.suite import OUTER, Findings
from tests.conformance.verdicts import Kind, Verdict
from tests.conformance.wires import WIRES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "conformance.md"
_HEAD = """# Conformance

Written by `make conformance` from what a running mesh did; do not edit. `tests/conformance` proves that it is fresh.

Each feature and each field of a request goes through each pair of edge and adapter, with the [simulator](../services/simulator) behind
the adapter in its own dialect. What is compared is what arrived there and what came back to the caller, whole and streamed. A field that
reaches nobody, without a note in the answer and without a refusal, fails the suite ([ADR 57](adr/0057-conformance-is-seen-not-claimed.md)).
"""
_FEATURES = """
- **exact**: it arrived, and came back.
- **translated**: what the answer's `translations` say of it; the number is that of the note below.
- **refused**: nothing was charged; the reason and the field are below.
- **-**: the edge has no way to ask for it, or the provider no sign of it.
"""
_FIELDS = """
Every field that {judge} knows, with each value that its type has.

`=` arrives as it is. `~` arrives changed, with a note. `-` is left out, with a note. `x` is refused with a reason. `o` asks for what
happens anyway. Several signs: it depends on the value. `<…>` tells variants apart. A field is not shown where all of it fares like what it
stands in.
Objects that the mesh does not look into have one line: they travel whole or not at all.
"""
_SIGNS: Mapping[Kind, str] = {
    Kind.EXACT: "=",
    Kind.TRANSLATED: "~",
    Kind.LEFT_OUT: "-",
    Kind.REFUSED: "x",
    Kind.IDLE: "o",
    Kind.LOST: "LOST",
}
_NOTHING = "-"


class Notes:
    """The notes of one table, numbered as they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def of(self, text: str) -> str:
        """Its number."""
        return str(self._numbers.setdefault(text, len(self._numbers) + 1))

    def lines(self) -> Iterator[str]:
        """All of them."""
        yield from (f"{number}. {text}" for text, number in self._numbers.items())


def page(findings: Findings) -> str:
    """The whole page."""
    parts = [_HEAD, "## Features", _FEATURES]
    for edge in EDGES.values():
        parts += [f"### From {edge.title}", *_features(edge.name, findings)]
    parts += ["## Errors of providers", *_errors(findings)]
    parts += ["## Callers who go away", *_leaving(findings)]
    parts.append("## Fields")
    for edge in EDGES.values():
        parts += [f"### Of {edge.title}", _FIELDS.format(judge=edge.judge), *_fields(findings.fields[edge.name])]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _features(edge: str, findings: Findings) -> Iterator[str]:
    notes, rows = Notes(), []
    for name in FEATURES:
        cells = findings.features[name]
        verdicts = [(wire, cells.get((edge, wire))) for wire in WIRES]
        rows.append([name, *(_cell(wire, verdict, notes, findings) for wire, verdict in verdicts)])
    yield _table(["", *WIRES], rows)
    yield "\n".join(notes.lines())


def _cell(wire: str, verdict: Verdict | None, notes: Notes, findings: Findings) -> str:
    if verdict is None:
        return _NOTHING
    if verdict.kind is Kind.ABSENT:
        return f"{_NOTHING} {notes.of(verdict.why)}"
    if verdict.kind is Kind.REFUSED:
        reason, _, field = verdict.why.partition(" ")
        return f"refused {notes.of(f'`{reason}`' + (f' of `{field}`' if field else ''))}"
    if verdict.kind is Kind.TRANSLATED:
        numbers = [notes.of(_note(note, findings.explained[f"{wire} {note}"])) for note in sorted(verdict.notes)]
        return f"translated {', '.join(numbers)}"
    return verdict.kind.value


def _note(note: str, why: str) -> str:
    field, _, action = note.rpartition("=")
    return f"`{field}` {action}: {why}"


def _errors(findings: Findings) -> Iterator[str]:
    yield "Whatever the wire, the caller is told the same reason. Where one differs, its provider says something else by the same status."
    rows = []
    for error in ERRORS:
        cells = findings.errors[error.name]
        others = [f"{adapter}: `{reason}`" for adapter in WIRES if (reason := _same(cells, adapter)) != error.reason]
        rows.append([error.name, f"`{error.reason}`", "; ".join(others)])
    yield _table(["what the provider does", "reason", "but"], rows)


def _same(cells: Mapping[tuple[str, str], str], adapter: str) -> str:
    """What all edges tell of an adapter."""
    return ", ".join(dict.fromkeys(cells[edge, adapter] for edge in EDGES))


def _leaving(findings: Findings) -> Iterator[str]:
    yield "What the provider's own log says of the answer."
    rows = [
        [f"{EDGES[edge].title}, {moment}", *(f"`{cells[edge, wire]}`" for wire in WIRES)]
        for moment, cells in findings.leaving.items()
        for edge in EDGES
    ]
    yield _table(["", *WIRES], rows)


def _fields(paths: Mapping[str, Mapping[str, Sequence[Verdict]]]) -> Iterator[str]:
    shown: dict[str, tuple[str, ...]] = {}
    for path, wires in paths.items():
        signs = tuple("".join(dict.fromkeys(_SIGNS[verdict.kind] for verdict in wires[wire])) for wire in WIRES)
        if _around(path, shown) != signs:
            shown[path] = signs
    yield _table(["field", *WIRES], ([f"`{path}`", *signs] for path, signs in shown.items()))


def _around(path: str, shown: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    """How the nearest thing fares in which a field stands, and that is shown."""
    while path := OUTER.sub("", path):
        if path in shown:
            return shown[path]
    return None
