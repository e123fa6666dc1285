"""The guards of stored responses and conversations: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_STORE = "tests/conversations/test_conversations_store.py"
_RESPONSES = "tests/conversations/test_conversations_responses.py"
_BACKGROUND = "tests/conversations/test_conversations_background.py"

STORED: Mapping[str, Mutant] = {
    "stored/a-run-ends-whatever-its-store-does": Mutant(
        file="conversations/llm_mesh_conversations/domain/run.py",
        guard="            self._record.fail(failure if isinstance(failure, MeshError) else internal())\n        elif not",
        instead="            return\n        elif not",
        test="tests/conversations/test_conversations_run.py",
    ),
    "stored/ids-of-that-kind-and-project": Mutant(
        file="conversations/llm_mesh_conversations/domain/ids.py",
        guard="if not self._ids.valid(value, kind.value, *place):",
        instead="if False:",
        test="tests/conversations/test_conversations_ids.py::test_only_ids_of_that_kind_and_project_are_valid",
    ),
    "stored/rows-stay-in-their-place": Mutant(
        file="conversations/llm_mesh_conversations/store/response_rows.py",
        guard='return "response", *place, response, str(revision)',
        instead='return "response", *place, str(revision)',
        test=f"{_STORE}::test_a_row_that_was_moved_or_is_of_another_revision_does_not_open[sqlite]",
    ),
    "stored/retention-is-looked-at": Mutant(
        file="conversations/llm_mesh_conversations/store/response_rows.py",
        guard="if row is None or row.expires <= self._database.now(connection):",
        instead="if row is None:",
        test=f"{_STORE}::test_what_is_older_than_its_retention_is_not_there_and_is_purged[sqlite]",
    ),
    "stored/the-log-is-emptied": Mutant(
        file="runtime/llm_mesh_runtime/database/engines.py",
        guard='connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")',
        instead='connection.execute("SELECT 0")',
        test=f"{_STORE}::test_after_an_erasure_no_file_has_the_text_the_sealed_text_or_its_key",
    ),
    "stored/nothing-is-stored-after-an-erasure": Mutant(
        file="conversations/llm_mesh_conversations/store/retention.py",
        guard="connection.execute(delete(KEYS).where(*own))",
        instead="pass",
        test=f"{_STORE}::test_erasure_takes_what_was_meant_and_leaves_the_rest[sqlite]",
    ),
    "stored/zero-retention-of-policy": Mutant(
        file="conversations/llm_mesh_conversations/domain/storing.py",
        guard="if await self._zero.binds(place.domain)",
        instead="if False",
        test=f"{_RESPONSES}::test_what_may_not_be_stored_is_answered_and_says_so[zero_retention]",
    ),
    "stored/zero-retention-of-the-request": Mutant(
        file="conversations/llm_mesh_conversations/domain/storing.py",
        guard="if decision.stored and request.options.bounds.zero_retention:",
        instead="if False:",
        test=f"{_RESPONSES}::test_what_may_not_be_stored_is_answered_and_says_so[bounds]",
    ),
    "stored/a-demand-is-refused": Mutant(
        file="conversations/llm_mesh_conversations/domain/storing.py",
        guard="if demanded and not decision.stored:",
        instead="if False:",
        test=f"{_BACKGROUND}::test_background_is_refused_where_nothing_is_stored",
    ),
    "stored/bytes-of-a-project": Mutant(
        file="conversations/llm_mesh_conversations/store/room.py",
        guard='self._quotas.check(place.project, "bytes", int(size))',
        instead="pass",
        test=f"{_STORE}::test_a_project_stores_so_much_and_no_more[sqlite]",
    ),
    "stored/runs-are-bounded": Mutant(
        file="conversations/llm_mesh_conversations/domain/runs.py",
        guard="if not self._places.take(party):",
        instead="if False:",
        test=f"{_BACKGROUND}::test_runs_are_bounded_and_a_place_is_free_again_after_each",
    ),
    "stored/one-end": Mutant(
        file="conversations/llm_mesh_conversations/store/response_rows.py",
        guard="None if row is None or not row.instance else",
        instead="None if row is None else",
        test=f"{_STORE}::test_a_response_that_has_ended_takes_no_more_events_and_no_second_end[sqlite]",
    ),
    "stored/large-answers": Mutant(
        file="conversations/llm_mesh_conversations/domain/run.py",
        guard="if self._joined.bytes > self._most_bytes:",
        instead="if False:",
        test=f"{_BACKGROUND}::test_an_answer_that_is_too_large_to_store_fails_its_run",
    ),
}
