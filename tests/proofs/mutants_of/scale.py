"""The guards of many tenants and many resources: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

SCALE: Mapping[str, Mutant] = {
    "scale/size-of-apply-policy": Mutant(
        file="policy/llm_mesh_policy/rules/domain/applying.py",
        guard="    if total > MOST_ENTRIES:",
        instead="    if False:",
        test="tests/policy/test_many_changes.py::test_more_than_so_many_entries_are_to_be_split",
    ),
    "scale/budgets-and-limits-of-apply-policy": Mutant(
        file="policy/llm_mesh_policy/rules/domain/applying.py",
        guard="    if money > MOST_MONEY:",
        instead="    if False:",
        test="tests/policy/test_many_changes.py::test_budgets_and_limits_are_fewer",
    ),
    "scale/size-of-apply-models": Mutant(
        file="registry/llm_mesh_registry/domain/registry.py",
        guard="    if total > MOST_ENTRIES:",
        instead="    if False:",
        test="tests/proofs/attacks/test_attack_quotas.py::test_one_call_takes_500_and_no_more",
    ),
    "scale/size-of-apply-routes": Mutant(
        file="router/llm_mesh_router/domain/table.py",
        guard="        if len(routes) > MOST_ENTRIES:",
        instead="        if False:",
        test="tests/proofs/attacks/test_attack_quotas.py::test_one_call_takes_500_and_no_more",
    ),
    "scale/size-of-apply-prompts": Mutant(
        file="catalogue/llm_mesh_catalogue/domain/catalogue.py",
        guard="        if len(request.prompts) > MOST_ENTRIES:",
        instead="        if False:",
        test="tests/proofs/attacks/test_attack_quotas.py::test_one_call_takes_500_and_no_more",
    ),
    "scale/quotas": Mutant(
        file="runtime/llm_mesh_runtime/resources/quotas.py",
        guard="        if count > limit:",
        instead="        if False:",
        test="tests/policy/test_many_changes.py::test_a_collection_that_is_full_takes_no_more_and_lets_others_grow",
    ),
    "scale/quota-of-keys": Mutant(
        file="policy/llm_mesh_policy/identity/store/transactions.py",
        guard='            self._quotas.check(f"domains/{key.domain}", "keys", self.connection.execute(live).scalar_one())',
        instead="            pass",
        test="tests/policy/test_many_changes.py::test_keys_that_are_revoked_make_room",
    ),
    "scale/bindings-of-a-principal": Mutant(
        file="policy/llm_mesh_policy/rules/domain/room.py",
        guard='    change.quotas.check(saved.principal, "principal_bindings", present)\n',
        instead="",
        test="tests/policy/test_many_changes.py::test_a_principal_may_have_so_many_bindings",
    ),
    "scale/rules-of-a-role": Mutant(
        file="policy/llm_mesh_policy/domain/checks.py",
        guard="    if rules > _MOST_RULES:",
        instead="    if False:",
        test="tests/policy/test_many_changes.py::test_a_role_may_have_so_many_rules",
    ),
    "scale/decided-by-another-revision": Mutant(
        file="policy/llm_mesh_policy/rules/domain/changes.py",
        guard="    if transaction.revision() != change.snapshot.revision:",
        instead="    if False:",
        test="tests/policy/test_many_changes.py::test_what_was_decided_by_an_older_revision_is_not_written",
    ),
    "scale/turns-by-domain": Mutant(
        file="runtime/llm_mesh_runtime/turns.py",
        guard="self._waiting.setdefault(owner, deque())",
        instead='self._waiting.setdefault("", deque())',
        test="tests/runtime/test_turns.py::test_owners_take_turns_however_many_one_of_them_wants",
    ),
    "scale/turn-of-one-who-left": Mutant(
        file="runtime/llm_mesh_runtime/turns.py",
        guard="            if place.done() and not place.cancelled():\n                self.give()\n",
        instead="",
        test="tests/runtime/test_turns.py::test_a_turn_that_was_given_to_somebody_who_leaves_goes_on",
    ),
    "scale/rules-of-another-thread": Mutant(
        file="policy/llm_mesh_policy/rules/domain/engine.py",
        guard="class Judge(threading.local):",
        instead="class Judge:",
        test="tests/policy/test_rules_decisions.py::test_threads_do_not_see_each_others_rules",
    ),
    "scale/decisions-after-a-change": Mutant(
        file="policy/llm_mesh_policy/rules/domain/rulebook.py",
        guard="for domain in touched - {EVERYWHERE}}}",
        instead="for domain in ()}}",
        test="tests/policy/test_rules_decisions.py::test_a_rulebook_that_was_changed_decides_as_a_fresh_one",
    ),
    "scale/rules-of-the-platform-hold-elsewhere": Mutant(
        file="policy/llm_mesh_policy/rules/domain/rulebook.py",
        guard="        if touched & {EVERYWHERE, PLATFORM}:",
        instead="        if False:",
        test="tests/policy/test_rules_decisions.py::test_a_rulebook_that_was_changed_decides_as_a_fresh_one",
    ),
    "scale/removals-that-are-forgotten": Mutant(
        file="policy/llm_mesh_policy/identity/store/transactions.py",
        guard=" or since < marks.get(FORGOTTEN, 0)",
        instead="",
        test="tests/policy/test_identity_store.py::test_whoever_is_behind_what_is_remembered_reads_everything",
    ),
    "scale/rows-without-a-revision": Mutant(
        file="policy/llm_mesh_policy/identity/store/transactions.py",
        guard=" or since < _untold(marks)",
        instead="",
        test="tests/policy/test_identity_store.py::test_what_a_build_of_the_release_before_writes_is_seen_too",
    ),
    "scale/watchdog-counts": Mutant(
        file="runtime/llm_mesh_runtime/watchdog.py",
        guard="        if length > self._slow:",
        instead="        if False:",
        test="tests/runtime/test_watchdog.py",
    ),
    "scale/watchdog-tells-the-machine-apart": Mutant(
        file="runtime/llm_mesh_runtime/watchdog.py",
        guard="Turn(length, min(length, thread),",
        instead="Turn(length, length,",
        test="tests/runtime/test_watchdog.py::test_time_that_is_slept_away_counts_for_the_wall_and_not_for_the_processor",
    ),
    "scale/aliases-in-slices": Mutant(
        file="router/llm_mesh_router/domain/router.py",
        guard="            if number % _AT_ONCE == 0:",
        instead="            if False:",
        test="tests/router/test_router_planning.py::test_thousands_of_aliases_are_listed_page_by_page_and_in_slices",
    ),
    "scale/pages-take-along-what-they-need": Mutant(
        file="cli/llm_mesh_cli/apply/pages.py",
        guard="        needed = [*_needs(entry, by_name), entry]",
        instead="        needed = [entry]",
        test="tests/cli/test_cli_apply_pages.py",
    ),
}
