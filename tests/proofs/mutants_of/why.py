"""The guards of what is said: of screening, of changes, of names that do not exist, of ports, of fields."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_RESERVE = "tests/policy/test_ledger_reserve_and_settle.py::"
WHY: Mapping[str, Mutant] = {
    "screening/a-refused-request-has-an-entry": Mutant(
        file="policy/llm_mesh_policy/admission/domain/admitting.py",
        guard="        await self._trail.refuse(unfunded, audit)",
        instead="        self._trail.write_soon(audit)",
        test="tests/policy/test_admission.py::test_a_refusal_is_in_the_audit_trail_before_it_is_told",
    ),
    "screening/a-refusal-says-what-was-found": Mutant(
        file="policy/llm_mesh_policy/admission/domain/admitting.py",
        guard='        refusal.metadata |= {"screened": screened_text(entry.screened), "reservation": entry.name}',
        instead="        pass",
        test="tests/policy/test_admission.py::test_a_refusal_says_what_was_found_and_names_its_entry",
    ),
    "screening/the-entry-has-what-was-found-in-the-request": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/reserving.py",
        guard="            entry.screened.extend(admission.screened)",
        instead="            pass",
        test=f"{_RESERVE}test_what_screening_did_to_the_request_is_recorded_with_the_reservation_and_stands_in_its_entry",
    ),
    "screening/the-entry-has-what-was-found-in-the-answer": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/endings.py",
        guard="        reservation.found_in_answer(request.screened)",
        instead="        pass",
        test=f"{_RESERVE}test_what_screening_found_in_an_answer_is_kept_by_the_first_settlement_alone",
    ),
    "screening/findings-of-a-settlement-are-checked": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/lifecycle.py",
        guard="            _check_screened(screened)",
        instead="            pass",
        test=f"{_RESERVE}test_a_settlement_with_impossible_findings_changes_nothing",
    ),
    "screening/a-refused-request-stays-refused": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/endings.py",
        guard="    if reservation.entry.state not in UNSENT:",
        instead="    if reservation.entry.state != RELEASED:",
        test=f"{_RESERVE}test_a_refused_request_has_an_entry_that_nothing_changes",
    ),
    "refusals/unsent-attempts-say-why": Mutant(
        file="gateway/llm_mesh_gateway/domain/reservation.py",
        guard="            record.write(release.lines.add())",
        instead="            pass",
        test="tests/gateway/test_gateway_refusals.py::test_each_way_not_to_send_is_told_with_reason_field_and_attempt",
    ),
    "refusals/a-mask-before-the-reservation-is-told": Mutant(
        file="gateway/llm_mesh_gateway/domain/gateway.py",
        guard="            if request.proof is not None:",
        instead="            if False:",
        test="tests/gateway/test_gateway_refusals.py::test_a_masked_request_that_the_router_refuses_is_told_to_policy",
    ),
    "refusals/a-mask-that-is-not-reserved-is-recorded": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/decisions.py",
        guard="    if draft.screened and view.reservations[draft.id] is None:",
        instead="    if False:",
        test="tests/policy/test_ledger_unsent.py::test_a_masked_request_that_limits_refuse_has_its_entry_in_the_same_transaction",
    ),
    "refusals/a-masked-count-is-recorded": Mutant(
        file="policy/llm_mesh_policy/admission/domain/admitting.py",
        guard="            if request.counts_only and screening.counts:",
        instead="            if False:",
        test="tests/policy/test_admission.py::test_what_is_masked_in_an_input_that_is_only_counted_is_recorded_at_once",
    ),
    "names/a-target-that-does-not-exist-is-refused": Mutant(
        file="router/llm_mesh_router/domain/targets.py",
        guard="            if not await self._exists(target.model, owner):",
        instead="            if False:",
        test="tests/router/test_router_targets.py::test_a_misspelt_target_is_named_with_the_nearest_that_exists",
    ),
    "names/what-is-not-offered-does-not-exist": Mutant(
        file="router/llm_mesh_router/domain/targets.py",
        guard="        return known is not None and _is_visible(known, owner)",
        instead="        return known is not None or name in self._models.visible(owner, 1) or self._models.get(name) is not None",
        test="tests/router/test_router_targets.py::test_what_is_not_offered_looks_like_what_does_not_exist",
    ),
    "fields/options-in-headers-are-named-so": Mutant(
        file="edge/llm_mesh_edge/http/exchange.py",
        guard="        header = header_of(failure.param, self.headers, self.options_in_body)",
        instead='        header = ""',
        test="tests/edge/test_every_check_fails_once.py::test_every_check_fails_once_and_names_the_field_as_its_client_does",
    ),
    "words/an-amount-is-one-value": Mutant(
        file="runtime/llm_mesh_runtime/resources/changes.py",
        guard=" and field.message_type.full_name not in VALUES",
        instead="",
        test="tests/runtime/test_value_words.py::test_amounts_spans_and_lists_read_as_files_have_them",
    ),
    "words/values-of-enums-have-no-prefix": Mutant(
        file="runtime/llm_mesh_runtime/resources/words.py",
        guard='value.name.removeprefix(prefix).lower().replace("_", " ")',
        instead="value.name",
        test="tests/runtime/test_value_words.py",
    ),
    "fields/variables-of-a-prompt-are-named-as-written": Mutant(
        file="edge/llm_mesh_edge/domain/failures.py",
        guard='    (re.compile(r"^options\\.prompt\\.variables_json"), "llm_mesh.prompt.variables"),\n',
        instead="",
        test="tests/edge/test_every_field_name.py",
    ),
    "fields/policys-fields-are-the-gateways": Mutant(
        file="gateway/llm_mesh_gateway/domain/fields.py",
        guard='    named = _INPUT.sub("input", field)',
        instead="    named = field",
        test="tests/edge/test_every_field_name.py::test_what_policy_names_is_named_as_the_gateways_caller_does",
    ),
    "ports/who-has-it-is-said": Mutant(
        file="runtime/llm_mesh_runtime/binding.py",
        guard="    holder = holder_of(port)",
        instead='    holder = ""',
        test="tests/cli/test_cli_start.py::test_a_taken_port_is_told_in_one_line",
    ),
    "ports/grpc-is-tried-before-its-server": Mutant(
        file="runtime/llm_mesh_runtime/host/listeners.py",
        guard="            bind(address, owner).close()  # gRPC would not say why, nor who has the port",
        instead="            pass",
        test="tests/cli/test_cli_start.py::test_each_listener_says_whose_port_it_wants_and_which_setting_moves_it",
    ),
    "names/a-misspelt-model-is-refused": Mutant(
        file="cli/llm_mesh_cli/name_checks.py",
        guard="    if problems and not force:",
        instead="    if False:",
        test="tests/proofs/attacks/test_attack_plain_words.py::test_a_name_that_is_nearly_right_is_suggested",
    ),
    "names/where-nobody-answers-is-explained": Mutant(
        file="cli/llm_mesh_cli/unreachable.py",
        guard="    if error.reason_name != _REASON or error.peer != session.peer:",
        instead="    if error is not None:",
        test="tests/proofs/attacks/test_attack_plain_words.py::test_where_nobody_answers_the_setting_or_the_start_is_named",
    ),
}
