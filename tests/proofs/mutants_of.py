"""The guards against the attacks: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    """Within `services/`."""
    guard: str
    """Text that stands in the file once."""
    instead: str
    """What takes its place."""
    test: str
    """The test that goes red, as pytest names it."""


MUTANTS: Mapping[str, Mutant] = {
    "rules/escalation-by-binding": Mutant(
        file="policy/llm_mesh_policy/domain/rules/escalation.py",
        guard="if not any(covers_rule(own, rule) for own in held):",
        instead="if False:",
        test="tests/policy/test_rules_administration.py",
    ),
    "floor/empty-intersection": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="return [value for value in first if value in second] or NOTHING",
        instead="return [value for value in first if value in second]",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/patterns-without-overlap": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="return list(dict.fromkeys(pattern for pattern in narrower if pattern)) or NOTHING",
        instead="return list(dict.fromkeys(pattern for pattern in narrower if pattern))",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/of-every-domain": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="(floors.get(floor_name(domain)), floors.get(EVERY_DOMAIN))",
        instead="(floors.get(floor_name(domain)), None)",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/retention": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="zero_retention=domain.zero_retention or floor.zero_retention,",
        instead="zero_retention=domain.zero_retention,",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/data-class": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="(domain.default_data_class or DEFAULT_DATA_CLASS, *floor.minimum_data_classes)",
        instead="(domain.default_data_class or DEFAULT_DATA_CLASS,)",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/classes-allowed": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="if floor.data_classes and not set(classes) <= set(floor.data_classes):",
        instead="if False:",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/output-tokens": Mutant(
        file="policy/llm_mesh_policy/domain/admission/admitting.py",
        guard="most = least(project.max_output_tokens or self._outputs.most, constraints.max_output_tokens)",
        instead="most = project.max_output_tokens or self._outputs.most",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/conflict-is-refused": Mutant(
        file="policy/llm_mesh_policy/domain/admission/admitting.py",
        guard="if held.conflicts:",
        instead="if False:",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/own-settings-beyond": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="    if setting:",
        instead="    if False:",
        test="tests/policy/test_floors.py",
    ),
    "floor/screening": Mutant(
        file="policy/llm_mesh_policy/domain/screening/rules.py",
        guard="actions = self._of_floor(domain)",
        instead="actions: Actions = {}",
        test="tests/policy/test_floors.py",
    ),
    "floor/apply-needs-the-right": Mutant(
        file="policy/llm_mesh_policy/domain/rules/applying.py",
        guard='change.require("floors.put", floor.name)',
        instead="pass",
        test="tests/policy/test_floors.py",
    ),
    "floor/only-the-platforms": Mutant(
        file="policy/llm_mesh_policy/domain/rules/flooring.py",
        guard="if place[0] != _PLATFORM_ID:",
        instead="if False:",
        test="tests/policy/test_floors.py",
    ),
    "consent/pending": Mutant(
        file="policy/llm_mesh_policy/domain/rules/consent.py",
        guard="return ACTIVE if may_accept(change, wanted.principal) else PENDING",
        instead="return ACTIVE",
        test="tests/policy/test_floor_sequences.py",
    ),
    "consent/ends-with-a-change": Mutant(
        file="policy/llm_mesh_policy/domain/rules/consent.py",
        guard="(before.principal, before.role, before.scope) == (wanted.principal, wanted.role, wanted.scope)",
        instead="before.principal == wanted.principal",
        test="tests/policy/test_consent.py",
    ),
    "consent/earlier-builds": Mutant(
        file="policy/llm_mesh_policy/domain/rules/consent.py",
        guard="return ACTIVE if domain_of(binding.name) == PLATFORM else PENDING",
        instead="return ACTIVE",
        test="tests/policy/test_consent.py",
    ),
    "consent/who-exists-elsewhere": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="told = not consent.is_foreign(saved) or consent.may_accept(change, saved.principal)",
        instead="told = True",
        test="tests/policy/test_consent.py",
    ),
    "consent/of-the-named-principal": Mutant(
        file="policy/llm_mesh_policy/domain/rules/administration.py",
        guard="if binding is None or binding.principal != principal or not is_foreign(binding):",
        instead="if binding is None:",
        test="tests/policy/test_consent.py",
    ),
    "rules/foreign-grants-lock-nobody-out": Mutant(
        file="policy/llm_mesh_policy/domain/rules/escalation.py",
        guard="for binding in rules.bindings_of(principal) if domain_of(binding.name) in home",
        instead="for binding in rules.bindings_of(principal)",
        test="tests/policy/test_consent.py",
    ),
    "rules/revoking-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/identity/keyring.py",
        guard="""            require_held(change, key.principal, name)
            revoked""",
        instead="            revoked",
        test="tests/policy/test_consent.py",
    ),
    "rules/deleting-a-binding-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/administration.py",
        guard="            require_covered(change, change.snapshot.rules.rules_of(gone), name)",
        instead="            pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/replacing-a-binding-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="        require_covered(change, change.snapshot.rules.rules_of(before), saved.name)",
        instead="        pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/emptying-a-role-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="for each in (before, saved):",
        instead="for each in (saved,):",
        test="tests/policy/test_consent.py",
    ),
    "rules/deleting-a-role-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/administration.py",
        guard="require_role_covered(change, ROLES.get(change.transaction, name))",
        instead="ROLES.get(change.transaction, name)",
        test="tests/policy/test_consent.py",
    ),
    "rules/explain-shows-what-may-be-listed": Mutant(
        file="policy/llm_mesh_policy/domain/rules/explaining.py",
        guard="""if self._may("bindings.list", f"{domain_of(binding.name)}/bindings")]""",
        instead="]",
        test="tests/policy/test_consent.py",
    ),
    "rules/explain-knows-only-own-principals": Mutant(
        file="policy/llm_mesh_policy/domain/rules/explaining.py",
        guard="""known = self._may("principals.list", f"{domain_of(request.principal)}/principals")""",
        instead="known = True",
        test="tests/policy/test_consent.py",
    ),
    "apply/budgets-need-their-right": Mutant(
        file="policy/llm_mesh_policy/domain/rules/applying.py",
        guard="""change.require("budgets.put", budget.name)""",
        instead="pass",
        test="tests/policy/test_apply_policy.py",
    ),
    "apply/limits-need-their-right": Mutant(
        file="policy/llm_mesh_policy/domain/rules/applying.py",
        guard="""change.require("limits.put", limit.name)""",
        instead="pass",
        test="tests/policy/test_apply_policy.py",
    ),
    "reserve/price-of-that-model": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="""if tariff is None or not attempt.price.startswith(attempt.model + "/prices/"):""",
        instead="if tariff is None:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/currency": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if tariff.currency != terms.currency:",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/region": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if regions and offer.region not in regions:",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/region-is-the-registrys": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="""if attempt.region not in {"", offer.region}:""",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/models-of-project-and-key": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if lists and not all(",
        instead="if False and not all(",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/endpoints": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if endpoints and f",
        instead="if False and f",
        test="tests/policy/test_reserve_guards.py",
    ),
    "router/models-of-project-and-key": Mutant(
        file="router/llm_mesh_router/domain/eligibility.py",
        guard="if not all(_named(listed.patterns",
        instead="if False and not all(_named(listed.patterns",
        test="tests/router/test_router_planning.py",
    ),
    "ledger/budget-of-a-domain": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/amounts.py",
        guard="MONEY: sum(line.reserved for line in lines if pays(line.payer, domain))",
        instead="MONEY: 0",
        test="tests/policy/test_platform_limits.py",
    ),
    "ledger/limit-of-each-domain": Mutant(
        file="policy/llm_mesh_policy/store/ledger_limits.py",
        guard="        ledger_each.spread(connection, wanted, now)",
        instead="        pass",
        test="tests/policy/test_platform_limits.py",
    ),
    "ledger/limit-of-each-new-domain": Mutant(
        file="policy/llm_mesh_policy/store/ledger_each.py",
        guard="for meter in _select(connection, meters.c.subject == EACH_DOMAIN):",
        instead="for meter in ():",
        test="tests/policy/test_platform_limits.py",
    ),
}
