"""The models that the registry knows, as the router sees them: by name, and by alias within their domain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.resources import domain_of

SHARED = "domains/shared"


def is_offered(domain: str, shared_with: Iterable[str]) -> bool:
    """Whether a model or route is offered to a domain. An offer alone serves nobody."""
    return any(receiver in ("*", domain) for receiver in shared_with)


class Models:
    """All models, kept up to date by the registry's watch stream."""

    def __init__(self) -> None:
        self._by_name: dict[str, registry_pb2.Model] = {}
        self._by_owner: dict[str, dict[str, registry_pb2.Model]] = defaultdict(dict)
        self.revision = 0
        """Grows with every change, so that what is derived from models can tell that it is old."""

    def __len__(self) -> int:
        return len(self._by_name)

    def __iter__(self) -> Iterator[registry_pb2.Model]:
        return iter(self._by_name.values())

    def get(self, name: str) -> registry_pb2.Model | None:
        """The model of that name."""
        return self._by_name.get(name)

    def put(self, model: registry_pb2.Model) -> None:
        """The model is new, or changed."""
        self.remove(model.name)
        self._by_name[model.name] = model
        self._by_owner[domain_of(model.name)][model.alias] = model

    def remove(self, name: str) -> None:
        """The model is gone."""
        self.revision += 1
        model = self._by_name.pop(name, None)
        if model is None:
            return
        owned = self._by_owner[domain_of(name)]
        if owned.get(model.alias) is model:
            del owned[model.alias]
        if not owned:
            del self._by_owner[domain_of(name)]

    def replace(self, models: Iterable[registry_pb2.Model]) -> None:
        """These are all models."""
        self.revision += 1
        self._by_name.clear()
        self._by_owner.clear()
        for model in models:
            self.put(model)

    def of_alias(self, alias: str, domain: str) -> registry_pb2.Model | None:
        """The model to which a domain itself gave the alias."""
        return self._owned(domain).get(alias)

    def aliases(self, domain: str) -> Collection[str]:
        """The aliases that a domain gave to models of its own."""
        return self._owned(domain).keys()

    def visible(self, domain: str, most: int) -> list[str]:
        """Names of models that a domain may see, at most so many: its own first."""
        own = [model.name for owner in dict.fromkeys((domain, SHARED)) for model in self._owned(owner).values()]
        if len(own) < most:
            own += [model.name for model in self._by_name.values() if is_offered(domain, model.shared_with)]
        return own[:most]

    def _owned(self, domain: str) -> Mapping[str, registry_pb2.Model]:
        return self._by_owner.get(domain, {})
