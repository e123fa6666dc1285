"""The guards of the command line: what changes is named, allowed and shown, and what is typed as a command stays here."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_CLI = "cli/llm_mesh_cli"
_NOUNS = "tests/cli/test_cli_nouns.py"
_BOUNDS = "tests/cli/test_cli_bounds.py"
_CHAT = "tests/cli/test_cli_chat.py"
_REQUESTS = "tests/cli/test_cli_requests.py"

COMMANDS: Mapping[str, Mutant] = {
    "commands/loosening-needs-its-word": Mutant(
        file=f"{_CLI}/nouns/changing.py",
        guard="    if change.loosens and not (loosens or dry_run):",
        instead="    if False:",
        test=f"{_NOUNS}::test_a_loosened_guard_is_marked_and_needs_the_word_for_it",
    ),
    "commands/what-was-read-is-what-changes": Mutant(
        file=f"{_CLI}/nouns/calls.py",
        guard="            sent.etag = before.etag",
        instead="            pass",
        test=f"{_NOUNS}::test_a_change_that_somebody_else_made_meanwhile_is_not_overwritten",
    ),
    "commands/the-mask-is-sent": Mutant(
        file=f"{_CLI}/nouns/calls.py",
        guard="            request.update_mask.paths.extend(paths)",
        instead="            pass",
        test=f"{_NOUNS}::test_a_field_is_unset",
    ),
    "commands/only-what-is-named": Mutant(
        file=f"{_CLI}/nouns/verbs.py",
        guard="    after = to.message if before is None else masked(before, to.message, to.paths)",
        instead="    after = to.message",
        test=f"{_NOUNS}::test_a_route_keeps_what_is_not_named",
    ),
    "commands/lists-have-pages": Mutant(
        file=f"{_CLI}/paging.py",
        guard="        if not answer.next_page_token:",
        instead="        if True:",
        test=f"{_NOUNS}::test_lists_are_read_to_their_end",
    ),
    "commands/a-dry-run-writes-nothing": Mutant(
        file=f"{_CLI}/nouns/changing.py",
        guard="    return None if dry_run or change.action == _NOTHING else change",
        instead="    return None if change.action == _NOTHING else change",
        test=f"{_BOUNDS}::test_a_dry_run_shows_a_change_and_makes_none",
    ),
    "commands/facts-stay": Mutant(
        file=f"{_CLI}/commands/endpoints.py",
        guard="        after.CopyFrom(before)\n    values",
        instead="        pass\n    values",
        test=f"{_BOUNDS}::test_facts_of_an_endpoint_keep_what_is_not_named",
    ),
    "commands/a-slash-is-never-sent": Mutant(
        file=f"{_CLI}/talk/typed.py",
        guard="    if line.startswith(_SIGN * 2) or not line.startswith(_SIGN):",
        instead="    if line.startswith(_SIGN * 2) or not line.startswith(_WORDS):",
        test=f"{_CHAT}::test_nothing_typed_as_a_command_is_sent",
    ),
    "commands/a-failed-question-was-not-said": Mutant(
        file=f"{_CLI}/talk/conversation.py",
        guard="            del self._input.messages[before:]",
        instead="            pass",
        test=f"{_CHAT}::test_a_failed_question_is_not_part_of_what_was_said",
    ),
    "commands/a-backlog-is-cut-after-it-is-filtered": Mutant(
        file=f"{_CLI}/filtering.py",
        guard="            return shown[-self._most :]",
        instead="            return shown",
        test=f"{_REQUESTS}::test_a_backlog_is_the_newest_of_what_matches",
    ),
    "commands/what-is-not-shown-is-named": Mutant(
        file=f"{_CLI}/story.py",
        guard="            self._absent.append(text)",
        instead="            pass",
        test=f"{_REQUESTS}::test_what_a_caller_may_not_see_is_named",
    ),
    "commands/lines-drive-no-terminal": Mutant(
        file=f"{_CLI}/output.py",
        guard="sys.stdout.write(visible(text) + ",
        instead="sys.stdout.write(text + ",
        test="tests/proofs/attacks/test_attack_commands.py::test_what_a_tenant_writes_drives_nobodys_terminal",
    ),
    "commands/cells-drive-no-terminal": Mutant(
        file=f"{_CLI}/output.py",
        guard="Text(visible(cell))",
        instead="Text(cell)",
        test="tests/proofs/attacks/test_attack_commands.py::test_what_a_tenant_writes_drives_nobodys_terminal",
    ),
    "commands/json-drive-no-terminal": Mutant(
        file=f"{_CLI}/output.py",
        guard="visible_json(json.dumps(value, ensure_ascii=False, indent=1 if sys.stdout.isatty() else None))",
        instead="json.dumps(value, ensure_ascii=False, indent=1 if sys.stdout.isatty() else None)",
        test="tests/proofs/attacks/test_attack_commands.py::test_what_a_tenant_writes_drives_nobodys_terminal",
    ),
    "commands/one-line-for-each-field": Mutant(
        file=f"{_CLI}/visible.py",
        guard='return " ".join(text.splitlines())',
        instead="return text",
        test="tests/proofs/attacks/test_attack_commands.py::test_what_a_tenant_writes_drives_nobodys_terminal",
    ),
}
