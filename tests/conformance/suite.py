"""The suite: every feature and every field of every edge, through every adapter, on one mesh; what is found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.conformance.answers import Told, told
from tests.conformance.asking import Question, Seen, asked, explained
from tests.conformance.edges import EDGES, DeclaredEdge
from tests.conformance.errors import ERRORS, error_model, error_script
from tests.conformance.features import FEATURES, Feature
from tests.conformance.idle import idle
from tests.conformance.leaving import outcome_of_leaving
from tests.conformance.shapes import Variant
from tests.conformance.verdicts import Kind, Verdict, of_feature, of_field
from tests.conformance.wires import WIRES, Wire
from tests.proofs.stand import Stand, provider, stand

LEAVING = {"before the answer": "sim-stall", "within a stream": "sim-words/tokens:4000/rate:50"}
"""When a caller goes away, and what the provider does then."""
OUTER = re.compile(r"(\.?\w+|\[\]|<\w+'*>)$")
"""The last step of a path."""
Cell = tuple[str, str]
"""An edge and an adapter."""


@dataclass
class Findings:
    """What the suite has seen."""

    features: dict[str, dict[Cell, Verdict]] = field(default_factory=dict)
    fields: dict[str, dict[str, dict[str, list[Verdict]]]] = field(default_factory=dict)
    """By edge, path and adapter: a verdict for each value."""
    errors: dict[str, dict[Cell, str]] = field(default_factory=dict)
    leaving: dict[str, dict[Cell, str]] = field(default_factory=dict)
    explained: dict[str, str] = field(default_factory=dict)
    """Why a translation did what it did: by adapter and note."""
    unlike: list[str] = field(default_factory=list)
    """Where a stream told something else than the whole answer."""


@contextmanager
def standing(folder: Path) -> Iterator[Stand]:
    """A mesh with a model for each script, behind each adapter."""
    with provider(folder, {"LLM_MESH_SIMULATOR_KEEP_REQUESTS": "10000"}) as simulator, ExitStack() as stack:
        settings: dict[str, str] = {}
        for wire in WIRES.values():
            settings |= wire.environment(simulator.address)
        made = stack.enter_context(stand(folder, simulator, settings))
        scripts = {feature.model for feature in FEATURES.values()} | set(LEAVING.values())
        named = {name_of(script): script for script in scripts} | {
            error_model(edge, error): error_script(edge, error) for error in ERRORS for edge in EDGES
        }
        for wire in WIRES.values():
            made.put_models([wire.model(name, script) for name, script in named.items()])
        yield made


def name_of(script: str) -> str:
    """The name of the model that has a script."""
    return script.replace("/", "-").replace(":", "-")


def alias(wire: Wire, script: str) -> str:
    """By which applications ask for it."""
    return f"{wire.name}-{name_of(script)}"


def look_at_fields(mesh: Stand, findings: Findings) -> None:
    """Every field."""
    for edge in EDGES.values():
        found = list(edge.variants())
        findings.fields[edge.name] = {}
        for wire in WIRES.values():
            for variant, verdict in zip(found, _of_fields(mesh, edge, wire, found), strict=True):
                findings.fields[edge.name].setdefault(variant.path, {}).setdefault(wire.name, []).append(verdict)


def _of_fields(mesh: Stand, edge: DeclaredEdge, wire: Wire, found: Sequence[Variant]) -> list[Verdict]:
    bodies = {_key(body): body for variant in found for body in (variant.body, variant.plain)}
    seen = dict(zip(bodies, asked(mesh, [Question(edge.edge, alias(wire, "sim-echo"), body) for body in bodies.values()]), strict=True))
    verdicts: list[Verdict] = []
    first: dict[str, Verdict] = {}
    for variant in found:
        verdict = of_field(seen[_key(variant.body)], seen[_key(variant.plain)])
        if verdict.kind is Kind.LOST:
            verdict = _excused(edge, wire, variant, first) or verdict
        first.setdefault(variant.path, verdict)
        verdicts.append(verdict)
    return verdicts


def _excused(edge: DeclaredEdge, wire: Wire, variant: Variant, known: Mapping[str, Verdict]) -> Verdict | None:
    """Why the provider rightly gets the same request: what the field stands in was left out, or the value asks for what happens anyway."""
    around = variant.path
    while around := OUTER.sub("", around):
        outer = known.get(around)
        if outer is not None and (left_out := frozenset(note for note in outer.notes if note.endswith("=dropped"))):
            return Verdict(Kind.LEFT_OUT, left_out)
    row = idle(edge.name, variant.path, variant.value, wire.name)
    return None if row is None else Verdict(Kind.IDLE, why=row.why)


def _key(body: Any) -> str:
    return json.dumps(body, sort_keys=True)


def look_at_features(mesh: Stand, findings: Findings) -> None:
    """Every feature, whole and streamed."""
    places = [
        (edge, wire, feature)
        for edge in EDGES.values()
        for wire in WIRES.values()
        for feature in FEATURES.values()
        if edge.name in feature.bodies
    ]
    seen: dict[tuple[str, str, str], Seen] = {}
    read: dict[tuple[str, str, str], Told] = {}
    for stream in (False, True):
        answers = _answers(mesh, places, stream=stream)
        for (edge, wire, feature), one, reading in answers:
            key = edge.name, wire.name, feature.name
            if not stream:
                seen[key] = one
                if reading is not None:
                    read[key] = reading
            elif difference := _difference(seen[key], read.get(key), one, reading):
                findings.unlike.append(f"{' > '.join(key)}: {difference}")
    _explain(mesh, findings, seen)
    for edge, wire, feature in places:
        key = edge.name, wire.name, feature.name
        other = seen.get((edge.name, wire.name, feature.unlike)) if feature.unlike else None
        verdict = of_feature(feature, seen[key], read.get(key), other)
        if verdict.kind is Kind.LOST and feature.name in wire.lacks:
            verdict = Verdict(Kind.ABSENT, why=wire.lacks[feature.name])
        findings.features.setdefault(feature.name, {})[key[0], key[1]] = verdict


def _explain(mesh: Stand, findings: Findings, seen: Mapping[tuple[str, str, str], Seen]) -> None:
    """Asks for the notes of what was translated: HTTP has room for the fields alone."""
    for (edge, adapter, name), one in seen.items():
        unknown = {note for note in one.notes if f"{adapter} {note}" not in findings.explained}
        if unknown:
            body = EDGES[edge].typed(one.question.body)
            for note, why in explained(mesh, one.question.alias, body).items():
                findings.explained[f"{adapter} {note}"] = why
            assert all(f"{adapter} {note}" in findings.explained for note in unknown), (edge, adapter, name, unknown)


Place = tuple[DeclaredEdge, Wire, Feature]


def _answers(mesh: Stand, places: Sequence[Place], *, stream: bool) -> Iterator[tuple[Place, Seen, Told | None]]:
    """In two rounds: what has a second turn is asked for again with the first answer."""
    first = asked(mesh, [Question(edge.edge, alias(wire, feature.model), feature.bodies[edge.name]) for edge, wire, feature in places])
    bodies = []
    for (edge, _, feature), one in zip(places, first, strict=True):
        body = feature.bodies[edge.name]
        again = feature.again is not None and not one.reason
        bodies.append(feature.again(edge.name, body, told(edge.name, one.answer, stream=False)) if again and feature.again else body)
    questions = [
        Question(edge.edge, alias(wire, feature.model), _streamed(edge.name, body) if stream else body, stream=stream)
        for (edge, wire, feature), body in zip(places, bodies, strict=True)
    ]
    for place, one in zip(places, asked(mesh, questions), strict=True):
        yield place, one, None if one.reason else told(place[0].name, one.answer, stream=stream)


def _streamed(edge: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """A stream tells usage at this edge only where it is asked for."""
    return {**body, "stream_options": {"include_usage": True}} if edge == "openai" else dict(body)


def _difference(whole: Seen, whole_told: Told | None, streamed: Seen, streamed_told: Told | None) -> str:
    if whole.reason != streamed.reason:
        return f"{whole.reason or 'an answer'}, streamed {streamed.reason or 'an answer'}: {streamed.message}"
    if whole_told is None or streamed_told is None:
        return ""
    for name in ("texts", "thought", "calls", "refusal", "finish", "logprobs", "usage"):
        one, other = getattr(whole_told, name), getattr(streamed_told, name)
        if one != other:
            return f"{name} {one!r}, streamed {other!r}"
    return ""


def look_at_errors(mesh: Stand, findings: Findings) -> None:
    """Every class of error."""
    for error in ERRORS:
        places = [(edge, wire) for edge in EDGES.values() for wire in WIRES.values()]
        questions = [
            Question(edge.edge, f"{wire.name}-{error_model(edge.name, error)}", FEATURES["text"].bodies[edge.name], stream=error.stream)
            for edge, wire in places
        ]
        for (edge, wire), one in zip(places, asked(mesh, questions), strict=True):
            findings.errors.setdefault(error.name, {})[edge.name, wire.name] = one.reason


def look_at_leaving(mesh: Stand, findings: Findings) -> None:
    """A caller who goes away, before the answer and in the middle of a stream."""
    for stream, (moment, script) in zip((False, True), LEAVING.items(), strict=True):
        places = [(edge, wire) for edge in EDGES.values() for wire in WIRES.values()]

        questions = [Question(edge.edge, alias(wire, script), FEATURES["text"].bodies[edge.name], stream=stream) for edge, wire in places]
        with ThreadPoolExecutor(len(WIRES)) as pool:
            outcomes = list(pool.map(partial(outcome_of_leaving, mesh), questions, [uuid4().hex for _ in questions]))
        findings.leaving[moment] = {(edge.name, wire.name): outcome for (edge, wire), outcome in zip(places, outcomes, strict=True)}


def losses(findings: Findings) -> list[str]:
    """Everything that reached nobody without a note."""
    of_features = [
        f"{edge} > {adapter}: {name}: {verdict.why}"
        for name, cells in findings.features.items()
        for (edge, adapter), verdict in cells.items()
        if verdict.kind is Kind.LOST
    ]
    of_fields = [
        f"{edge} > {adapter}: {path}: {verdict.why}"
        for edge, paths in findings.fields.items()
        for path, wires in paths.items()
        for adapter, verdicts in wires.items()
        for verdict in verdicts
        if verdict.kind is Kind.LOST
    ]
    return [*of_features, *of_fields]


def look(mesh: Stand) -> Findings:
    """All of it."""
    findings = Findings()
    for part in (look_at_leaving, look_at_features, look_at_errors, look_at_fields):
        part(mesh, findings)
    return findings
