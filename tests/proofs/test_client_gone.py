"""A client that goes away takes the provider's connection with it, and is settled (a few cases of the proof)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proofs.gone import few
from tests.proofs.proof import Proof, rng_of, seeds

PROOF = few()


@pytest.mark.parametrize("seed", seeds(), ids="seed-{}".format)
def test_a_client_that_leaves_is_followed_to_the_provider(standing: Callable[[Proof], Any], seed: int) -> None:
    stand = standing(PROOF)
    for case in PROOF.cases(full=False):
        print(f"seed {seed}: {case}")
        print(PROOF.show(stand, case, rng_of(seed, case)))
