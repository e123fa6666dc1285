"""The models that the registry knows, as the router sees them: by name, by alias, and by who may see them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from llm_mesh.registry.v1 import registry_pb2

SHARED = "domains/shared"


def owner_of(name: str) -> str:
    """The domain that a resource belongs to."""
    return "/".join(name.split("/", 2)[:2])


def may_see(domain: str, name: str, shared_with: Iterable[str]) -> bool:
    """Whether a domain may use a model or route: its own, those of the shared domain, those shared with it."""
    owner = owner_of(name)
    return owner in (domain, SHARED) or any(other in ("*", domain) for other in shared_with)


class Models:
    """All models, kept up to date by the registry's watch stream."""

    def __init__(self) -> None:
        self._by_name: dict[str, registry_pb2.Model] = {}
        self._by_alias: dict[str, list[registry_pb2.Model]] = defaultdict(list)
        self.revision = 0
        """Grows with every change, so that what is derived from models can tell that it is old."""

    def __len__(self) -> int:
        return len(self._by_name)

    def get(self, name: str) -> registry_pb2.Model | None:
        """The model of that name."""
        return self._by_name.get(name)

    def put(self, model: registry_pb2.Model) -> None:
        """The model is new, or changed."""
        self.remove(model.name)
        self._by_name[model.name] = model
        self._by_alias[model.alias].append(model)
        self._by_alias[model.alias].sort(key=lambda other: (owner_of(other.name) != SHARED, other.name))

    def remove(self, name: str) -> None:
        """The model is gone."""
        self.revision += 1
        model = self._by_name.pop(name, None)
        if model is not None:
            same = self._by_alias[model.alias]
            same.remove(model)
            if not same:
                del self._by_alias[model.alias]

    def replace(self, models: Iterable[registry_pb2.Model]) -> None:
        """These are all models."""
        self.revision += 1
        self._by_name.clear()
        self._by_alias.clear()
        for model in models:
            self.put(model)

    def of_alias(self, alias: str, domain: str) -> registry_pb2.Model | None:
        """The model that an alias means in a domain: its own first, then a shared one."""
        seen = [model for model in self._by_alias.get(alias, ()) if may_see(domain, model.name, model.shared_with)]
        own = [model for model in seen if owner_of(model.name) == domain]
        return next(iter(own or seen), None)

    def visible(self, domain: str) -> Iterator[registry_pb2.Model]:
        """Every model that a domain may use."""
        return (model for model in self._by_name.values() if may_see(domain, model.name, model.shared_with))
