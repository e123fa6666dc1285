"""The guards against the attacks: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str
    """Within `services/`."""
    guard: str
    """Text that stands in the file once."""
    instead: str
    """What takes its place."""
    test: str
    """The test that goes red, as pytest names it."""


MUTANTS: Mapping[str, Mutant] = {
    "rules/escalation-by-binding": Mutant(
        file="policy/llm_mesh_policy/domain/rules/escalation.py",
        guard="if not change.snapshot.rules.covers(change.actor.principal, rule):",
        instead="if False:",
        test="tests/policy/test_rules_administration.py",
    ),
    "floor/empty-intersection": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="return [value for value in first if value in second] or NOTHING",
        instead="return [value for value in first if value in second]",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/patterns-without-overlap": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="return list(dict.fromkeys(pattern for pattern in narrower if pattern)) or NOTHING",
        instead="return list(dict.fromkeys(pattern for pattern in narrower if pattern))",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/of-every-domain": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="(floors.get(floor_name(domain)), floors.get(EVERY_DOMAIN))",
        instead="(floors.get(floor_name(domain)), None)",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/retention": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="zero_retention=domain.zero_retention or floor.zero_retention,",
        instead="zero_retention=domain.zero_retention,",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/data-class": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="(domain.default_data_class or DEFAULT_DATA_CLASS, *floor.minimum_data_classes)",
        instead="(domain.default_data_class or DEFAULT_DATA_CLASS,)",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/classes-allowed": Mutant(
        file="policy/llm_mesh_policy/domain/stricter.py",
        guard="if floor.data_classes and not set(classes) <= set(floor.data_classes):",
        instead="if False:",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/output-tokens": Mutant(
        file="policy/llm_mesh_policy/domain/admission/admitting.py",
        guard="most = least(project.max_output_tokens or self._outputs.most, constraints.max_output_tokens)",
        instead="most = project.max_output_tokens or self._outputs.most",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/conflict-is-refused": Mutant(
        file="policy/llm_mesh_policy/domain/admission/admitting.py",
        guard="if held.conflicts:",
        instead="if False:",
        test="tests/policy/test_floor_sequences.py",
    ),
    "floor/own-settings-beyond": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="    if setting:",
        instead="    if False:",
        test="tests/policy/test_floors.py",
    ),
    "floor/screening": Mutant(
        file="policy/llm_mesh_policy/domain/screening/rules.py",
        guard="actions = self._of_floor(domain)",
        instead="actions: Actions = {}",
        test="tests/policy/test_floors.py",
    ),
    "floor/apply-needs-the-right": Mutant(
        file="policy/llm_mesh_policy/domain/rules/applying.py",
        guard='change.require("floors.put", floor.name)',
        instead="pass",
        test="tests/policy/test_floors.py",
    ),
    "floor/only-the-platforms": Mutant(
        file="policy/llm_mesh_policy/domain/rules/flooring.py",
        guard="if place[0] != _PLATFORM_ID:",
        instead="if False:",
        test="tests/policy/test_floors.py",
    ),
    "consent/pending": Mutant(
        file="policy/llm_mesh_policy/domain/rules/consent.py",
        guard="return ACTIVE if may_accept(change, wanted.principal) else PENDING",
        instead="return ACTIVE",
        test="tests/policy/test_floor_sequences.py",
    ),
    "consent/ends-with-a-change": Mutant(
        file="policy/llm_mesh_policy/domain/rules/consent.py",
        guard="(before.principal, before.role, before.scope) == (wanted.principal, wanted.role, wanted.scope)",
        instead="before.principal == wanted.principal",
        test="tests/policy/test_consent.py",
    ),
    "consent/earlier-builds": Mutant(
        file="policy/llm_mesh_policy/domain/rules/consent.py",
        guard="return ACTIVE if domain_of(binding.name) == PLATFORM else PENDING",
        instead="return ACTIVE",
        test="tests/policy/test_consent.py",
    ),
    "consent/who-exists-elsewhere": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="told = not consent.is_foreign(saved) or consent.may_accept(change, saved.principal)",
        instead="told = True",
        test="tests/policy/test_consent.py",
    ),
    "consent/of-the-named-principal": Mutant(
        file="policy/llm_mesh_policy/domain/rules/administration.py",
        guard="if binding is None or binding.principal != principal or not is_foreign(binding):",
        instead="if binding is None:",
        test="tests/policy/test_consent.py",
    ),
    "rules/foreign-grants-lock-nobody-out": Mutant(
        file="policy/llm_mesh_policy/domain/rules/escalation.py",
        guard="for binding in rules.bindings_of(principal) if domain_of(binding.name) in home",
        instead="for binding in rules.bindings_of(principal)",
        test="tests/policy/test_consent.py",
    ),
    "rules/revoking-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/identity/keyring.py",
        guard="""            require_held(change, key.principal, name)
            revoked""",
        instead="            revoked",
        test="tests/policy/test_consent.py",
    ),
    "rules/deleting-a-binding-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/administration.py",
        guard="            require_covered(change, change.snapshot.rules.rules_of(gone), name)",
        instead="            pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/replacing-a-binding-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="        require_covered(change, change.snapshot.rules.rules_of(before), saved.name)",
        instead="        pass",
        test="tests/policy/test_consent.py",
    ),
    "rules/emptying-a-role-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/access.py",
        guard="for each in (before, saved):",
        instead="for each in (saved,):",
        test="tests/policy/test_consent.py",
    ),
    "rules/deleting-a-role-is-guarded": Mutant(
        file="policy/llm_mesh_policy/domain/rules/administration.py",
        guard="require_role_covered(change, ROLES.get(change.transaction, name))",
        instead="ROLES.get(change.transaction, name)",
        test="tests/policy/test_consent.py",
    ),
    "rules/explain-shows-what-may-be-listed": Mutant(
        file="policy/llm_mesh_policy/domain/rules/explaining.py",
        guard="""if self._may("bindings.list", f"{domain_of(binding.name)}/bindings")]""",
        instead="]",
        test="tests/policy/test_consent.py",
    ),
    "rules/explain-knows-only-own-principals": Mutant(
        file="policy/llm_mesh_policy/domain/rules/explaining.py",
        guard="""known = self._may("principals.list", f"{domain_of(request.principal)}/principals")""",
        instead="known = True",
        test="tests/policy/test_consent.py",
    ),
    "apply/budgets-need-their-right": Mutant(
        file="policy/llm_mesh_policy/domain/rules/applying.py",
        guard="""change.require("budgets.put", resource.name)""",
        instead="pass",
        test="tests/policy/test_apply_policy.py",
    ),
    "apply/limits-need-their-right": Mutant(
        file="policy/llm_mesh_policy/domain/rules/applying.py",
        guard="""change.require("limits.put", resource.name)""",
        instead="pass",
        test="tests/policy/test_apply_policy.py",
    ),
    "reserve/price-of-that-model": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="""if tariff is None or not attempt.price.startswith(attempt.model + "/prices/"):""",
        instead="if tariff is None:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/currency": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if tariff.currency != terms.currency:",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/region": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if regions and offer.region not in regions:",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/region-is-the-registrys": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="""if attempt.region not in {"", offer.region}:""",
        instead="if False:",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/models-of-project-and-key": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if lists and not all(",
        instead="if False and not all(",
        test="tests/policy/test_reserve_guards.py",
    ),
    "reserve/endpoints": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if endpoints and f",
        instead="if False and f",
        test="tests/policy/test_reserve_guards.py",
    ),
    "router/models-of-project-and-key": Mutant(
        file="router/llm_mesh_router/domain/eligibility.py",
        guard="if not all(_named(listed.patterns",
        instead="if False and not all(_named(listed.patterns",
        test="tests/router/test_router_planning.py",
    ),
    "ledger/budget-of-a-domain": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/amounts.py",
        guard="MONEY: sum(line.reserved for line in lines if pays(line.payer, domain))",
        instead="MONEY: 0",
        test="tests/policy/test_platform_limits.py",
    ),
    "ledger/limit-of-each-domain": Mutant(
        file="policy/llm_mesh_policy/store/ledger_limits.py",
        guard="        ledger_each.spread(connection, wanted, now)",
        instead="        pass",
        test="tests/policy/test_platform_limits.py",
    ),
    "ledger/limit-of-each-new-domain": Mutant(
        file="policy/llm_mesh_policy/store/ledger_each.py",
        guard="for meter in _select(connection, meters.c.subject == EACH_DOMAIN):",
        instead="for meter in ():",
        test="tests/policy/test_platform_limits.py",
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
        guard="self._failing, self._told = True, -1",
        instead="self._failing, self._told = True, revision",
        test="tests/router/test_router_store.py::test_offers_reach_a_registry_that_was_away",
    ),
    "sharing/private-route-is-no-offer": Mutant(
        file="router/llm_mesh_router/domain/routes.py",
        guard="if route.shared_with and owner_of(route.name) != SHARED]",
        instead="if owner_of(route.name) != SHARED]",
        test="tests/router/test_router_store.py::test_offers_are_told_with_each_change_and_taken_back",
    ),
    "sharing/served-while-offered": Mutant(
        file="registry/llm_mesh_registry/domain/acceptance.py",
        guard="if offered is None or not is_offered(offered, self.domain, instant(now)):\n            return None\n        told",
        instead="if offered is None:\n            return None\n        told",
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
        guard="return any(_rate(offered.price, rate) > _rate(accepted.price, rate) for rate in RATES)",
        instead="return all(_rate(offered.price, rate) > _rate(accepted.price, rate) for rate in RATES)",
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
        guard="and is_usable(found)",
        instead="and found.name",
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
    "sharing/reserve-without-consent": Mutant(
        file="policy/llm_mesh_policy/peers.py",
        guard='return not name.startswith((f"{domain}/", f"{_SHARED}/"))',
        instead="return bool(name == domain)",
        test="tests/policy/test_ledger_consent.py::test_consent_is_heard_of_kept_and_forgotten",
    ),
    "sharing/domain-by-whole-name": Mutant(
        file="policy/llm_mesh_policy/peers.py",
        guard='name.startswith((f"{domain}/", f"{_SHARED}/"))',
        instead='name.startswith((domain, f"{_SHARED}/"))',
        test="tests/policy/test_ledger_consent.py::test_the_owner_and_the_shared_domain_need_no_consent",
    ),
    "sharing/reserve-above-accepted-price": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if offer is not None and not offer.covers(terms.tariffs.get(attempt.price)):",
        instead="if False:",
        test="tests/policy/test_ledger_consent.py::test_a_price_above_the_accepted_one_is_not_admitted_and_one_below_is",
    ),
    "sharing/any-component-at-reserve": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/rates.py",
        guard="return any(getattr(other, field.name) > getattr(self, field.name) for field in fields(self))",
        instead="return other.input > self.input",
        test="tests/policy/test_ledger_consent.py::test_a_price_exceeds_another_by_any_single_component",
    ),
    "sharing/policy-forgets-consent": Mutant(
        file="policy/llm_mesh_policy/peers.py",
        guard="            self._accepted.pop((gone.domain, gone.product), None)\n",
        instead="            pass\n",
        test="tests/policy/test_ledger_consent.py::test_consent_is_heard_of_kept_and_forgotten",
    ),
    "sharing/what-serves-is-found-anew": Mutant(
        file="policy/llm_mesh_policy/peers.py",
        guard="        self._serving.clear()\n        if message.reset:",
        instead="        if message.reset:",
        test="tests/policy/test_ledger_consent.py::test_consent_is_heard_of_kept_and_forgotten",
    ),
    "money/hidden-output-costs": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/unfinished.py",
        guard="hidden = max(0, min(produced(line, report.duration_us, speed), most) - visible)",
        instead="hidden = 0",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/whole-answers-hide-all": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/unfinished.py",
        guard="if line.hides_output or not report.streamed:",
        instead="if line.hides_output:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/hidden-output-at-its-dearest": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/unfinished.py",
        guard="    _put_in_dearest(usage, line, hidden)\n    return usage",
        instead="    return usage",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/estimates-round-up": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/settlement.py",
        guard="line.rates.charge_up(usage)",
        instead="line.rates.charge(usage)",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/strict-charging": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/settlement.py",
        guard="    if line.strict:",
        instead="    if False:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/slow-readers": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/speeds.py",
        guard="elif not streamed:",
        instead="else:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/truth-replaces-estimates": Mutant(
        file="policy/llm_mesh_policy/store/ledger.py",
        guard="if not found.awaits(wanted.lines):",
        instead="if True:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/later-budgets-follow-corrections": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/reservation.py",
        guard="        if joined:\n",
        instead="        if False:\n",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/reconciliation-is-possible": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/settlement.py",
        guard="if wrong is not None:",
        instead="if False:",
        test="tests/policy/test_ledger_unfinished.py",
    ),
    "money/impossible-usage": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/settlement.py",
        guard="if impossible(line, usage) is not None:",
        instead="if False:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/overruns-close-budgets": Mutant(
        file="policy/llm_mesh_policy/store/ledger_charging.py",
        guard="if not charged.entry.overrun:",
        instead="if True:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/closed-budgets-refuse": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/meters.py",
        guard="(amount > meter.left or meter.closed)",
        instead="amount > meter.left",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/worst-case-in-64-bits": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="if worst > MAX_AMOUNT:",
        instead="if False:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/worst-case-of-all-attempts": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/quote.py",
        guard="    if len(lines) > 1:\n",
        instead="    if False:\n",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/projects-need-budgets": Mutant(
        file="policy/llm_mesh_policy/store/ledger.py",
        guard="if self._budget_required and (",
        instead="if False and (",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/demanded-tags": Mutant(
        file="policy/llm_mesh_policy/store/ledger.py",
        guard="return None if missing is None else refusals.tag_required(*missing)",
        instead="return None",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/limits-keep-their-count": Mutant(
        file="policy/llm_mesh_policy/store/ledger_limits.py",
        guard="if before is not None and wanted.same_counts(before):",
        instead="if False and before is not None:",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/sums-saturate": Mutant(
        file="policy/llm_mesh_policy/store/ledger_limits.py",
        guard="return replace(meter, spent=saturated(spent), held=saturated(held))",
        instead="return replace(meter, spent=spent, held=held)",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/posted-sums-saturate": Mutant(
        file="policy/llm_mesh_policy/store/ledger_meters.py",
        guard="CASE WHEN spent + v.column4 > {MAX_AMOUNT} THEN {MAX_AMOUNT} ELSE spent + v.column4 END",
        instead="spent + v.column4",
        test="tests/policy/test_ledger_closing.py",
    ),
    "money/stricter-figure": Mutant(
        file="policy/llm_mesh_policy/store/ledger_sums.py",
        guard="if compared.lacking:",
        instead="if False:",
        test="tests/policy/test_ledger_meter_check.py",
    ),
    "money/meters-are-compared": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/meter_check.py",
        guard="return (self.spent, self.held) == (self.meter.spent, self.meter.held)",
        instead="return True",
        test="tests/policy/test_ledger_meter_check.py",
    ),
    "money/unknown-references-fill-the-window": Mutant(
        file="router/llm_mesh_router/domain/references.py",
        guard="if self._unknown(profile) and self.window:",
        instead="if False:",
        test="tests/router/test_router_references.py",
    ),
    "money/strict-references": Mutant(
        file="router/llm_mesh_router/domain/references.py",
        guard="        if self.strict:\n",
        instead="        if False:\n",
        test="tests/router/test_router_references.py",
    ),
    "money/references-are-found": Mutant(
        file="gateway/llm_mesh_gateway/domain/profile.py",
        guard='elif not media.HasField("data"):',
        instead="elif False:",
        test="tests/gateway/test_gateway_references.py",
    ),
    "money/references-in-escapes": Mutant(
        file="gateway/llm_mesh_gateway/domain/references.py",
        guard="|\\\\u'",
        instead="'",
        test="tests/gateway/test_gateway_references.py",
    ),
    "money/early-usage-is-not-final": Mutant(
        file="gateway/llm_mesh_gateway/domain/tally.py",
        guard="if self._final and usage.output_tokens >= counted:",
        instead="if usage.output_tokens >= counted:",
        test="tests/gateway/test_gateway_references.py",
    ),
    "money/prices-are-bounded": Mutant(
        file="registry/llm_mesh_registry/domain/prices.py",
        guard="if not 0 <= getattr(price, rate) <= MAX_PRICE:",
        instead="if getattr(price, rate) < 0:",
        test="tests/registry/test_registry_bounds.py",
    ),
    "money/reports-saturate": Mutant(
        file="observability/llm_mesh_observability/store/projection.py",
        guard="saturated(figure, MAX_INT64)",
        instead="figure",
        test="tests/observability/test_observability_projection.py",
    ),
    "sharing/floors-of-both-domains": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/reserving.py",
        guard="if isinstance(served, registry_pb2.AcceptedProduct) and not self._sharing.is_allowed(domain_of(name), domain):",
        instead="if False:",
        test="tests/policy/test_ledger_consent.py::test_consent_serves_only_where_the_floors_of_both_domains_let_it",
    ),
    "sharing/floors-of-the-present-revision": Mutant(
        file="policy/llm_mesh_policy/domain/ledger/sharing.py",
        guard="if floors is not self._revision or len(self._known) >= _MOST:",
        instead="if self._revision is None or len(self._known) >= _MOST:",
        test="tests/policy/test_ledger_consent.py::test_what_floors_say_of_sharing_is_found_out_once_a_revision",
    ),
}
