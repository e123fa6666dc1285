"""What a proof is: a claim, the cases that show it, and how one case is tried. `make check` tries a few, `make prove` all of them."""

from __future__ import annotations

import functools
import os
import random
import secrets
import zlib
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Protocol

FIXED_SEED = 20_261_120
FULL = "LLM_MESH_PROOF_FULL"
"""Set where tests that count cases try all of them."""
Measures = Mapping[str, float]


class Proof(Protocol):
    """One claim. A case's name is `group/…/number`; evidence is told per group."""

    name: str
    claim: str
    """In Markdown."""

    def cases(self, *, full: bool) -> Sequence[str]:
        """The names of the cases, each once."""
        ...

    def stand(self, folder: Path, cases: Sequence[str]) -> AbstractContextManager[Any]:
        """What the cases are tried on."""
        ...

    def show(self, stand: Any, case: str, rng: random.Random) -> Measures:
        """Try one case. An `AssertionError` refutes the claim; what is measured goes to the evidence."""
        ...


def count(few: int, many: int) -> int:
    """How many cases a test tries: few in `make check`, many in `make prove`."""
    return many if os.environ.get(FULL) else few


def seeds() -> list[int]:
    """A seed that is always the same and one that never is; tests carry it in their names, so that a failure tells it."""
    return [FIXED_SEED, _random_seed()]


@functools.cache
def _random_seed() -> int:
    """One for all processes of a parallel run: each of them must collect tests of the same names."""
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID")
    return zlib.crc32(run.encode()) if run else secrets.randbelow(10**9)


def rng_of(seed: int, case: str) -> random.Random:
    """The same choices for the same seed and case, whichever cases were tried before."""
    return random.Random(f"{seed}/{case}")  # noqa: S311 (choices of a test)


def group_of(case: str) -> str:
    """What a case is a repetition of."""
    return case.rpartition("/")[0]


def words(rng: random.Random, count: int) -> str:
    """Short words, one token each."""
    return " ".join("".join(rng.choices("abcdefghijklmnopqrstuvwxyz", k=5)) for _ in range(count))
