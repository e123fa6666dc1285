"""Whatever administrators of domains do, one after the other: no right, limit or constraint exceeds what the platform set.

Random sequences run through the domain layer, each step after the check of its method's own right, and are compared with an oracle that
was written from the contracts. `make check` tries some, `make prove PROOF=floors` 100,000.
"""

from __future__ import annotations

import pytest

from tests.policy.floor_runs import check_nothing_is_vacuous, run_all
from tests.proofs.proof import seeds

_SEQUENCES = 60


@pytest.mark.parametrize("seed", seeds())
def test_no_sequence_of_administrators_exceeds_the_floor(seed: int) -> None:
    check_nothing_is_vacuous(run_all(seed, range(_SEQUENCES)), _SEQUENCES)
