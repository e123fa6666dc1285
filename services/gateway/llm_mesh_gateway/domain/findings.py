"""What screening found on the way of one request, for the ledger, the receipt and whoever is refused."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_figures.screened import screened_text
from llm_mesh_runtime.errors import MeshError


class Findings:
    """Sums what screening tells about an answer, by detector."""

    def __init__(self) -> None:
        self._counts: dict[str, usage_pb2.ScreeningCount] = {}

    @property
    def counts(self) -> Sequence[usage_pb2.ScreeningCount]:
        """One per detector."""
        return list(self._counts.values())

    def add(self, counts: Iterable[usage_pb2.ScreeningCount]) -> None:
        """Takes what was found since the last call."""
        for count in counts:
            sum_of = self._counts.get(count.detector)
            if sum_of is None:
                sum_of = self._counts[count.detector] = usage_pb2.ScreeningCount(detector=count.detector, direction=count.direction)
            sum_of.logged += count.logged
            sum_of.masked += count.masked
            sum_of.blocked += count.blocked


def tell_screened(failure: MeshError, counts: Sequence[usage_pb2.ScreeningCount]) -> None:
    """Adds to a failure what screening found until then."""
    if counts:
        failure.metadata["screened"] = screened_text(counts)
