"""The guards of what executors and response transforms share: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

EXECUTING: Mapping[str, Mutant] = {
    "executing/one-branch-answers": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/execution.py",
        guard="        if self.committed:\n            raise OtherBranchCommittedError\n        self.committed = True\n",
        instead="        self.committed = True\n",
        test="tests/gateway/test_gateway_branches.py::test_of_two_branches_with_content_at_once_one_is_released",
    ),
    "executing/no-branch-outlives-its-request": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/execution.py",
        guard="            if self._tasks:\n                await self._end_branches()\n",
        instead="            pass\n",
        test="tests/gateway/test_gateway_branches.py::test_a_failure_that_nothing_may_follow_ends_the_other_branches",
    ),
    "executing/unknown-obligations-refuse": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/chain.py",
        guard='            raise obligation_not_supported(kind or "unknown")',
        instead="            continue",
        test="tests/gateway/test_gateway_obligations.py",
    ),
    "executing/obligations-in-their-order": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/chain.py",
        guard="in reversed(self._steps):",
        instead="in self._steps:",
        test="tests/gateway/test_gateway_obligations.py",
    ),
    "executing/obligations-of-the-version-before": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/chain.py",
        guard="    if obligations.screen_output:",
        instead="    if False:",
        test="tests/gateway/test_gateway_obligations.py",
    ),
    "executing/not-recorded": Mutant(
        file="gateway/llm_mesh_gateway/domain/transforms/chain.py",
        guard="            records = False",
        instead="            pass",
        test="tests/gateway/test_gateway_obligations.py",
    ),
}
