"""The guards of the one address that leads to all services, and of several processes at one file."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_TESTS = "tests/gateway/test_gateway_one_address.py"

ONE_ADDRESS: Mapping[str, Mutant] = {
    "one-address/public-methods-only": Mutant(
        file="runtime/llm_mesh_runtime/host/relays.py",
        guard="for method in methods if method.public]",
        instead="for method in methods if not method.request_streaming]",
        test=f"{_TESTS}::test_every_public_method_of_all_other_services_is_relayed_and_no_other",
    ),
    "one-address/the-callers-credential": Mutant(
        file="runtime/llm_mesh_runtime/host/relays.py",
        guard="if key == AUTHORIZATION or key.startswith(_PUBLIC_METADATA))",
        instead="if key.startswith(_PUBLIC_METADATA))",
        test=f"{_TESTS}::test_answers_and_refusals_are_those_of_the_service_itself",
    ),
    "one-address/nothing-without-a-credential": Mutant(
        file="runtime/llm_mesh_runtime/access/stage.py",
        guard="if calling and not (has_credential and self._stage.table.relays(calling, self._stage.service)):",
        instead="if calling and not has_credential and self._stage.table.relays(calling, self._stage.service):\n"
        '            return Caller("service", service=calling)\n'
        "        if calling and not self._stage.table.relays(calling, self._stage.service):",
        test=f"{_TESTS}::test_the_gateway_itself_may_not_call_what_it_only_relays",
    ),
    "one-address/only-the-gateway-relays": Mutant(
        file="runtime/llm_mesh_runtime/access/table.py",
        guard="tuple((each.name, callee) for each in SERVICES for callee in each.relays)",
        instead='(("*", "*"),)',
        test=f"{_TESTS}::test_other_services_may_not_relay",
    ),
    "one-address/slots-of-its-own": Mutant(
        file="runtime/llm_mesh_runtime/host/host.py",
        guard="assembly.pipeline(hosted.service.name))",
        instead="hosted.pipeline)",
        test=f"{_TESTS}::test_relayed_streams_take_no_slots_of_requests",
    ),
    "store/waits-as-long-as-its-caller": Mutant(
        file="runtime/llm_mesh_runtime/database/writer.py",
        guard="if not works or not is_busy(error.__cause__):",
        instead="if works or not is_busy(error.__cause__):",
        test="tests/runtime/test_database_trouble.py::test_a_store_that_another_process_holds_is_waited_for_as_long_as_the_caller_waits",
    ),
    "store/journal-mode-set-again": Mutant(
        file="runtime/llm_mesh_runtime/database/engines.py",
        guard="if pragma != _WRITE_AHEAD or not is_busy(error) or time.monotonic() > end:",
        instead="if pragma:",
        test="tests/runtime/test_database_trouble.py::test_a_journal_mode_that_another_process_changes_too_is_set_again",
    ),
}
"""By name."""
