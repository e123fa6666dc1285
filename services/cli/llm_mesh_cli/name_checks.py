"""Models, endpoints and capabilities that a file or a command names: what does not exist is refused, with the nearest that does.

The router refuses such targets of routes by itself. Policy takes them for projects and keys: a model may come after a key that may use it,
and an alias may be a route's, which policy cannot look up. A person who names one has mostly misspelt it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any

import grpc
import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh.router.v1 import router_pb2, router_pb2_grpc
from llm_mesh_cli.discovery import endpoints as reached
from llm_mesh_cli.existing import missing
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.paging import pages

if TYPE_CHECKING:
    from llm_mesh.policy.v1 import rules_pb2
    from llm_mesh_cli.apply.desired import DesiredState
    from llm_mesh_cli.session import Session

FORCE = Annotated[bool, typer.Option("--force", help="Only warn of models, endpoints and capabilities that do not exist.")]
CAPABILITIES = (
    "generate", "embeddings", "streaming", "tools", "parallel_tool_calls", "json_schema", "json_object", "logprobs", "reasoning",
    "image_input", "audio_input", "file_input", "audio_output", "multiple_candidates", "seed",
    "rerank", "moderate", "assess", "generate_image", "speak", "transcribe",
)  # fmt: skip
"""What a model can do, as the contract lists it."""
MODEL_SUBJECT = "model:"
"""What the subject of a limit begins with that binds a model."""
_SHARED = "domains/shared"
_UNKNOWN = frozenset({grpc.StatusCode.NOT_FOUND, grpc.StatusCode.INVALID_ARGUMENT})
_UNSEEN = frozenset({grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.UNIMPLEMENTED, grpc.StatusCode.UNAVAILABLE})


@dataclass(slots=True)
class NameReferences:
    """Looks names up, each list once. `made` are names that come to be with the file itself."""

    session: Session
    made: set[str] = field(default_factory=set)
    _aliases: dict[str, set[str]] = field(default_factory=dict)
    _models: dict[str, bool] = field(default_factory=dict)
    _endpoints: set[str] | None = None

    async def model_pattern(self, domain: str, pattern: str) -> str:
        """What is wrong with an alias or name of a list of allowed models; empty where nothing is."""
        if pattern.endswith("*") or pattern in self.made or pattern == "-":
            return ""
        if pattern.startswith("domains/"):
            return await self.model(pattern)
        known = await self._known(domain)
        return "" if pattern in known else missing("model", pattern, known | self.made, whole=True)

    async def model(self, name: str) -> str:
        """What is wrong with a model's resource name."""
        if name in self.made or await self._exists(name):
            return ""
        near = await self._listed(name.partition("/models/")[0])
        return missing("model", name.removeprefix("domains/").replace("/models/", "/"), [each.name for each in near])

    async def endpoint(self, adapter: str, endpoint: str) -> str:
        """What is wrong with an adapter's endpoint."""
        if self._endpoints is None:
            self._endpoints = await self._reached()
        place = f"{adapter}/{endpoint}"
        known = self._endpoints | self.made
        return "" if not self._endpoints or place in known else missing("endpoint", place, known, whole=True)

    async def _exists(self, name: str) -> bool:
        if name not in self._models:
            try:
                await self._registry().GetModel(registry_pb2.GetModelRequest(name=name), timeout=10)
                self._models[name] = True
            except grpc.aio.AioRpcError as error:
                if error.code() not in _UNKNOWN | _UNSEEN:
                    raise
                self._models[name] = error.code() in _UNSEEN
        return self._models[name]

    async def _known(self, domain: str) -> set[str]:
        """The aliases that a domain may use, and the names behind them."""
        if domain not in self._aliases:
            known: set[str] = set()
            for parent in dict.fromkeys((domain, _SHARED)):
                for model in await self._listed(parent):
                    known |= {model.alias, model.name}
                known |= await self._routes(parent)
            self._aliases[domain] = known | await self._accepted(domain)
        return self._aliases[domain]

    async def _listed(self, parent: str) -> list[registry_pb2.Model]:
        try:
            request = registry_pb2.ListModelsRequest(parent=parent)
            return [model async for answer in pages(self._registry().ListModels, request) for model in answer.models]
        except grpc.aio.AioRpcError as error:
            if error.code() not in _UNKNOWN | _UNSEEN:
                raise
            return []

    async def _routes(self, parent: str) -> set[str]:
        stub = router_pb2_grpc.RouterServiceStub(self.session.channel("router"))
        try:
            request = router_pb2.ListRoutesRequest(parent=parent)
            return {route.alias async for answer in pages(stub.ListRoutes, request) for route in answer.routes}
        except grpc.aio.AioRpcError as error:
            if error.code() not in _UNKNOWN | _UNSEEN:
                raise
            return set()

    async def _accepted(self, domain: str) -> set[str]:
        """The aliases of what other domains offer, and those that the domain gave it."""
        try:
            offers = registry_pb2.ListOffersRequest(parent=domain)
            known = {offer.alias async for answer in pages(self._registry().ListOffers, offers) for offer in answer.offers}
            accepted = registry_pb2.ListSubscriptionsRequest(parent=domain)
            return known | {
                each.alias async for answer in pages(self._registry().ListSubscriptions, accepted) for each in answer.subscriptions
            }
        except grpc.aio.AioRpcError as error:
            if error.code() not in _UNKNOWN | _UNSEEN:
                raise
            return set()

    async def _reached(self) -> set[str]:
        """The endpoints that adapters have and those whose facts are declared; empty where neither can be asked."""
        names: set[str] = set()
        try:
            names |= {f"{adapter}/{each.name}" for adapter, each in await reached(self.session)}
            request = registry_pb2.ListEndpointsRequest()
            async for answer in pages(self._registry().ListEndpoints, request):
                names |= {each.name.removeprefix("adapters/").replace("/endpoints/", "/") for each in answer.endpoints}
        except grpc.aio.AioRpcError as error:
            if error.code() not in _UNKNOWN | _UNSEEN:
                raise
        return names

    def _registry(self) -> registry_pb2_grpc.RegistryServiceStub:
        return registry_pb2_grpc.RegistryServiceStub(self.session.channel("registry"))


