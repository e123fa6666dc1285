"""What a profiled mesh is asked: the texts and keys of the benchmark in turn, and a pause before the part that counts."""

from __future__ import annotations

from pathlib import Path

from bench.behaviour import CHUNKS, Behaviour
from bench.load.spec import Expected, Spec, write_requests
from bench.prompts import body, framed, texts
from bench.topologies.target import Target


def held(mesh: Target, folder: Path, behaviour: Behaviour, *, streamed: bool, connections: int, count: int, warm_up: int) -> Spec:
    """So many requests, after a warm-up and whatever is done before they begin."""
    requests = [framed(body(text, behaviour, streamed=streamed), mesh.keys[number % len(mesh.keys)]) for number, text in enumerate(texts())]
    return Spec(
        port=mesh.port,
        requests=str(write_requests(folder / "requests", requests)),
        expected=Expected(streamed=streamed, chunks=CHUNKS if streamed else 0),
        connections=connections,
        count=count,
        warm_up_count=warm_up,
        held=True,
        watched=dict(mesh.processes),
    )
