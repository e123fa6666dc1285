"""Several processes behind one port are one mesh (one case of each kind of the proof)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.proofs.proof import FIXED_SEED, Proof, rng_of
from tests.proofs.workers import Workers

PROOF = Workers()


@pytest.mark.parametrize("case", PROOF.cases(full=False))
def test_budgets_limits_and_bulkheads_hold_for_all_workers_together(standing: Callable[[Proof], Any], case: str) -> None:
    print(PROOF.show(standing(PROOF), case, rng_of(FIXED_SEED, case)))
