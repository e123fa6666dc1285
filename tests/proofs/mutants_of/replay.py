"""The guards of kept answers and their repetition: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

REPLAY: Mapping[str, Mutant] = {
    "replay/screened-repetition-is-not-refused": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/decisions.py",
        guard="if repetition.is_repeated(why):",
        instead="if False:",
        test="tests/policy/test_ledger_unsent.py::test_a_masked_repetition_that_gets_the_kept_answer_is_recorded_and_not_refused",
    ),
    "replay/that-request": Mutant(
        file="policy/llm_mesh_policy/ledger/store/kept_answers.py",
        guard="if bytes(bound.digest) != digest:",
        instead="if False:",
        test="tests/policy/test_kept_answers.py::test_another_request_under_the_key_gets_nothing",
    ),
    "replay/keys-that-count": Mutant(
        file="policy/llm_mesh_policy/ledger/store/kept_answers.py",
        guard="if self._accounts.dead(unit, [caller.key], now):",
        instead="if False:",
        test="tests/policy/test_kept_answers.py::test_a_key_that_is_revoked_gets_nothing",
    ),
    "replay/time-of-the-key": Mutant(
        file="policy/llm_mesh_policy/ledger/store/kept_answers.py",
        guard="if bound is None or bound.expire_time <= now:",
        instead="if bound is None:",
        test="tests/policy/test_kept_answers.py::test_nothing_is_answered_after_its_time_even_before_it_is_swept",
    ),
    "replay/time-of-the-answer": Mutant(
        file="policy/llm_mesh_policy/ledger/store/answer_rows.py",
        guard="answers.c.expire_time > now)",
        instead="answers.c.expire_time > 0)",
        test="tests/policy/test_kept_answers.py::test_nothing_is_answered_after_its_time_even_before_it_is_swept",
    ),
    "replay/no-longer-than-its-key": Mutant(
        file="policy/llm_mesh_policy/ledger/store/kept_answers.py",
        guard="min(now + self._kept_for, bound.expire_time)",
        instead="now + self._kept_for",
        test="tests/policy/test_kept_answers.py::test_an_answer_lives_no_longer_than_its_key",
    ),
    "replay/leave-taken-back": Mutant(
        file="policy/llm_mesh_policy/ledger/store/answer_rows.py",
        guard="return row is not None and row.create_time > row.erase_before",
        instead="return row is not None",
        test="tests/policy/test_kept_answers.py::test_what_was_kept_is_not_answered_again_once_the_project_took_its_leave_back",
    ),
    "replay/leave-taken-back-with-the-project": Mutant(
        file="policy/llm_mesh_policy/identity/store/transactions.py",
        guard="        self._erase_answers(collection, [row])\n",
        instead="",
        test="tests/proofs/attacks/test_attack_replay.py::test_a_leave_that_is_taken_back_takes_the_answers_along",
    ),
    "replay/leave-of-today": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/kept_answers.py",
        guard="if not keeps_answers(self._tenancy(), caller.project):",
        instead="if False:",
        test="tests/policy/test_kept_answers.py::test_zero_retention_is_stricter_than_the_project",
    ),
    "replay/zero-retention": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/kept_answers.py",
        guard="return not ((domain is not None and domain.zero_retention) or (floor is not None and floor.zero_retention))",
        instead="return True",
        test="tests/policy/test_kept_answers.py::test_zero_retention_is_stricter_than_the_project",
    ),
    "replay/size-of-an-answer": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/kept_answers.py",
        guard="if len(answer.content) <= self._most_bytes:",
        instead="if True:",
        test="tests/policy/test_kept_answers.py::test_an_answer_that_is_too_large_is_not_kept",
    ),
    "replay/room-of-a-project": Mutant(
        file="policy/llm_mesh_policy/ledger/store/answer_rows.py",
        guard="rooms.c.size + size <= most",
        instead="rooms.c.size >= 0",
        test="tests/policy/test_kept_answers.py::test_a_project_has_room_for_so_much_and_gets_it_back",
    ),
    "replay/only-whole-answers": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/kept_answers.py",
        guard=" or not _is_whole(entry)",
        instead="",
        test="tests/policy/test_kept_answers.py::test_only_whole_answers_are_kept",
    ),
    "replay/key-of-that-reservation": Mutant(
        file="policy/llm_mesh_policy/ledger/store/kept_answers.py",
        guard="if bound is None or bound.reservation != reservation:",
        instead="if bound is None:",
        test="tests/policy/test_kept_answers.py::test_an_answer_under_a_key_of_another_reservation_is_not_kept",
    ),
    "replay/rows-stay-in-their-place": Mutant(
        file="policy/llm_mesh_policy/ledger/store/answer_cipher.py",
        guard="(*self.place, self.reservation, self.type)",
        instead="(self.reservation,)",
        test="tests/policy/test_kept_answers.py::test_a_row_that_was_moved_or_relabelled_does_not_open",
    ),
    "replay/encrypted": Mutant(
        file="policy/llm_mesh_policy/ledger/store/answer_cipher.py",
        guard="derive(secret, PURPOSE)",
        instead='derive(b"", PURPOSE)',
        test="tests/policy/test_kept_answers.py::test_a_database_alone_tells_nobody_the_answer",
    ),
    "replay/who-got-it-is-recorded": Mutant(
        file="policy/llm_mesh_policy/ledger/store/kept_answers.py",
        guard="self._accounts.extend_audit(unit, [_record(repeated.entry, caller, request_id, now)])",
        instead="pass",
        test="tests/policy/test_kept_answers.py::test_a_repetition_gets_the_answer_and_its_entry",
    ),
    "replay/keys-of-what-was-released": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/repetition.py",
        guard=" and all(line.usage.outcome in _NO_ANSWER for line in first.lines)",
        instead="",
        test="tests/policy/test_ledger_idempotency.py::test_a_request_of_which_something_was_released_keeps_its_key_though_it_was_free",
    ),
    "replay/keys-of-what-was-charged": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/repetition.py",
        guard=" and not first.charged.nanos",
        instead="",
        test="tests/policy/test_ledger_idempotency.py::test_a_failed_request_that_was_charged_keeps_its_key",
    ),
    "replay/repetitions-with-ended-keys": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/decisions.py",
        guard="    if not view.counts(reservation.key):\n        return invalid_credential()\n    if first.digest",
        instead="    if first.digest",
        test="tests/policy/test_kept_answers.py::test_a_key_that_is_revoked_gets_nothing",
    ),
    "replay/room-for-others": Mutant(
        file="gateway/llm_mesh_gateway/domain/gateway.py",
        guard="Recording(held.answer_limit, self._room, request.caller.party)",
        instead="Recording(held.answer_limit, self._room)",
        test="tests/proofs/attacks/test_attack_replay_room.py",
    ),
    "replay/screening-of-today": Mutant(
        file="gateway/llm_mesh_gateway/domain/gateway.py",
        guard="changing = planned.chain.begin(",
        instead="changing = ResponseChain().begin(",
        test="tests/gateway/test_gateway_replay.py::test_todays_screening_applies_to_an_answer_of_before",
    ),
    "replay/charged-nothing": Mutant(
        file="gateway/llm_mesh_gateway/domain/replay.py",
        guard="receipt.charged.CopyFrom(charged)",
        instead="receipt.charged.CopyFrom(entry.charged)",
        test="tests/gateway/test_gateway_replay.py::test_a_whole_answer_is_repeated_as_it_was",
    ),
    "replay/recorded-up-to-the-limit": Mutant(
        file="gateway/llm_mesh_gateway/domain/recording.py",
        guard="self._size + size <= self._most and ",
        instead="",
        test="tests/gateway/test_gateway_replay.py::test_an_answer_that_becomes_too_large_takes_no_more_room",
    ),
    "replay/room-of-a-gateway": Mutant(
        file="gateway/llm_mesh_gateway/domain/recording.py",
        guard=" and self._room.take(size, self._party)",
        instead="",
        test="tests/gateway/test_gateway_replay.py::test_a_gateway_without_room_keeps_nothing_and_answers_all_the_same",
    ),
    "replay/whole-when-its-end-was-released": Mutant(
        file="gateway/llm_mesh_gateway/domain/outlets.py",
        guard="self._recording.has_end = piece.report is not None",
        instead="self._recording.has_end = True",
        test="tests/gateway/test_gateway_leaving_at_the_end.py",
    ),
    "replay/only-recorded-types": Mutant(
        file="gateway/llm_mesh_gateway/domain/replay.py",
        guard="if answered.answer.type != RECORDED:",
        instead="if False:",
        test="tests/gateway/test_gateway_replay.py::test_where_the_answer_cannot_be_had_the_refusal_is_told",
    ),
    "replay/a-409-costs-nothing": Mutant(
        file="edge/llm_mesh_edge/domain/failures.py",
        guard="return FailureCharge(0, first.currency,",
        instead="return FailureCharge(first.nanos, first.currency,",
        test="tests/edge/test_edge_values.py::test_a_refused_repetition_costs_nothing_and_has_the_first_receipt",
    ),
}