async def check(session: Session, desired: DesiredState, *, force: bool) -> None:
    """Refuses what a file or the options of a command name and what does not exist; only warns with `force`."""
    settle(session, await _problems(NameReferences(session, _made(desired)), desired), force=force)


async def check_models(session: Session, domain: str, patterns: Iterable[str], *, force: bool) -> None:
    """The same of the models that a key may use."""
    references = NameReferences(session)
    settle(session, [problem for pattern in patterns if (problem := await references.model_pattern(domain, pattern))], force=force)


def settle(session: Session, problems: Sequence[str], *, force: bool) -> None:
    """NOT_FOUND with all problems; with `force` they are notes."""
    if problems and not force:
        raise CommandError("\n  ".join([*problems, "nothing was changed; --force does it nevertheless"]), Exit.NOT_FOUND)
    for problem in problems:
        session.output.note(f"warning: {problem}")


def _made(desired: DesiredState) -> set[str]:
    """What the file itself brings about, by every way to name it."""
    items: tuple[Any, ...] = (*desired.registry.models, *desired.router.routes, *desired.subscriptions.subscriptions)
    made = {text for item in items for text in (item.name, item.alias)}
    return made | {each.name.removeprefix("adapters/").replace("/endpoints/", "/") for each in desired.registry.endpoints}


async def _problems(references: NameReferences, desired: DesiredState) -> list[str]:
    """All that does not exist, with its place in the file."""
    problems = []
    async for part, field_, problem in _looked_up(references, desired):
        if problem:
            place = desired.where(part, field_)
            problems.append(f"{place[0].where}: {place[0].path}.{place[1]}: {problem}" if place and place[0].file else problem)
    return problems


async def _looked_up(references: NameReferences, desired: DesiredState) -> AsyncIterator[tuple[str, str, str]]:
    """Each name that refers to something: its request, its field, and what is wrong with it."""
    for field_, domain, pattern in _model_patterns(desired.policy):
        yield "policy", field_, await references.model_pattern(domain, pattern)
    for index, route in enumerate(desired.router.routes):
        for number, target in enumerate(route.targets):
            yield "router", f"routes[{index}].targets[{number}].model", await references.model(target.model)
    for index, model in enumerate(desired.registry.models):
        if model.endpoint:
            yield "registry", f"models[{index}].endpoint", await references.endpoint(model.adapter, model.endpoint)
        for number, capability in enumerate(model.capabilities):
            problem = "" if capability in CAPABILITIES else missing("capability", capability, CAPABILITIES)
            yield "registry", f"models[{index}].capabilities[{number}]", problem


def _model_patterns(policy: rules_pb2.ApplyPolicyRequest) -> Iterator[tuple[str, str, str]]:
    """The models that projects, limits and floors name: the field, the domain whose aliases are meant, and the alias, name or prefix."""
    for index, project in enumerate(policy.projects):
        for number, pattern in enumerate(project.allowed_models):
            yield f"projects[{index}].allowed_models[{number}]", _domain(project.name), pattern
    for index, limit in enumerate(policy.limits):
        if limit.subject.startswith(MODEL_SUBJECT):
            yield f"limits[{index}].subject", _domain(limit.name), limit.subject.removeprefix(MODEL_SUBJECT)
    for index, floor in enumerate(policy.floors):
        for list_, patterns in (("allowed_models", floor.allowed_models), ("denied_models", floor.denied_models)):
            yield from ((f"floors[{index}].{list_}[{number}]", "", each) for number, each in enumerate(patterns) if is_model(each))


def is_model(pattern: str) -> bool:
    """Whether an entry of a floor's list names a model of the mesh, rather than a provider's."""
    return pattern.startswith("domains/")


def _domain(name: str) -> str:
    return "/".join(name.split("/")[:2])
