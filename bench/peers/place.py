"""Where peers are installed, and what a missing one is called."""

from __future__ import annotations

from pathlib import Path

from bench.topologies.target import AbsentError

PLACE = Path(".bench/peers")


def installed(peer: str, *parts: str) -> Path:
    """A file of a peer's environment."""
    place = PLACE.absolute().joinpath(peer, *parts)
    if not place.exists():
        raise AbsentError(f"{peer} is not installed: `make bench-peers`")
    return place
