"""No attack may hold an event loop of the mesh up, whatever else its test looks at."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.proofs.stand import Stand
from tests.proofs.turns import none_too_long


@pytest.fixture(autouse=True)
def no_turn_is_too_long(request: pytest.FixtureRequest) -> Iterator[None]:
    """Watches the module's own `mesh` during each of its tests."""
    if "mesh" not in request.fixturenames:
        yield
        return
    mesh: Stand = request.getfixturevalue("mesh")
    with none_too_long(mesh):
        yield
