"""Reads a trail from wherever it is, and says what is wrong with it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass

from llm_mesh.policy.v1 import audit_pb2
from llm_mesh_cli.trail.sources import TrailPage
from llm_mesh_runtime.trail import TrailDefect, Verifier
from llm_mesh_runtime.trail.verifying import TrailDefectKind


@dataclass(frozen=True, slots=True)
class Verification:
    """What came of a verification."""

    records: int
    heads: Sequence[audit_pb2.ChainHead]
    problems: Sequence[TrailDefect]


async def verify(
    source: Callable[[], AsyncIterator[TrailPage]],
    *,
    saved: Mapping[str, audit_pb2.ChainHead] | None = None,
    whole: bool = True,
    grows: bool = False,
) -> Verification:
    """Verifies a trail. One that `grows` meanwhile is read twice where something seems wrong: only what both readings find counts."""
    verdict = await _once(source, saved, whole=whole)
    if grows and verdict.problems:
        again = await _once(source, saved, whole=whole)
        known = {_identity(problem) for problem in verdict.problems}
        verdict = Verification(again.records, again.heads, [problem for problem in again.problems if _identity(problem) in known])
    return verdict


def _identity(problem: TrailDefect) -> TrailDefect | tuple[TrailDefectKind, str]:
    """What is the same in two readings: a chain whose end is wrong ends elsewhere in the second one, once it has grown."""
    return (problem.kind, problem.writer) if problem.kind in {TrailDefectKind.RENUMBERED, TrailDefectKind.HEAD} else problem


async def _once(
    source: Callable[[], AsyncIterator[TrailPage]], saved: Mapping[str, audit_pb2.ChainHead] | None, *, whole: bool
) -> Verification:
    verifier, heads = Verifier(saved=saved, whole=whole), list[audit_pb2.ChainHead]()
    async for page in source():
        for record in page.records:
            verifier.add(record)
        if page.heads is not None:
            heads = list(page.heads)
    return Verification(verifier.records, heads, verifier.finish(heads))
