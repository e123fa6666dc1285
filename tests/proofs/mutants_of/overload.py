"""The guards of who is refused under overload and of neighbours: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

OVERLOAD: Mapping[str, Mutant] = {
    "overload/by-what-the-caller-holds": Mutant(
        file="runtime/llm_mesh_runtime/pressure.py",
        guard="return self._inside.taken < most_inside(limit, domains, domain, principal)",
        instead="return False",
        test="tests/edge/test_edge_overload_shares.py",
    ),
    "overload/bytes-of-bodies-under-way": Mutant(
        file="edge/llm_mesh_edge/http/bodies.py",
        guard="if not self._shares.take(self._party, size):",
        instead="if not self._shares.take(None, 0):",
        test="tests/edge/test_edge_bodies.py::test_bodies_that_do_not_end_leave_room_for_others_and_what_they_held_comes_back",
    ),
    "overload/messages-under-way-at-grpc": Mutant(
        file="runtime/llm_mesh_runtime/pipeline/arriving.py",
        guard="return MessagePlace(self.places, party) if self.places.enter_now(party) else None",
        instead="return MessagePlace(self.places, party) if self.places.enter_now(None) else None",
        test="tests/contract/test_arriving_messages.py::test_who_sends_no_end_has_a_share_and_waits_for_itself",
    ),
    "overload/by-domain-not-by-principal": Mutant(
        file="runtime/llm_mesh_runtime/window_shares.py",
        guard="spare = max(0, NEWCOMERS - domain_holds, MEMBERS - principal_holds)",
        instead="spare = max(0, NEWCOMERS - principal_holds)",
        test="tests/runtime/test_window_shares.py::test_however_many_principals_a_domain_has_the_first_requests_of_another_are_let_in",
    ),
    "overload/share-before-excess": Mutant(
        file="runtime/llm_mesh_runtime/window_shares.py",
        guard="if domain_holds < max(1, limit // domains):",
        instead="if False:",
        test="tests/runtime/test_window_shares.py::test_who_is_below_its_share_is_let_in_before_all_who_are_above",
    ),
    "overload/last-owner-of-a-credential": Mutant(
        file="runtime/llm_mesh_runtime/access/credentials.py",
        guard="return owner[1] if owner is not None and time.monotonic() < owner[0] else Party(address)",
        instead="return Party(address)",
        test="tests/edge/test_edge_overload_shares.py",
    ),
    "overload/handshakes-count-among-strangers": Mutant(
        file="runtime/llm_mesh_runtime/http/acceptor.py",
        guard="            self._strangers.enter(handshake, address)\n",
        instead="            pass\n",
        test="tests/runtime/test_http_tls.py::test_who_does_not_finish_the_handshake_counts_among_strangers",
    ),
    "overload/who-takes-nothing-is-hung-up-on": Mutant(
        file="runtime/llm_mesh_runtime/http/flow.py",
        guard="        else:\n            self._transport.abort()\n",
        instead="        else:\n            pass\n",
        test="tests/runtime/test_http_unread.py::test_who_takes_nothing_of_a_stream_has_left",
    ),
    "overload/a-crowded-out-stranger-that-reads-nothing-goes-at-once": Mutant(
        file="runtime/llm_mesh_runtime/http/protocol.py",
        guard="        if self.flow.unsent:\n",
        instead="        if False:\n",
        test="tests/runtime/test_http_unread.py::test_a_stranger_who_is_crowded_out_goes_though_it_reads_nothing",
    ),
    "overload/heads-count-wherever-they-begin": Mutant(
        file="runtime/llm_mesh_runtime/http/protocol.py",
        guard="return self._came_before + self._head_size",
        instead="return self._head_size",
        test="tests/runtime/test_http_heads.py::test_a_head_counts_wherever_it_begins",
    ),
    "overload/readiness-is-asked-for-at-a-pace": Mutant(
        file="edge/llm_mesh_edge/domain/readiness.py",
        guard=" and self._monotonic() - self._last_question >= PACE",
        instead="",
        test="tests/edge/test_edge_readiness.py::test_the_gateway_is_asked_once_a_second_at_most",
    ),
    "neighbours/threads-give-way-soon": Mutant(
        file="runtime/llm_mesh_runtime/host/run.py",
        guard="    sys.setswitchinterval(_SWITCH)\n",
        instead="",
        test="tests/runtime/test_run.py",
    ),
    "neighbours/counting-strings-gives-way": Mutant(
        file="runtime/llm_mesh_runtime/items.py",
        guard="        pace.step()  # after each string\n",
        instead="",
        test="tests/runtime/test_runtime_items.py",
    ),
    "neighbours/passing-over-a-text-gives-way": Mutant(
        file="runtime/llm_mesh_runtime/items.py",
        guard="            pace.step()  # within a string\n",
        instead="",
        test="tests/runtime/test_runtime_items.py",
    ),
    "neighbours/passing-over-space-gives-way": Mutant(
        file="runtime/llm_mesh_runtime/items.py",
        guard="            pace.step()  # within what is between strings\n",
        instead="",
        test="tests/runtime/test_runtime_items.py",
    ),
}
