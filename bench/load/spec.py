"""What one run of the generator is told, as a JSON file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Expected:
    """What a good answer is."""

    streamed: bool = False
    chunks: int = 0
    """Content events of a stream; 0 where it is not streamed."""
    regrouped: bool = False
    """The text comes in other pieces than the upstream's, as screening releases it: the whole text is checked, of every stream."""
    tokens: int = 260
    """What the answer's usage must say in total; 0 where the target does not tell."""
    tool_loop: bool = False
    """Every first of two answers asks for a tool."""
    refusals: tuple[int, ...] = ()
    """Statuses that are no failure, but measured apart."""


@dataclass(frozen=True, slots=True)
class Spec:
    """One run."""

    port: int
    requests: str
    """A file with whole HTTP requests, each preceded by its length in a line of its own; they are taken in turn."""
    host: str = "127.0.0.1"
    expected: Expected = field(default_factory=Expected)
    connections: int = 64
    """Closed loop: so many in flight. Open loop: at most so many."""
    rate: float = 0.0
    """Open loop, requests per second; 0: closed loop."""
    arrivals: tuple[tuple[float, int], ...] = ()
    """Open loop by a trace: second of arrival and place in the requests file."""
    seconds: float = 4.0
    count: int = 0
    """Closed loop: exactly so many requests instead of seconds, from idle to idle."""
    warm_up: float = 1.0
    stagger: float = 0.0
    """Closed loop over seconds: connections begin at random moments of so many seconds, the same in each run; 0: all at once."""
    warm_up_count: int = 0
    held: bool = False
    """Waits for a line of its input after the warm-up; needs `count`."""
    pace: float = 0.0
    """Milliseconds between the chunks as the upstream sends them: jitter is measured against it."""
    cancelled: float = 0.0
    """Share of streams that the client leaves after the first chunk, closing the connection."""
    fresh: bool = False
    """A new connection for each request, its making included in the latency."""
    watched: dict[str, tuple[int, ...]] = field(default_factory=dict)
    """Processes whose CPU is read when measuring begins and ends, by name."""

    def write(self, path: Path) -> Path:
        """To a file."""
        path.write_text(json.dumps(asdict(self)))
        return path


def read(path: Path) -> Spec:
    """From a file."""
    document = json.loads(path.read_text())
    document["expected"] = Expected(**document["expected"] | {"refusals": tuple(document["expected"]["refusals"])})
    document["arrivals"] = tuple((when, which) for when, which in document["arrivals"])
    document["watched"] = {name: tuple(pids) for name, pids in document["watched"].items()}
    return Spec(**document)


def write_requests(path: Path, requests: list[bytes]) -> Path:
    """A file of requests."""
    path.write_bytes(b"".join(b"%d\n" % len(request) + request for request in requests))
    return path


def read_requests(path: Path) -> list[bytes]:
    """The requests of a file."""
    data, requests, at = path.read_bytes(), [], 0
    while at < len(data):
        end = data.index(b"\n", at)
        begun, at = end + 1, end + 1 + int(data[at:end])
        requests.append(data[begun:at])
    return requests
