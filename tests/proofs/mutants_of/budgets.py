"""The guards of budgets, meters, references and bounds of money: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

BUDGETS: Mapping[str, Mutant] = {
    "money/projects-need-budgets": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/decisions.py",
        guard="if terms.budget_required and (",
        instead="if False and (",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/one-work-at-a-time-on-postgresql": Mutant(
        file="policy/llm_mesh_policy/ledger/store/ledger.py",
        guard="        _LOCK.first(connection)",
        instead="        pass",
        test="tests/policy/test_ledger_concurrency.py",
    ),
    "money/demanded-tags": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/decisions.py",
        guard="return None if missing is None else refusals.tag_required(*missing)",
        instead="return None",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/limits-keep-their-count": Mutant(
        file="policy/llm_mesh_policy/ledger/store/limits.py",
        guard="if before is not None and desired.same_counts(before):",
        instead="if False and before is not None:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/sums-saturate": Mutant(
        file="policy/llm_mesh_policy/ledger/store/limits.py",
        guard="return replace(meter, spent=saturated(spent), held=saturated(held))",
        instead="return replace(meter, spent=spent, held=held)",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/posted-sums-saturate": Mutant(
        file="policy/llm_mesh_policy/ledger/store/meter_rows.py",
        guard="CASE WHEN spent + v.column4 > {MAX_AMOUNT} THEN {MAX_AMOUNT} ELSE spent + v.column4 END",
        instead="spent + v.column4",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/stricter-figure": Mutant(
        file="policy/llm_mesh_policy/ledger/store/sums.py",
        guard="if compared.lacking:",
        instead="if False:",
        test="tests/policy/test_ledger_meter_check.py",
    ),
    "money/meters-are-compared": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/meter_check.py",
        guard="return (self.spent, self.held) == (self.meter.spent, self.meter.held)",
        instead="return True",
        test="tests/policy/test_ledger_meter_check.py",
    ),
    "money/unknown-references-fill-the-window": Mutant(
        file="router/llm_mesh_router/domain/references.py",
        guard="if self._unknown(profile) and self.window:",
        instead="if False:",
        test="tests/router/test_router_references.py",
    ),
    "money/strict-references": Mutant(
        file="router/llm_mesh_router/domain/references.py",
        guard="        if self.strict:\n",
        instead="        if False:\n",
        test="tests/router/test_router_references.py",
    ),
    "money/references-are-found": Mutant(
        file="gateway/llm_mesh_gateway/domain/profile.py",
        guard='elif not media.HasField("data"):',
        instead="elif False:",
        test="tests/gateway/test_gateway_references.py",
    ),
    "money/references-in-escapes": Mutant(
        file="gateway/llm_mesh_gateway/domain/references.py",
        guard="|\\\\u'",
        instead="'",
        test="tests/gateway/test_gateway_references.py",
    ),
    "money/early-usage-is-not-final": Mutant(
        file="gateway/llm_mesh_gateway/domain/tally.py",
        guard="if self._final and usage.output_tokens >= counted:",
        instead="if usage.output_tokens >= counted:",
        test="tests/gateway/test_gateway_references.py",
    ),
    "money/late-usage-that-cannot-be": Mutant(
        file="gateway/llm_mesh_gateway/domain/record.py",
        guard="        self._count_beside(self._usage)\n",
        instead="",
        test="tests/proofs/attacks/test_attack_late_usage.py::test_a_late_bill_that_cannot_be_costs_what_was_counted",
    ),
    "money/prices-are-bounded": Mutant(
        file="registry/llm_mesh_registry/domain/prices.py",
        guard="if not 0 <= getattr(rated, rate) <= MAX_PRICE:",
        instead="if getattr(rated, rate) < 0:",
        test="tests/registry/test_registry_bounds.py",
    ),
    "money/reports-saturate": Mutant(
        file="observability/llm_mesh_observability/store/projection.py",
        guard="saturated(figure, MAX_INT64)",
        instead="figure",
        test="tests/observability/test_observability_projection.py",
    ),
}
