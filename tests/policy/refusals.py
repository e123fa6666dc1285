"""What the tests of policy expect of a refusal."""

from __future__ import annotations

from collections.abc import Awaitable

import pytest

from llm_mesh_runtime.errors import MeshError


async def refusal(asking: Awaitable[object]) -> MeshError:
    """The error of something that must not succeed."""
    with pytest.raises(MeshError) as refused:
        await asking
    return refused.value
