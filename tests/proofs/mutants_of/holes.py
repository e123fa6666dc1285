"""The guards of prices, tails, records of changes, and of what a service holds and charges at its end."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_NEIGHBOURS = "tests/proofs/attacks/test_attack_neighbours.py"

HOLES: Mapping[str, Mutant] = {
    "projects/answers-are-kept-by-word": Mutant(
        file="runtime/llm_mesh_runtime/resources/guards.py",
        guard='    "llm_mesh.policy.v1.Project.keep_answers": off,',
        instead="",
        test="tests/cli/test_cli_nouns.py",
    ),
    "prices/each-rate-has-its-floor": Mutant(
        file="registry/llm_mesh_registry/domain/facts.py",
        guard="    low = exceeds(floor, price)\n",
        instead="    low = exceeds(floor, price)\n    low = None if low is not None and low.rate.startswith('cached') else low\n",
        test="tests/registry/test_registry_endpoints.py::test_each_rate_is_at_least_what_the_operator_declares_or_charges",
    ),
    "prices/the-operators-own-rates-are-floors": Mutant(
        file="registry/llm_mesh_registry/domain/facts.py",
        guard="        _put(floor, component, min(figure(price, component) for price in priced))",
        instead='        _put(floor, component, 0 if component.rate[0] in "car" else min(figure(price, component) for price in priced))',
        test="tests/registry/test_registry_endpoints.py::test_each_rate_is_at_least_what_the_operator_declares_or_charges",
    ),
    "prices/a-lower-floor-loosens": Mutant(
        file="runtime/llm_mesh_runtime/resources/guards.py",
        guard="    return exceeds(before, after) is not None",
        instead="    return after.input_nanos_per_million < before.input_nanos_per_million",
        test="tests/runtime/test_guards.py",
    ),
    "tails/others-are-no-loss": Mutant(
        file="observability/llm_mesh_observability/domain/observatory.py",
        guard="lost, at = await self._store.skip(scope, at, _MOST_BEHIND)",
        instead="lost, at = reached - at - _MOST_BEHIND, reached - _MOST_BEHIND",
        test="tests/observability/test_observability_tails.py::test_a_tail_that_resumes_behind_what_others_did_loses_nothing",
    ),
    "tails/others-push-nothing-out": Mutant(
        file="observability/llm_mesh_observability/domain/feed.py",
        guard="                if key in self._since:",
        instead="                for key in self._since:",
        test="tests/observability/test_observability_tails.py::test_a_tail_that_others_leave_behind_loses_nothing_and_reads_no_store",
    ),
    "tails/tokens-tell-nothing": Mutant(
        file="observability/llm_mesh_observability/domain/resume_tokens.py",
        guard='        mask = hmac.digest(self._mask_key, chance, "sha256")',
        instead="        mask = bytes(_PART)",
        test="tests/observability/test_observability_tails.py::test_a_token_tells_nothing_of_its_position_and_none_can_be_made_up",
    ),
    "tails/tokens-differ-always": Mutant(
        file="observability/llm_mesh_observability/domain/resume_tokens.py",
        guard="secrets.token_bytes(_PART)",
        instead="self._proof(b'', plain)",
        test=f"{_NEIGHBOURS}::test_no_position_tells_a_tenant_what_others_do",
    ),
    "spend/positions-for-those-who-see-all": Mutant(
        file="observability/llm_mesh_observability/domain/observatory.py",
        guard="through if scope == queries.Scope() else 0",
        instead="through",
        test=f"{_NEIGHBOURS}::test_no_position_tells_a_tenant_what_others_do",
    ),
    "tails/tokens-are-proven": Mutant(
        file="observability/llm_mesh_observability/domain/resume_tokens.py",
        guard=" or not hmac.compare_digest(self._proof(chance, plain), proof)",
        instead="",
        test="tests/observability/test_observability_tails.py::test_a_token_tells_nothing_of_its_position_and_none_can_be_made_up",
    ),
    "audit/digests-of-policys-own-changes": Mutant(
        file="policy/llm_mesh_policy/rules/domain/changes.py",
        guard="        entry.before, entry.after = digest_of(before), digest_of(after)\n",
        instead="",
        test="tests/policy/test_change_digests.py",
    ),
    "audit/digests-of-budgets-and-limits": Mutant(
        file="policy/llm_mesh_policy/ledger/store/limits.py",
        guard="            audit.before, audit.after = digest_of(self._set_of(before)), digest_of(self._set_of(meter))\n",
        instead="",
        test="tests/policy/test_change_digests.py",
    ),
    "audit/acceptances-by-themselves": Mutant(
        file="registry/llm_mesh_registry/store/accepting.py",
        guard='        notes.note(pair.subscription, None, present[pair.product], f"accepts {pair.product}", by=by, action=action)\n',
        instead="",
        test="tests/registry/test_registry_subscriptions.py",
    ),
    "audit/no-foreign-author": Mutant(
        file="registry/llm_mesh_registry/store/accepting.py",
        guard='(None, "") if subscription else (REGISTRY, ACCEPT)',
        instead='(None, "")',
        test="tests/registry/test_registry_subscriptions.py",
    ),
    "screening/groups-of-cards": Mutant(
        file="policy/llm_mesh_policy/screening/domain/patterns.py",
        guard='CARD = _CARD_IN_ANY_GROUPS + b"|" + PRINTED_CARD',
        instead="CARD = _CARD_IN_ANY_GROUPS",
        test="tests/policy/test_screening_reading.py::test_a_number_in_groups_is_found_whatever_stands_between_them",
    ),
    "screening/groups-of-accounts": Mutant(
        file="policy/llm_mesh_policy/screening/domain/patterns.py",
        guard='{11,30}|" + PRINTED_IBAN',
        instead='{11,30}"',
        test="tests/policy/test_screening_reading.py::test_a_number_in_groups_is_found_whatever_stands_between_them",
    ),
    "screening/groups-go-on-behind-narrow-ones": Mutant(
        file="policy/llm_mesh_policy/screening/domain/numbers.py",
        guard=" or _card(text, begin, _longer(_PRINTED_CARD, text, begin, end), lengths)",
        instead="",
        test="tests/policy/test_screening_reading.py::test_a_card_of_five_groups_is_found_whatever_stands_before_the_last",
    ),
    "screening/columns-of-years": Mutant(
        file="policy/llm_mesh_policy/screening/domain/numbers.py",
        guard="    if candidate.translate(None, _TIGHT) and digits[0] in",
        instead="    if False and digits[0] in",
        test="tests/policy/test_screening_reading.py::test_columns_lists_and_words_are_no_numbers",
    ),
    "screening/three-figures-are-nobodys-number": Mutant(
        file="policy/llm_mesh_policy/screening/domain/numbers.py",
        guard="if alike and stdnum_ssn",
        instead="if stdnum_ssn",
        test="tests/policy/test_screening_reading.py::test_columns_lists_and_words_are_no_numbers",
    ),
    "screening/lines-break-within-keys": Mutant(
        file="policy/llm_mesh_policy/screening/domain/patterns.py",
        guard=r'rb"(?:\1(?:\r?\n)?)\2"',
        instead=r'rb"\1\2"',
        test="tests/policy/test_screening_reading.py::test_a_key_is_found_wherever_its_line_breaks",
    ),
    "screening/words-are-no-keys": Mutant(
        file="policy/llm_mesh_policy/screening/domain/numbers.py",
        guard='if b"\\n" not in candidate or _has_digit(candidate) else 0',
        instead="",
        test="tests/policy/test_screening_reading.py::test_columns_lists_and_words_are_no_numbers",
    ),
    "late-usage/read-on": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/execution.py",
        guard="                    self.remainder = record.ending\n",
        instead="                    pass\n",
        test="tests/gateway/test_gateway_settlement.py",
    ),
    "late-usage/only-when-all-is-said": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/execution.py",
        guard="0 < self._awaits_usage_after <= record.ended_choices",
        instead="0 < self._awaits_usage_after",
        test="tests/gateway/test_gateway_settlement.py",
    ),
    "late-usage/bound-in-time": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/remainder.py",
        guard="asyncio.timeout(bounds.seconds)",
        instead="asyncio.timeout(None)",
        test="tests/gateway/test_gateway_settlement.py",
    ),
    "late-usage/bound-in-bytes": Mutant(
        file="gateway/llm_mesh_gateway/domain/execution/remainder.py",
        guard="            size -= sum(event.ByteSize() for event in piece.events)\n",
        instead="",
        test="tests/gateway/test_gateway_settlement.py",
    ),
    "doors/memory-is-given-back": Mutant(
        file="runtime/llm_mesh_runtime/host/listeners.py",
        guard="            del raw\n            self._reads.freed.give_back()\n",
        instead="            del raw\n",
        test="tests/proofs/attacks/test_attack_doors.py::test_large_messages_to_health_are_read_one_at_a_time",
    ),
    "doors/memory-is-given-back-in-one-go": Mutant(
        file="runtime/llm_mesh_runtime/memory_return.py",
        guard="if self._trim is not None and self._timer is None:",
        instead="if self._trim is not None:",
        test="tests/runtime/test_memory_return.py",
    ),
    "neighbours/many-tails-cost-as-few": Mutant(
        file="observability/llm_mesh_observability/domain/observatory.py",
        guard=' * max(1.0, self._open["" if party is None else party.domain] / _UNHURRIED)',
        instead="",
        test="tests/observability/test_observability_tails.py::test_all_tails_of_a_domain_have_as_many_messages_as_a_few",
    ),
    "shutdown/one-grace-for-all-processes": Mutant(
        file="runtime/llm_mesh_runtime/host/run.py",
        guard="host.mesh.grace.total_seconds() - (time.monotonic() - began))",
        instead="host.mesh.grace.total_seconds())",
        test="tests/runtime/test_run.py::test_what_companions_take_of_the_grace_is_not_taken_twice",
    ),
}
