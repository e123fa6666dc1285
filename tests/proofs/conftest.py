"""Each proof, as a fixture of the few cases that `make check` tries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.proofs.proof import Proof


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Proof], Any]]:
    """The stand of a proof with its few cases; made once per file."""
    with ExitStack() as stack:
        made: dict[str, Any] = {}

        def of(proof: Proof) -> Any:
            if proof.name not in made:
                folder: Path = tmp_path_factory.mktemp(proof.name)
                made[proof.name] = stack.enter_context(proof.stand(folder, proof.cases(full=False)))
            return made[proof.name]

        yield of
