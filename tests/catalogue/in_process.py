"""The program of the catalogue's child processes, run in the test itself: for tests about what it answers, not about its limits."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh_catalogue.domain.program import Program


class InProcess:
    """Implements `Engine`."""

    def __init__(self) -> None:
        self._program = Program()
        self.calls: list[tuple[str, bytes]] = []

    async def run(self, owner: str, parts: Sequence[bytes]) -> list[bytes]:
        """The program's answer."""
        self.calls.append((owner, parts[0]))
        return self._program.answer(parts)
