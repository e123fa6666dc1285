"""What the pipeline tells about each call, where nobody listens: used until telemetry is set up, and in tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from llm_mesh_runtime.context import Frame
    from llm_mesh_runtime.pipeline import Method


class SilentObserver:
    """Sees everything and says nothing."""

    def begin(self, method: Method, frame: Frame) -> None:
        """A call begins."""

    def end(self, token: object, method: Method, code: str, seconds: float) -> None:
        """A call has ended."""


def silent(_service: str) -> SilentObserver:
    """An observer for any service."""
    return SilentObserver()
