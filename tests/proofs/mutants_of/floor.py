"""The guards of what no domain lifts: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

FLOOR: Mapping[str, Mutant] = {
    "floor/bounds-of-tokens": Mutant(
        file="registry/llm_mesh_registry/domain/facts.py",
        guard="    return fields | below(model, endpoint)",
        instead="    return fields",
        test="tests/registry/test_registry_endpoints.py",
    ),
    "floor/bounds-in-effect": Mutant(
        file="registry/llm_mesh_registry/domain/token_floors.py",
        guard="        setattr(model, bound, getattr(endpoint.token_floor, bound))",
        instead="        pass",
        test="tests/registry/test_registry_endpoints.py",
    ),
    "floor/hidden-output": Mutant(
        file="registry/llm_mesh_registry/domain/token_floors.py",
        guard="        model.capabilities.extend(each for each in endpoint.token_floor.hidden_output if each not in model.capabilities)",
        instead="        pass",
        test="tests/registry/test_registry_endpoints.py",
    ),
    "floor/bounds-of-own-models": Mutant(
        file="registry/llm_mesh_registry/store/rows.py",
        guard='    for field in ("price_floor", "token_floor"):',
        instead='    for field in ("price_floor",):',
        test="tests/registry/test_registry_endpoints.py",
    ),
    "floor/empty-intersection": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="return [value for value in first if value in second] or NOTHING",
        instead="return [value for value in first if value in second]",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/patterns-without-overlap": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="return list(dict.fromkeys(pattern for pattern in narrower if pattern)) or NOTHING",
        instead="return list(dict.fromkeys(pattern for pattern in narrower if pattern))",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/of-every-domain": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="(floors.get(floor_name(domain)), floors.get(EVERY_DOMAIN))",
        instead="(floors.get(floor_name(domain)), None)",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/retention": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="zero_retention=domain.zero_retention or floor.zero_retention,",
        instead="zero_retention=domain.zero_retention,",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/data-class": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="(domain.default_data_class or DEFAULT_DATA_CLASS, *floor.minimum_data_classes)",
        instead="(domain.default_data_class or DEFAULT_DATA_CLASS,)",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/classes-allowed": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="if floor.data_classes and not set(classes) <= set(floor.data_classes):",
        instead="if False:",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/output-tokens": Mutant(
        file="policy/llm_mesh_policy/admission/domain/admitting.py",
        guard="most = least(project.max_output_tokens or self._outputs.most, constraints.max_output_tokens)",
        instead="most = project.max_output_tokens or self._outputs.most",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/conflict-is-refused": Mutant(
        file="policy/llm_mesh_policy/admission/domain/admitting.py",
        guard="if held.conflicts:",
        instead="if False:",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/own-settings-beyond": Mutant(
        file="policy/llm_mesh_policy/rules/domain/access.py",
        guard="    if setting:",
        instead="    if False:",
        test="tests/policy/test_floors.py",
    ),
    "floor/screening": Mutant(
        file="policy/llm_mesh_policy/screening/domain/rules.py",
        guard="actions = self._of_floor(domain)",
        instead="actions: Actions = {}",
        test="tests/policy/test_floors.py",
    ),
    "floor/apply-needs-the-right": Mutant(
        file="policy/llm_mesh_policy/rules/domain/applying.py",
        guard='change.require("floors.put", floor.name)',
        instead="pass",
        test="tests/policy/test_floors.py",
    ),
    "floor/only-the-platforms": Mutant(
        file="policy/llm_mesh_policy/rules/domain/flooring.py",
        guard="if place[0] != _PLATFORM_ID:",
        instead="if False:",
        test="tests/policy/test_floors.py",
    ),
}
