"""What an alias or a name means in a domain: its own, what it accepted, and what `domains/shared` has. Nothing else exists there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import errors_pb2, router_pb2
from llm_mesh_router.domain.accepted import AcceptedProducts
from llm_mesh_router.domain.errors import RouterError
from llm_mesh_router.domain.models import SHARED, Models, is_offered
from llm_mesh_router.domain.routes import RouteBook
from llm_mesh_runtime.resources import domain_of

UNKNOWN = "unknown_model"
NOT_ACCEPTED = "not_accepted"


class AliasMeaning(NamedTuple):
    """What an alias leads to."""

    owner: str
    route: router_pb2.Route
    """The route; one to the model alone where the alias is a model's."""


class Located(NamedTuple):
    """A model as a domain is served by it, or the rule that keeps it away."""

    model: registry_pb2.Model | None
    rule: str = ""


class Resolution:
    """Resolves by models, routes and what was accepted, as they are now."""

    def __init__(self, models: Models, routes: RouteBook, accepted: AcceptedProducts) -> None:
        self._models = models
        self._routes = routes
        self._accepted = accepted

    @property
    def revision(self) -> tuple[int, int, int]:
        """Differs after every change of what anything may mean."""
        return self._models.revision, self._routes.revision, self._accepted.revision

    @property
    def models(self) -> Models:
        """Every domain's, by name: what aliases lead to."""
        return self._models

    def meaning(self, alias: str, domain: str) -> AliasMeaning:
        """What the alias means in the domain; MODEL_NOT_FOUND where it means nothing there."""
        meaning = self.find(alias, domain)
        if meaning is None:
            raise RouterError(errors_pb2.ERROR_REASON_MODEL_NOT_FOUND, f"there is no model {alias}", field="input.model", alias=alias)
        return meaning

    def find(self, alias: str, domain: str) -> AliasMeaning | None:
        """What the alias means in the domain: what the domain gave it to, what is shared, what it accepted under the publisher's alias."""
        accepted = [one for one in self._accepted.of_alias(alias, domain) if self._still_offered(one)]
        return (
            self._accepted_meaning(alias, domain)
            or _first([one for one in accepted if one.own_alias])
            or self._accepted_meaning(alias, SHARED)
            or _first([one for one in accepted if not one.own_alias])
        )

    def located(self, name: str, domain: str) -> Located:
        """The model of a name as the domain is served by it."""
        owner = domain_of(name)
        if owner in (domain, SHARED):
            model = self._models.get(name)
            return Located(model, "" if model is not None else UNKNOWN)
        accepted = self._accepted.get(domain, name)
        if accepted is not None:
            return Located(accepted.model)
        model = self._models.get(name)
        offered = model is not None and is_offered(domain, model.shared_with)
        return Located(None, NOT_ACCEPTED if offered else UNKNOWN)

    def aliases(self, domain: str) -> set[str]:
        """Every alias that may mean something in the domain."""
        aliases = set(self._accepted.aliases(domain))
        for owner in (domain, SHARED):
            aliases.update(self._models.aliases(owner), self._routes.aliases(owner))
        return aliases

    def _accepted_meaning(self, alias: str, domain: str) -> AliasMeaning | None:
        """What the domain itself gave the alias to: a route before a model."""
        route = self._routes.of_alias(alias, domain)
        if route is not None:
            return AliasMeaning(domain, route)
        model = self._models.of_alias(alias, domain)
        return None if model is None else AliasMeaning(domain, _alone(alias, model.name))

    def _still_offered(self, accepted: registry_pb2.AcceptedProduct) -> bool:
        """The registry ends offers of models; of routes the router knows first."""
        return accepted.HasField("model") or self._routes.is_offered(accepted.product, accepted.domain)


def _first(accepted: Sequence[registry_pb2.AcceptedProduct]) -> AliasMeaning | None:
    for one in accepted:
        route = one.route if one.HasField("route") else _alone(one.alias, one.product)
        return AliasMeaning(domain_of(one.product), route)
    return None


def _alone(alias: str, model: str) -> router_pb2.Route:
    return router_pb2.Route(alias=alias, targets=[router_pb2.RouteTarget(model=model)])
