"""A batch outlives the `kill -9` of its mesh (one kill of the proof)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.proofs.killed_batches import KilledBatches
from tests.proofs.proof import FIXED_SEED, Proof, rng_of


def test_each_line_of_a_batch_is_answered_and_charged_once_though_its_mesh_is_killed(standing: Callable[[Proof], Any]) -> None:
    proof = KilledBatches()
    ground = standing(proof)
    for case in proof.cases(full=False):
        print(proof.show(ground, case, rng_of(FIXED_SEED, case)))
