"""The table of guards is true: each text stands where it says, each test exists, and a guard taken at random is missed."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest

from tests.proofs.evidence import ROOT
from tests.proofs.mutants import Mutants
from tests.proofs.mutants_of import MUTANTS, TOPICS
from tests.proofs.proof import FIXED_SEED, Proof, rng_of, seeds

PROOF = Mutants()


@pytest.mark.parametrize("guard", MUTANTS)
def test_the_guard_stands_where_the_table_says(guard: str) -> None:
    mutant = MUTANTS[guard]
    text = (ROOT / "services" / mutant.file).read_text(encoding="utf-8")
    assert text.count(mutant.guard) == 1
    assert mutant.instead != mutant.guard
    file, _, name = mutant.test.partition("::")
    assert name.partition("[")[0] in (ROOT / file).read_text(encoding="utf-8")


def test_a_guard_has_one_row() -> None:
    assert sum(map(len, TOPICS)) == len(MUTANTS)


@pytest.mark.parametrize("seed", seeds())
def test_a_guard_that_is_taken_out_is_missed(standing: Callable[[Proof], Any], seed: int) -> None:
    quick = [case for case in PROOF.cases(full=False) if "/attacks/" not in MUTANTS[case.rpartition("/")[0]].test]
    case = random.Random(seed).choice(quick)  # noqa: S311 (a choice of a test)
    PROOF.show(standing(PROOF), case, rng_of(FIXED_SEED, case))
