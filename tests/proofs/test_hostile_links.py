"""Hostile and broken peers of the batched link (a few conversations of the proof)."""

from __future__ import annotations

import pytest

from tests.proofs.hostile_links import HostileLinks
from tests.proofs.proof import rng_of, seeds

PROOF = HostileLinks()


@pytest.mark.parametrize("seed", seeds(), ids="seed-{}".format)
@pytest.mark.parametrize("case", PROOF.cases(full=False))
def test_whatever_a_peer_says_ends_in_a_typed_fault_or_in_nothing(case: str, seed: int) -> None:
    measured = PROOF.show(None, case, rng_of(seed, case))
    assert measured["conversations"] > 0
