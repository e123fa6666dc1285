"""Nobody gets beyond what the platform set about a domain, whatever its administrators do, in random sequences."""

from __future__ import annotations

import random
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

from tests.policy.floor_runs import check_nothing_is_vacuous, run_all
from tests.proofs.proof import Measures

_SEQUENCES = 1_000
"""Of one case."""


class Floors:
    """The claim."""

    name = "floors"
    claim = (
        "Whatever administrators of domains do, in 100,000 random sequences, nobody gets beyond what the platform set about their domain, "
        "and nothing of another domain changes: held against an oracle that was written from the documentation. A case is 1,000 sequences."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """A hundred of them, or one."""
        return [f"1,000 sequences/{number:03}" for number in range(100 if full else 1)]

    def stand(self, folder: Path, cases: Sequence[str]) -> AbstractContextManager[None]:
        """Nothing: the sequences run through the domain layer, with stores in memory."""
        del folder, cases
        return nullcontext()

    def show(self, stand: None, case: str, rng: random.Random) -> Measures:
        """Run its sequences."""
        del stand, case
        outcomes = run_all(rng.getrandbits(64), range(_SEQUENCES))
        check_nothing_is_vacuous(outcomes, _SEQUENCES)
        return {}
