"""A mesh that is killed under load loses no request and makes none up (two kills of the proof)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proofs.killed import Killed
from tests.proofs.killed_methods import KilledMethods
from tests.proofs.proof import Proof, rng_of, seeds

PROOFS: tuple[Proof, ...] = (Killed(), KilledMethods())


@pytest.mark.parametrize("seed", seeds(), ids="seed-{}".format)
@pytest.mark.parametrize("proof", PROOFS, ids=lambda proof: proof.name)
def test_a_killed_mesh_knows_every_request_that_reached_the_provider(standing: Callable[[Proof], Any], proof: Proof, seed: int) -> None:
    ground = standing(proof)
    for case in proof.cases(full=False):
        print(f"seed {seed}: {case}")
        print(proof.show(ground, case, rng_of(seed, case)))
