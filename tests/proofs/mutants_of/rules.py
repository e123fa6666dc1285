"""The guards of rules, consent to roles, and applying: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

RULES: Mapping[str, Mutant] = {
    "rules/escalation-by-binding": Mutant(
        file="policy/llm_mesh_policy/rules/domain/escalation.py",
        guard="if not change.snapshot.rules.covers(change.actor.principal, rule):",
        instead="if False:",
        test="tests/policy/test_rules_administration.py",
    ),
    "consent/pending": Mutant(
        file="policy/llm_mesh_policy/rules/domain/consent.py",
        guard="return ACTIVE if may_accept(change, binding.principal) else PENDING",
        instead="return ACTIVE",
        test="tests/policy/test_floor_sequences.py",
    ),
    "consent/ends-with-a-change": Mutant(
        file="policy/llm_mesh_policy/rules/domain/consent.py",
        guard="(before.principal, before.role, before.scope) == (binding.principal, binding.role, binding.scope)",
        instead="before.principal == binding.principal",
        test="tests/policy/test_consent.py",
    ),
    "consent/earlier-builds": Mutant(
        file="policy/llm_mesh_policy/rules/domain/consent.py",
        guard="return ACTIVE if domain_of(binding.name) == PLATFORM else PENDING",
        instead="return ACTIVE",
        test="tests/policy/test_consent.py",
    ),
    "consent/who-exists-elsewhere": Mutant(
        file="policy/llm_mesh_policy/rules/domain/access.py",
        guard="confirmed = not consent.is_foreign(saved) or consent.may_accept(change, saved.principal)",
        instead="confirmed = True",
        test="tests/policy/test_consent.py",
    ),
    "consent/of-the-named-principal": Mutant(
        file="policy/llm_mesh_policy/rules/domain/administration.py",
        guard="if binding is None or binding.principal != principal or not is_foreign(binding):",
        instead="if binding is None:",
        test="tests/policy/test_consent.py",
    ),
    "rules/foreign-grants-lock-nobody-out": Mutant(
        file="policy/llm_mesh_policy/rules/domain/escalation.py",
        guard="for binding in rules.bindings_of(principal) if domain_of(binding.name) in home",
        instead="for binding in rules.bindings_of(principal)",
        test="tests/policy/test_consent.py",
    ),
    "rules/revoking-is-guarded": Mutant(
        file="policy/llm_mesh_policy/identity/domain/keyring.py",
        guard="""            require_held(change, key.principal, name)
            revoked""",
        instead="            revoked",
        test="tests/policy/test_consent.py",
    ),
    "rules/deleting-a-binding-is-guarded": Mutant(
        file="policy/llm_mesh_policy/rules/domain/administration.py",
        guard="            require_covered(change, change.snapshot.rules.rules_of(gone), name)",
        instead="            pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/replacing-a-binding-is-guarded": Mutant(
        file="policy/llm_mesh_policy/rules/domain/access.py",
        guard="        require_covered(change, change.snapshot.rules.rules_of(before), saved.name)",
        instead="        pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/emptying-a-role-is-guarded": Mutant(
        file="policy/llm_mesh_policy/rules/domain/access.py",
        guard="for each in (before, saved):",
        instead="for each in (saved,):",
        test="tests/policy/test_consent.py",
    ),
    "rules/deleting-a-role-is-guarded": Mutant(
        file="policy/llm_mesh_policy/rules/domain/administration.py",
        guard="            require_role_covered(change, gone)",
        instead="            pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/explain-shows-what-may-be-listed": Mutant(
        file="policy/llm_mesh_policy/rules/domain/explaining.py",
        guard="""if self._may("bindings.list", f"{domain_of(binding.name)}/bindings")]""",
        instead="]",
        test="tests/policy/test_consent.py",
    ),
    "rules/explain-knows-only-own-principals": Mutant(
        file="policy/llm_mesh_policy/rules/domain/explaining.py",
        guard="""known = self._may("principals.list", f"{domain_of(request.principal)}/principals")""",
        instead="known = True",
        test="tests/policy/test_consent.py",
    ),
    "apply/budgets-need-their-right": Mutant(
        file="policy/llm_mesh_policy/rules/domain/applying.py",
        guard="change.require(_action_on(resource, masks), resource.name)",
        instead="pass",
        test="tests/policy/test_apply_policy.py",
    ),
    "apply/limits-need-their-right": Mutant(
        file="policy/llm_mesh_policy/rules/domain/applying.py",
        guard="""change.require("limits.put", resource.name)""",
        instead="pass",
        test="tests/policy/test_apply_policy.py",
    ),
}
