"""What a file wants, as the requests of the four services that keep it, and where in the file each resource stands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.policy.v1 import rules_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2

if TYPE_CHECKING:
    from collections.abc import Iterable

    from llm_mesh_cli.apply.reading import FileNode

PLATFORM = "domains/platform"


@dataclass(slots=True)
class DesiredState:
    """The requests, in the order in which they are sent."""

    policy: rules_pb2.ApplyPolicyRequest = field(default_factory=rules_pb2.ApplyPolicyRequest)
    registry: registry_pb2.ApplyModelsRequest = field(default_factory=registry_pb2.ApplyModelsRequest)
    router: router_pb2.ApplyRoutesRequest = field(default_factory=router_pb2.ApplyRoutesRequest)
    catalogue: catalogue_pb2.ApplyPromptsRequest = field(default_factory=catalogue_pb2.ApplyPromptsRequest)
    subscriptions: registry_pb2.ApplySubscriptionsRequest = field(default_factory=registry_pb2.ApplySubscriptionsRequest)
    places: dict[tuple[str, str], FileNode] = field(default_factory=dict)
    """By request and field of it, such as ("registry", "models[3]")."""

    templates: dict[str, dict[str, str | None]] = field(default_factory=dict)
    """By prompt: the templates that the file names by role; None where it says `null`."""

    def note(self, part: str, collection: str, message: Any, place: FileNode, paths: Iterable[str]) -> None:  # noqa: ANN401 (any resource)
        """Add a resource to a request with the fields that the file names, and remember where it stands."""
        request = getattr(self, part)
        items = getattr(request, collection)
        self.places[part, f"{collection}[{len(items)}]"] = place
        items.append(message)
        request.update_masks[message.name].paths.extend(paths)

    def address(self, domains: list[str], *, whole: bool) -> None:
        """One domain is asked for itself; several, or what belongs to none, in the platform's name."""
        parent = domains[0] if len(domains) == 1 and not whole else PLATFORM
        for request in (self.policy, self.registry, self.router, self.catalogue, self.subscriptions):
            request.parent = parent

    def makes(self, product: str) -> bool:
        """Whether the file describes a model or route of that name."""
        return any(item.name == product for items in (self.registry.models, self.router.routes) for item in items)

    def where(self, part: str, path: str) -> tuple[FileNode, str] | None:
        """The place that an error's field is about, and the rest of the field's path."""
        head, bracket, rest = path.partition("]")
        place = self.places.get((part, head + bracket))
        return (place, rest.removeprefix(".")) if place is not None else None
