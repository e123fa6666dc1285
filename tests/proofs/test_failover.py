"""A provider that fails before content is passed over; one that fails after it ends the answer (a few cases of the proof)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proofs.failover import Failover
from tests.proofs.proof import Proof, rng_of, seeds

PROOF = Failover()


@pytest.mark.parametrize("seed", seeds(), ids="seed-{}".format)
def test_a_provider_that_fails_is_passed_over_or_ends_the_answer(standing: Callable[[Proof], Any], seed: int) -> None:
    stand = standing(PROOF)
    for case in PROOF.cases(full=False):
        print(f"seed {seed}: {case}")
        PROOF.show(stand, case, rng_of(seed, case))
