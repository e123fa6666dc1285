"""The guards of templates and schemas of tenants: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

TEMPLATES: Mapping[str, Mutant] = {
    "confined/cpu": Mutant(
        file="runtime/llm_mesh_runtime/confined/zygote.py",
        guard="        signal.setitimer(signal.ITIMER_PROF, limits.cpu)  # its signal ends the process, whatever is running\n",
        instead="",
        test="tests/runtime/test_confined.py",
    ),
    "confined/memory": Mutant(
        file="runtime/llm_mesh_runtime/confined/zygote.py",
        guard="        bounds.append((resource.RLIMIT_AS, size + limits.memory))",
        instead="        pass",
        test="tests/runtime/test_confined.py",
    ),
    "confined/files": Mutant(
        file="runtime/llm_mesh_runtime/confined/zygote.py",
        guard=", (resource.RLIMIT_NOFILE, 0)]",
        instead="]",
        test="tests/runtime/test_confined.py",
    ),
    "confined/time": Mutant(
        file="runtime/llm_mesh_runtime/confined/children.py",
        guard="async with asyncio.timeout(self._zygote.limits.wall):",
        instead="async with asyncio.timeout(None):",
        test="tests/runtime/test_confined.py",
    ),
    "confined/environment": Mutant(
        file="runtime/llm_mesh_runtime/confined/children.py",
        guard='        env={"PYTHONPATH"',
        instead='        env={**os.environ, "PYTHONPATH"',
        test="tests/runtime/test_confined.py",
    ),
    "confined/priority": Mutant(
        file="runtime/llm_mesh_runtime/confined/zygote.py",
        guard="        os.nice(_NICENESS)",
        instead="        pass",
        test="tests/runtime/test_confined.py",
    ),
    "confined/one-child-for-others": Mutant(
        file="runtime/llm_mesh_runtime/confined/pool.py",
        guard="self._share = max(1, processes - 1)",
        instead="self._share = processes",
        test="tests/runtime/test_confined.py",
    ),
    "confined/queue-of-an-owner": Mutant(
        file="runtime/llm_mesh_runtime/confined/pool.py",
        guard="if len(queue) >= self._most_waiting:",
        instead="if False:",
        test="tests/runtime/test_confined.py",
    ),
    "confined/least-first": Mutant(
        file="runtime/llm_mesh_runtime/confined/pool.py",
        guard="min(ready, key=self._spent.of)",
        instead="ready[0]",
        test="tests/runtime/test_confined.py",
    ),
    "confined/spoilt-children": Mutant(
        file="runtime/llm_mesh_runtime/confined/pool.py",
        guard="if child is not None and child.usable:",
        instead="if child is not None:",
        test="tests/runtime/test_confined.py",
    ),
    "schemas/expansion": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/schemas.py",
        guard="if size > MOST_EXPANDED:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
    "schemas/circles": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/schemas.py",
        guard="        self._check_loops()\n",
        instead="",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
    "schemas/count": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/schemas.py",
        guard="if count >= MOST_SUBSCHEMAS:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
    "schemas/keywords": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/schemas.py",
        guard="if keyword in _REFUSED:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
    "schemas/references": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/schemas.py",
        guard="if reference is not None and _name_of(reference) is None:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_schemas.py",
    ),
    "templates/long-tags": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/language.py",
        guard="if len(tokens) > _MOST_TOKENS:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "templates/branches": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/language.py",
        guard="if branches > _MOST_BRANCHES:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "templates/calls": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/language.py",
        guard='if before != _Token("name", "range") or _is_attribute(tokens, index - 1):',
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "templates/filters": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/language.py",
        guard="if following.text not in FILTERS:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "templates/statements": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/language.py",
        guard="if word not in _TAGS:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "templates/steps": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/engine.py",
        guard="            fuel=FUEL,\n",
        instead="",
        test="tests/catalogue/test_catalogue_language.py::test_the_engine_counts_steps_and_output",
    ),
    "templates/output": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/engine.py",
        guard="if sum(map(len, texts)) > LARGEST_OUTPUT:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "templates/no-methods": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/engine.py",
        guard="if name in _HIDDEN_OF_LISTS:",
        instead="if False:",
        test="tests/catalogue/test_catalogue_language.py",
    ),
    "engine/size-of-a-prompt": Mutant(
        file="adapters/engine/llm_mesh_adapter_engine/provider/template_program.py",
        guard="            if size > most:",
        instead="            if False:",
        test="tests/adapter_engine/test_engine_hostile_templates.py",
    ),
    "engine/trial-of-a-tokenizer": Mutant(
        file="adapters/engine/llm_mesh_adapter_engine/provider/models.py",
        guard="            await trial.check(name, made.vocabulary)",
        instead="            pass",
        test="tests/adapter_engine/test_engine_hostile_tokenizers.py",
    ),
    "engine/panics": Mutant(
        file="adapters/engine/llm_mesh_adapter_engine/provider/tokenizers.py",
        guard=' and type(error).__name__ != "PanicException"',
        instead="",
        test="tests/adapter_engine/test_engine_hostile_tokenizers.py",
    ),
    "router/reporters-of-a-cache": Mutant(
        file="router/llm_mesh_router/domain/loads.py",
        guard="key = (change.adapter, change.endpoint, change.reporter, change.rank)",
        instead='key = (change.adapter, change.endpoint, "", change.rank)',
        test="tests/router/test_router_loads.py",
    ),
}
