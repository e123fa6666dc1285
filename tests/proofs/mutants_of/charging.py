"""The guards of what an answer costs: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

CHARGING: Mapping[str, Mutant] = {
    "money/hidden-output-costs": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/unfinished.py",
        guard="hidden = max(0, min(produced(line, report.duration_us, speed), most) - visible)",
        instead="hidden = 0",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/whole-answers-hide-all": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/unfinished.py",
        guard="if line.hides_output or not report.streamed:",
        instead="if line.hides_output:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/hidden-output-at-its-dearest": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/unfinished.py",
        guard="    _put_in_dearest(usage, line, hidden)\n    return usage",
        instead="    return usage",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/estimates-round-up": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/settlement.py",
        guard="line.rates.charge_up(usage)",
        instead="line.rates.charge(usage)",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/strict-charging": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/settlement.py",
        guard="    if line.strict:",
        instead="    if False:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/slow-readers": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/speeds.py",
        guard="elif not streamed:",
        instead="else:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/truth-replaces-estimates": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/endings.py",
        guard="if not reservation.awaits(request.lines):",
        instead="if True:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/later-budgets-follow-corrections": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/reservation.py",
        guard="        if joined:\n",
        instead="        if False:\n",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/reconciliation-is-possible": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/settlement.py",
        guard="if wrong is not None:",
        instead="if False:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/impossible-usage": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/settlement.py",
        guard="if impossible(line, usage) is not None:",
        instead="if False:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/overruns-close-budgets": Mutant(
        file="policy/llm_mesh_policy/ledger/store/ledger.py",
        guard="if not charged.entry.overrun:",
        instead="if True:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/closed-budgets-refuse": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/meters.py",
        guard="(amount > meter.left or meter.closed)",
        instead="amount > meter.left",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/worst-case-in-64-bits": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="if worst > MAX_AMOUNT:",
        instead="if False:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/worst-case-of-all-attempts": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="    if len(lines) > 1:\n",
        instead="    if False:\n",
        test="tests/policy/test_ledger_closing.py",
    ),
}
