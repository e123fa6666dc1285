"""The guards of what is served to a domain of what others share: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

SERVING: Mapping[str, Mutant] = {
    "serving/tls-takes-large-bodies-in-pieces": Mutant(
        file="runtime/llm_mesh_runtime/http/cycle.py",
        guard="if self.flow.in_pieces and len(body) > PIECE:",
        instead="if False:",
        test="tests/runtime/test_http_tls.py::test_an_answer_is_whole_however_slowly_its_client_reads",
    ),
    "serving/who-asks-before-its-body-is-hung-up-on": Mutant(
        file="runtime/llm_mesh_runtime/http/cycle.py",
        guard="            self.keep_alive = False  # it may send its body or not: nobody can tell what follows\n",
        instead="            pass\n",
        test="tests/runtime/test_http_rules.py::test_who_asked_before_sending_a_body_that_nobody_reads_is_hung_up_on",
    ),
    "serving/a-request-has-one-valid-host": Mutant(
        file="runtime/llm_mesh_runtime/http/heads.py",
        guard='        raise ValueError("not one valid Host")\n',
        instead="        pass\n",
        test="tests/runtime/test_http_rules.py::test_a_request_without_one_valid_host_is_refused",
    ),
    "sharing/unaccepted-model": Mutant(
        file="router/llm_mesh_router/domain/resolution.py",
        guard="return Located(None, NOT_ACCEPTED if offered else UNKNOWN)",
        instead="return Located(model)",
        test="tests/router/test_router_resolution.py::test_a_route_to_a_model_that_is_not_accepted_excludes_it",
    ),
    "sharing/unaccepted-and-absent-alike": Mutant(
        file="router/llm_mesh_router/domain/resolution.py",
        guard="NOT_ACCEPTED if offered else UNKNOWN",
        instead="NOT_ACCEPTED if True else UNKNOWN",
        test="tests/router/test_router_resolution.py::test_a_route_to_a_model_that_is_not_accepted_excludes_it",
    ),
    "sharing/withdrawn-route": Mutant(
        file="router/llm_mesh_router/domain/resolution.py",
        guard='return accepted.HasField("model") or self._routes.is_offered(accepted.product, accepted.domain)',
        instead="return bool(accepted)",
        test="tests/router/test_router_resolution.py::test_an_accepted_route_is_planned_as_it_was_accepted_while_it_is_offered",
    ),
    "sharing/shared-before-foreign": Mutant(
        file="router/llm_mesh_router/domain/resolution.py",
        guard="_first([one for one in accepted if one.own_alias])",
        instead="_first([one for one in accepted if one.domain])",
        test="tests/router/test_router_resolution.py::test_a_foreign_alias_stands_before_a_shared_one_only_where_the_domain_gave_it",
    ),
    "sharing/accepted-route-is-pinned": Mutant(
        file="router/llm_mesh_router/domain/resolution.py",
        guard='route = one.route if one.HasField("route") else _alone(one.alias, one.product)',
        instead='route = one.route if one.route.limits.HasField("total") else _alone(one.alias, one.product)',
        test="tests/router/test_router_resolution.py::test_an_accepted_route_is_planned_as_it_was_accepted_while_it_is_offered",
    ),
    "sharing/shortlists-follow-acceptance": Mutant(
        file="router/llm_mesh_router/domain/resolution.py",
        guard="return self._models.revision, self._routes.revision, self._accepted.revision",
        instead="return self._models.revision, self._routes.revision, 0",
        test="tests/router/test_router_resolution.py::test_a_change_of_what_is_accepted_is_planned_by_at_once",
    ),
    "sharing/earliest-acceptance-first": Mutant(
        file="router/llm_mesh_router/domain/accepted.py",
        guard="return not accepted.own_alias, accepted.accept_time.ToNanoseconds(),",
        instead="return not accepted.own_alias, 0,",
        test="tests/router/test_router_resolution.py::test_of_two_accepted_products_of_one_alias_the_earlier_is_meant",
    ),
    "sharing/offers-told-again": Mutant(
        file="router/llm_mesh_router/domain/offering.py",
        guard="self._failing, self._sent_revision = True, -1",
        instead="self._failing, self._sent_revision = True, revision",
        test="tests/router/test_router_store.py::test_offers_reach_a_registry_that_was_away",
    ),
    "sharing/private-route-is-no-offer": Mutant(
        file="router/llm_mesh_router/domain/routes.py",
        guard="if route.shared_with and domain_of(route.name) != SHARED]",
        instead="if domain_of(route.name) != SHARED]",
        test="tests/router/test_router_store.py::test_offers_are_told_with_each_change_and_taken_back",
    ),
    "sharing/served-while-offered": Mutant(
        file="registry/llm_mesh_registry/domain/acceptance.py",
        guard="if offered is None or not is_offered(offered, self.domain, instant(now)):\n            return None\n        served",
        instead="if offered is None:\n            return None\n        served",
        test="tests/registry/test_registry_pinning.py::test_a_withdrawn_or_retired_product_serves_no_more_and_comes_back_as_it_was_accepted",
    ),
    "sharing/terms-are-pinned": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard="    served.MergeFrom(_picked(accepted, MODEL_TERMS))",
        instead="    served.MergeFrom(_picked(offered, MODEL_TERMS))",
        test="tests/registry/test_registry_pinning.py::test_a_pinned_term_stays_as_accepted_until_the_change_is",
    ),
    "sharing/dearer-price": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard='if offered.HasField("price") and not _dearer(accepted, offered):',
        instead='if offered.HasField("price"):',
        test="tests/registry/test_registry_pinning.py::test_a_dearer_price_is_a_proposal_and_a_cheaper_one_applies_by_itself",
    ),
    "sharing/dearer-in-one-component": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard="return exceeds(offered.price, accepted.price) is not None",
        instead="return offered.price.input_nanos_per_million > accepted.price.input_nanos_per_million",
        test="tests/registry/test_registry_pinning.py::test_one_dearer_component_is_enough_to_need_consent",
    ),
    "sharing/other-currency": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard='if not accepted.HasField("price") or accepted.price.currency != offered.price.currency:',
        instead='if not accepted.HasField("price"):',
        test="tests/registry/test_registry_pinning.py::test_another_currency_needs_consent",
    ),
    "sharing/accepted-price-ends": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard='elif accepted.HasField("price") and holds(accepted.price, now):',
        instead='elif accepted.HasField("price"):',
        test="tests/registry/test_registry_pinning.py::test_an_accepted_price_ends_when_it_says_so_itself",
    ),
}
