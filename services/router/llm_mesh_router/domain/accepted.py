"""What domains accepted of each other's products, kept up to date by the registry's watch stream."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence

from llm_mesh.registry.v1 import registry_pb2


class AcceptedProducts:
    """Accepted models and routes, as they were accepted. What is not in here of another domain serves nobody."""

    def __init__(self) -> None:
        self._of_domain: dict[str, dict[str, registry_pb2.AcceptedProduct]] = defaultdict(dict)
        self._by_alias: dict[tuple[str, str], list[registry_pb2.AcceptedProduct]] = {}
        self.revision = 0
        """Grows with every change."""

    def get(self, domain: str, product: str) -> registry_pb2.AcceptedProduct | None:
        """What a domain accepted of a product."""
        accepted = self._of_domain.get(domain)
        return None if accepted is None else accepted.get(product)

    def of_alias(self, alias: str, domain: str) -> Sequence[registry_pb2.AcceptedProduct]:
        """What a domain accepted under an alias: first under its own alias of it, then what it accepted first."""
        return self._by_alias.get((domain, alias), ())

    def aliases(self, domain: str) -> Collection[str]:
        """The aliases of what a domain accepted."""
        return {accepted.alias for accepted in self._of_domain.get(domain, {}).values()}

    def put(self, accepted: registry_pb2.AcceptedProduct) -> None:
        """It is new, or changed."""
        self.remove(accepted.domain, accepted.product)
        self._of_domain[accepted.domain][accepted.product] = accepted
        same = self._by_alias.setdefault((accepted.domain, accepted.alias), [])
        same.append(accepted)
        same.sort(key=_precedence)

    def remove(self, domain: str, product: str) -> None:
        """It is not accepted or not offered any more."""
        self.revision += 1
        accepted = self._of_domain[domain].pop(product, None)
        if not self._of_domain[domain]:
            del self._of_domain[domain]
        if accepted is None:
            return
        same = self._by_alias[domain, accepted.alias]
        same.remove(accepted)
        if not same:
            del self._by_alias[domain, accepted.alias]

    def replace(self, everything: Iterable[registry_pb2.AcceptedProduct]) -> None:
        """This is all that is accepted."""
        self.revision += 1
        self._of_domain.clear()
        self._by_alias.clear()
        for accepted in everything:
            self.put(accepted)


def _precedence(accepted: registry_pb2.AcceptedProduct) -> tuple[bool, int, bool, str]:
    """A route stands before a model that was accepted with it, as it does in the publisher's own domain."""
    return not accepted.own_alias, accepted.accept_time.ToNanoseconds(), accepted.HasField("model"), accepted.product
