"""Bifrost: its npm package holds no gateway, only a program that downloads one from its vendor's host."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path

from bench.topologies.target import AbsentError, Target


def serving(folder: Path, upstream_port: int) -> AbstractContextManager[Target]:
    """Never, until a registry has it."""
    del folder, upstream_port
    raise AbsentError(
        "its package in the npm registry only downloads a program from the vendor's host, and no registry has one; no claim about it"
    )
