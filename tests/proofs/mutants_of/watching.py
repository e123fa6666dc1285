"""The guards of what operators are told: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

WATCHING: Mapping[str, Mutant] = {
    "watching/charges-are-counted": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/lifecycle.py",
        guard="            self._charges.count(entry)\n",
        instead="",
        test="tests/proofs/attacks/test_attack_metrics.py",
    ),
    "watching/faults-begin-at-zero": Mutant(
        file="gateway/llm_mesh_gateway/domain/outcomes.py",
        guard="for reason in OPERATOR_FAULTS:",
        instead="for reason in ():",
        test="tests/proofs/attacks/test_attack_metrics.py",
    ),
    "watching/breakers-begin-at-zero": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/lanes.py",
        guard="        self._show_zeros(key.endpoint)\n",
        instead="",
        test="tests/proofs/attacks/test_attack_metrics.py",
    ),
    "watching/breakers-of-other-processes": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/standing.py",
        guard="**await self._others.tripped()",
        instead="**{}",
        test="tests/adapter_openai/test_openai_adapter_checks.py",
    ),
    "watching/refused-credentials": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/checking.py",
        guard="response.result = adapter_pb2.CHECK_RESULT_REFUSED",
        instead="response.result = adapter_pb2.CHECK_RESULT_ANSWERED",
        test="tests/adapter_openai/test_openai_adapter_checks.py",
    ),
    "watching/a-check-has-a-limit": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/checking.py",
        guard="if not 0 < seconds <= _LONGEST:",
        instead="if False:",
        test="tests/adapter_openai/test_openai_adapter_checks.py",
    ),
    "watching/sessions-stay": Mutant(
        file="router/llm_mesh_router/domain/planner.py",
        guard="        if profile.session:\n",
        instead="        if False:\n",
        test="tests/router/test_router_affinity.py",
    ),
    "watching/sessions-of-domains-differ": Mutant(
        file="router/llm_mesh_router/domain/affinity.py",
        guard='f"{domain}\\0{session}\\0"',
        instead='f"{session}\\0"',
        test="tests/router/test_router_affinity.py",
    ),
    "watching/not-ready-before-models": Mutant(
        file="runtime/llm_mesh_runtime/health.py",
        guard="self._conditions.setdefault(condition, False)",
        instead="pass",
        test="tests/cli/test_cli_usable.py",
    ),
    "watching/what-was-not-asked": Mutant(
        file="cli/llm_mesh_cli/survey.py",
        guard="if name not in known and name not in without:",
        instead="if False:",
        test="tests/cli/test_cli_health.py",
    ),
    "watching/the-gateways-certificate": Mutant(
        file="cli/llm_mesh_cli/session.py",
        guard='self.settings.addresses.get(service) else "gateway"',
        instead="self.settings.addresses.get(service) else service",
        test="tests/cli/test_cli_health.py",
    ),
    "watching/certificates-end": Mutant(
        file="cli/llm_mesh_cli/surroundings.py",
        guard="if end <= now:",
        instead="if False:",
        test="tests/cli/test_cli_surroundings.py",
    ),
    "watching/clocks-differ": Mutant(
        file="cli/llm_mesh_cli/surroundings.py",
        guard="if abs(ahead) > _SKEW",
        instead="if False",
        test="tests/cli/test_cli_surroundings.py",
    ),
    "watching/disks-fill": Mutant(
        file="cli/llm_mesh_cli/surroundings.py",
        guard="if usage.free < _SCARCE:",
        instead="if False:",
        test="tests/cli/test_cli_surroundings.py",
    ),
}
