"""The guards of what `Reserve` checks again, and budgets of domains: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

RESERVING: Mapping[str, Mutant] = {
    "reserve/price-of-that-model": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="""if tariff is None or not attempt.price.startswith(attempt.model + "/prices/"):""",
        instead="if tariff is None:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/currency": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="if tariff.currency != terms.currency:",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/region": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="if regions and offer.region not in regions:",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/region-is-the-registrys": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="""if attempt.region not in {"", offer.region}:""",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/models-of-project-and-key": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="if lists and not all(",
        instead="if False and not all(",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/endpoints": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="if endpoints and f",
        instead="if False and f",
        test="tests/policy/test_reserve_guards.py",
    ),
    "router/models-of-project-and-key": Mutant(
        file="router/llm_mesh_router/domain/eligibility.py",
        guard="if not all(is_named(listed.patterns",
        instead="if False and not all(is_named(listed.patterns",
        test="tests/router/test_router_planning.py",
    ),
    "ledger/budget-of-a-domain": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/amounts.py",
        guard="MONEY: sum(line.reserved for line in lines if pays(line.payer, domain))",
        instead="MONEY: 0",
        test="tests/policy/test_platform_limits.py",
    ),
    "ledger/limit-of-each-domain": Mutant(
        file="policy/llm_mesh_policy/ledger/store/limits.py",
        guard="            each_domain.put_limit(connection, desired, now, self._domains(connection))",
        instead="            pass",
        test="tests/policy/test_platform_limits.py",
    ),
    "ledger/limit-of-each-new-domain": Mutant(
        file="policy/llm_mesh_policy/ledger/store/each_domain.py",
        guard="for meter in _select(connection, meters.c.subject == EACH_DOMAIN):",
        instead="for meter in ():",
        test="tests/policy/test_platform_limits.py",
    ),
}
