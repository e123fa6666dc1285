"""The guards of repetitions and of what a failure says: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

FAILURES: Mapping[str, Mutant] = {
    "failures/repetitions-are-counted": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/repeating.py",
        guard="spent.repetitions >= bounds.repetitions",
        instead="False",
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/a-wait-ends-before-the-deadline": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/repeating.py",
        guard="latest = min(latest, remaining - _ROOM)",
        instead="pass",
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/a-used-up-quota-is-not-repeated": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/repeating.py",
        guard=' and failure.metadata.get("quota") != "exhausted"',
        instead="",
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/repetitions-take-from-the-budget": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/retries.py",
        guard="if not delays or not self._budget.take():",
        instead="if not delays:",
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/repetitions-are-paid-for": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/retries.py",
        guard="        if not await self._extend(again):\n            return None\n",
        instead="        await self._extend(again)\n",
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/a-bad-answer-costs-nothing": Mutant(
        file="gateway/llm_mesh_gateway/domain/failures.py",
        guard='"PROVIDER_MALFORMED"): _ANSWERED',
        instead='"PROVIDER_MALFORMED"): _BROKEN',
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/a-failure-tells-its-charge": Mutant(
        file="gateway/llm_mesh_gateway/domain/charge.py",
        guard='failure.details = b""',
        instead="pass",
        test="tests/gateway/test_gateway_repeating.py",
    ),
    "failures/status-outranks-words": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/failures.py",
        guard="worded if worded in _OPEN.get(status, ()) else",
        instead="worded or",
        test="tests/adapter_kit/test_kit_failures.py",
    ),
    "failures/sdks-repeat-what-cost-nothing": Mutant(
        file="edge/llm_mesh_edge/domain/failures.py",
        guard="(free and passing)",
        instead="passing",
        test="tests/edge/test_edge_sdk.py",
    ),
}
