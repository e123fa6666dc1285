"""Tells the router how attempts went: in batches, in the background, and losing what it cannot take.

A report only sharpens the ranking of later plans, so it never makes a request wait or fail.
"""

from __future__ import annotations

from llm_mesh.router.v1 import router_pb2
from llm_mesh_gateway.domain.failures import OPERATOR_FAULTS
from llm_mesh_gateway.domain.ports import RoutePlanner
from llm_mesh_gateway.domain.record import AttemptRecord
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.log import get_logger
from llm_mesh_runtime.refresh import repeat
from llm_mesh_runtime.tasks import TaskSet
from llm_mesh_runtime.telemetry.metrics import Counter

_MOST = 1000


class Outcomes:
    """Collects results, oldest lost first."""

    def __init__(self, router: RoutePlanner, attempts: Counter, faults: Counter, *, every: float = 0.5) -> None:
        self._router = router
        self._attempts = attempts
        self._faults = faults
        for reason in OPERATOR_FAULTS:
            faults.labels(reason)  # from 0 on: what is first seen at 1 has not increased, by Prometheus' reckoning
        self._every = every
        self._waiting = router_pb2.ReportOutcomesRequest()
        self._tasks = TaskSet()

    def note(self, record: AttemptRecord, decision_id: str, domain: str) -> None:
        """Count it, and report it with the next batch."""
        self._attempts.labels(record.adapter, record.reason).inc()
        if record.reason in OPERATOR_FAULTS:
            self._faults.labels(record.reason).inc()
        waiting = self._waiting.results
        if len(waiting) >= _MOST:
            del waiting[0]
        record.tell(waiting.add(), decision_id, domain)

    def refused(self, failure: MeshError) -> None:
        """A request that could not be paid for: count it where that is the operator's fault."""
        if failure.reason_name in OPERATOR_FAULTS:
            self._faults.labels(failure.reason_name).inc()

    async def start(self) -> None:
        """Begin to report."""
        self._tasks.spawn(self._report_for_ever(), name="report outcomes")

    async def close(self) -> None:
        """Stop; what still waits is lost."""
        await self._tasks.close()

    async def _report_for_ever(self) -> None:
        await repeat(self.flush, self._every, delay=self._every)

    async def flush(self) -> None:
        """Report what waits."""
        batch = self._waiting
        if not batch.results:
            return
        self._waiting = router_pb2.ReportOutcomesRequest()
        try:
            await self._router.report(batch)
        except MeshError as failure:
            get_logger().debug("outcomes are lost", count=len(batch.results), reason=failure.reason_name)
