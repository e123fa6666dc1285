"""The guards of what is offered, accepted and told between domains: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

OFFERS: Mapping[str, Mutant] = {
    "sharing/only-offered-is-accepted": Mutant(
        file="registry/llm_mesh_registry/store/accepting.py",
        guard="return product if product is not None and is_offered(product, domain, instant(now)) else None",
        instead="return product",
        test="tests/registry/test_registry_subscriptions.py::test_what_is_not_offered_to_a_domain_cannot_be_accepted_and_looks_absent",
    ),
    "sharing/named-version": Mutant(
        file="registry/llm_mesh_registry/store/subscriptions.py",
        guard="if version and version_of(product) != version:",
        instead="if False:",
        test="tests/registry/test_registry_pinning.py::test_a_version_that_is_not_offered_any_more_is_not_accepted",
    ),
    "sharing/nothing-of-others-in-offers": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard='    public.ClearField("shared_with")\n',
        instead="    pass\n",
        test="tests/registry/test_registry_subscriptions.py::test_offers_tell_no_other_receiver_and_no_credential",
    ),
    "sharing/credential-in-offers": Mutant(
        file="registry/llm_mesh_registry/domain/terms.py",
        guard='        public.ClearField("credential")\n',
        instead="        pass\n",
        test="tests/registry/test_registry_subscriptions.py::test_offers_tell_no_other_receiver_and_no_credential",
    ),
    "sharing/credential-in-subscriptions": Mutant(
        file="registry/llm_mesh_registry/domain/acceptance.py",
        guard='        copy.model.ClearField("credential")\n',
        instead="        pass\n",
        test="tests/registry/test_registry_subscriptions.py::test_offers_tell_no_other_receiver_and_no_credential",
    ),
    "sharing/usable-before-accepted": Mutant(
        file="registry/llm_mesh_registry/store/accepting.py",
        guard="and is_usable(offered)",
        instead="and offered.name",
        test="tests/registry/test_registry_subscriptions.py::test_a_subscription_by_publisher_waits_for_the_first_price",
    ),
    "sharing/quota": Mutant(
        file="registry/llm_mesh_registry/store/subscriptions.py",
        guard=">= self._most:",
        instead=">= self._most << 20:",
        test="tests/registry/test_registry_subscriptions.py::test_a_domain_has_no_more_subscriptions_than_its_quota",
    ),
    "sharing/one-subscription": Mutant(
        file="registry/llm_mesh_registry/store/subscriptions.py",
        guard="where(SUBSCRIPTIONS.c.domain == domain, *same))) is not None:",
        instead="where(SUBSCRIPTIONS.c.domain == domain, *same))) == domain:",
        test="tests/registry/test_registry_subscriptions.py::test_a_product_or_publisher_has_one_subscription_of_a_domain",
    ),
    "sharing/alias-of-models-and-subscriptions": Mutant(
        file="registry/llm_mesh_registry/store/rows.py",
        guard="for table in (MODELS, SUBSCRIPTIONS):",
        instead="for table in (MODELS,):",
        test="tests/registry/test_registry_subscriptions.py::test_an_alias_is_given_once_in_a_domain",
    ),
    "sharing/apply-within-parent": Mutant(
        file="registry/llm_mesh_registry/domain/subscriptions.py",
        guard="if parent != _PLATFORM and not is_within(subscription.name, parent):",
        instead="if False:",
        test="tests/registry/test_registry_subscriptions.py::test_an_apply_of_subscriptions_is_idempotent_atomic_and_dry_when_asked",
    ),
    "sharing/route-offers-within-range": Mutant(
        file="registry/llm_mesh_registry/domain/subscriptions.py",
        guard="if not request.after < route.name or (request.through and route.name > request.through):",
        instead="if False:",
        test="tests/registry/test_registry_subscriptions.py::test_offered_routes_are_replaced_within_their_range_only",
    ),
    "sharing/told-once": Mutant(
        file="registry/llm_mesh_registry/store/offers.py",
        guard="connection.execute(insert(NOTICES).values(name=_NOTICE))",
        instead="pass",
        test="tests/registry/test_registry_subscriptions.py::test_shares_from_before_consent_are_offered_and_told_once",
    ),
    "sharing/removals-are-told": Mutant(
        file="registry/llm_mesh_registry/domain/feed.py",
        guard="elif gone not in self._shelves.accepted:",
        instead="elif gone in self._shelves.accepted:",
        test="tests/registry/test_registry_subscriptions.py::test_watchers_hear_of_what_is_accepted_and_of_what_is_no_more",
    ),
    "sharing/forgotten-removals": Mutant(
        file="registry/llm_mesh_registry/domain/feed.py",
        guard="self._forgotten <= int(version) <= self._version",
        instead="int(version) <= self._version",
        test="tests/registry/test_registry_feed.py::test_a_watcher_that_is_behind_what_is_remembered_begins_anew",
    ),
}
