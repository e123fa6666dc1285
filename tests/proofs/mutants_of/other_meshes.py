"""The guards between meshes: circles, whose key a key is, what a neighbour's refusals may do to others."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

_HOPS = "tests/gateway/test_gateway_hops.py"
_MESH = "tests/adapter_mesh"
_BOUNDS = "tests/policy/test_admission_bounds.py"

OTHER_MESHES: Mapping[str, Mutant] = {
    "other-meshes/no-circles": Mutant(
        file="gateway/llm_mesh_gateway/domain/other_meshes.py",
        guard="if self.own in hops:",
        instead="if self.own == hops[-1]:",
        test=f"{_HOPS}::test_a_request_that_comes_back_is_refused_wherever_its_mesh_stands_in_the_list",
    ),
    "other-meshes/so-many-hops": Mutant(
        file="gateway/llm_mesh_gateway/domain/other_meshes.py",
        guard="if len(hops) > self.most:",
        instead="if len(hops) > self.most + 1:",
        test=f"{_HOPS}::test_a_request_may_pass_so_many_meshes_and_not_one_more",
    ),
    "other-meshes/own-hop": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/forwarding.py",
        guard="hops=(*context.hops, self.mesh_id), bounds=bounds",
        instead="hops=context.hops, bounds=bounds",
        test=f"{_MESH}/test_mesh_forwarding.py::test_every_option_travels_or_is_named_with_its_reason",
    ),
    "other-meshes/own-idempotency-keys": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/forwarding.py",
        guard='self._digest("idempotency key", project, job.model, context.idempotency_key)',
        instead='self._digest("idempotency key", job.model, context.idempotency_key)',
        test=f"{_MESH}/test_mesh_forwarding.py::test_the_same_key_and_session_of_two_tenants_never_meet_there",
    ),
    "other-meshes/own-sessions": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/forwarding.py",
        guard='self._digest("session", project, context.session)',
        instead='self._digest("session", context.session)',
        test=f"{_MESH}/test_mesh_forwarding.py::test_the_same_key_and_session_of_two_tenants_never_meet_there",
    ),
    "other-meshes/counts-for-domains-that-may": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/endpoints.py",
        guard="return self.usable and (not self.domains or domain in self.domains)",
        instead="return self.usable",
        test=f"{_MESH}/test_mesh_forwarding.py::test_counts_are_made_for_the_domains_that_may_use_the_key_alone",
    ),
    "other-meshes/one-end": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/answers.py",
        guard="            if self.ended:\n",
        instead="            if False:\n",
        test=f"{_MESH}/test_mesh_answers.py::test_events_that_cannot_stand_where_they_do_are_refused",
    ),
    "other-meshes/results-as-requested": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/adapter.py",
        guard="check_results(job.endpoint.name, request.input, answer.output)",
        instead="pass",
        test=f"{_MESH}/test_mesh_answers.py::test_a_method_of_another_mesh_is_checked",
    ),
    "other-meshes/charges-in-a-currency": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/failures.py",
        guard="if int(nanos) and not known:",
        instead="if False:",
        test=f"{_MESH}/test_mesh_answers.py::test_a_failed_attempt_is_charged_in_a_currency_or_not_at_all",
    ),
    "other-meshes/credentials-come-back-in-no-answer": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/cleaning.py",
        guard="if redaction.bytes_of(raw) != raw:",
        instead="if message is None:",
        test=f"{_MESH}/test_mesh_strangers.py::test_our_key_comes_back_in_no_answer",
    ),
    "other-meshes/no-more-vectors-than-items": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/embedding.py",
        guard="        if self._count + len(embeddings) > self._items:",
        instead="        if False:",
        test=f"{_MESH}/test_mesh_strangers.py::test_vectors_beyond_the_items_are_refused_as_they_come",
    ),
    "other-meshes/budgets-open-no-breaker": Mutant(
        file="adapters/kit/llm_mesh_adapter_kit/lanes.py",
        guard="if error.of_one_request:",
        instead="if error is None:",
        test=f"{_MESH}/test_mesh_failures.py::test_a_budget_there_opens_no_breaker_for_everybody",
    ),
    "other-meshes/checked-addresses": Mutant(
        file="adapters/mesh/llm_mesh_adapter_mesh/provider/connection.py",
        guard="raise address_not_allowed(name, str(error)) from None",
        instead="raise unreachable(name, str(error)) from None",
        test=f"{_MESH}/test_mesh_connections.py::test_addresses_are_checked_before_anything_is_dialled",
    ),
    "other-meshes/bounds-only-narrow": Mutant(
        file="policy/llm_mesh_policy/rules/domain/stricter.py",
        guard="highest((constraints.data_class or DEFAULT_DATA_CLASS, *constraints.further_data_classes, *bounds.data_classes))",
        instead="highest(bounds.data_classes) or [DEFAULT_DATA_CLASS]",
        test=f"{_BOUNDS}::test_a_request_lowers_nothing",
    ),
    "other-meshes/certificates-that-are-known": Mutant(
        file="runtime/llm_mesh_runtime/access/identity.py",
        guard="if name in self._keys), None)",
        instead="if name), None)",
        test="tests/runtime/test_identity.py::test_a_certificate_stands_for_a_key_where_its_client_sends_none",
    ),
}
"""By name."""
