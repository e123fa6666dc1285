"""The guards of what is reserved of what others share: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping

from tests.proofs.mutant import Mutant

CONSENT: Mapping[str, Mutant] = {
    "sharing/reserve-without-consent": Mutant(
        file="policy/llm_mesh_policy/ledger/peers.py",
        guard='return not name.startswith((f"{domain}/", f"{_SHARED}/"))',
        instead="return bool(name == domain)",
        test="tests/policy/test_ledger_consent.py::test_consent_is_heard_of_kept_and_forgotten",
    ),
    "sharing/domain-by-whole-name": Mutant(
        file="policy/llm_mesh_policy/ledger/peers.py",
        guard='name.startswith((f"{domain}/", f"{_SHARED}/"))',
        instead='name.startswith((domain, f"{_SHARED}/"))',
        test="tests/policy/test_ledger_consent.py::test_the_owner_and_the_shared_domain_need_no_consent",
    ),
    "sharing/reserve-above-accepted-price": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/quote.py",
        guard="if offer is not None and not offer.covers(terms.tariffs.get(attempt.price)):",
        instead="if False:",
        test="tests/policy/test_ledger_consent.py::test_a_price_above_the_accepted_one_is_not_admitted_and_one_below_is",
    ),
    "sharing/any-component-at-reserve": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/rates.py",
        guard="if any(getattr(other, name) > getattr(self, name) for name in PLAIN):",
        instead="if other.input > self.input:",
        test="tests/policy/test_ledger_consent.py::test_a_price_exceeds_another_by_any_single_component",
    ),
    "sharing/policy-forgets-consent": Mutant(
        file="policy/llm_mesh_policy/ledger/peers.py",
        guard="            self._accepted.pop((gone.domain, gone.product), None)\n",
        instead="            pass\n",
        test="tests/policy/test_ledger_consent.py::test_consent_is_heard_of_kept_and_forgotten",
    ),
    "sharing/what-serves-is-found-anew": Mutant(
        file="policy/llm_mesh_policy/ledger/peers.py",
        guard="        self._serving.clear()\n        if message.reset:",
        instead="        if message.reset:",
        test="tests/policy/test_ledger_consent.py::test_consent_is_heard_of_kept_and_forgotten",
    ),
    "sharing/floors-of-both-domains": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/reserving.py",
        guard="if isinstance(served, registry_pb2.AcceptedProduct) and not self._sharing.is_allowed(domain_of(name), domain):",
        instead="if False:",
        test="tests/policy/test_ledger_consent.py::test_consent_serves_only_where_the_floors_of_both_domains_let_it",
    ),
    "sharing/floors-of-the-present-revision": Mutant(
        file="policy/llm_mesh_policy/ledger/domain/sharing.py",
        guard="if floors is not self._revision or len(self._known) >= _MOST:",
        instead="if self._revision is None or len(self._known) >= _MOST:",
        test="tests/policy/test_ledger_consent.py::test_what_floors_say_of_sharing_is_found_out_once_a_revision",
    ),
}
