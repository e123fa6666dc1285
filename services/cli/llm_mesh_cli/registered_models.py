"""Models as commands find them, by alias or name, and how they are shown in tables."""

from __future__ import annotations

from typing import cast

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.existing import missing
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.models import MODELS, lifecycle
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import per_million, time_text


async def models_of(session: Session, domain: str | None) -> list[registry_pb2.Model]:
    """The models of a domain; of None, all that the caller may see, shared ones first."""
    if domain is not None:
        parents = [await session.domain(domain)]
    else:
        whole = await session.whole()
        parents = [whole] if whole == "domains/-" else ["domains/shared", whole]
    stub = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    return [
        model
        for parent in parents
        async for answer in pages(stub.ListModels, registry_pb2.ListModelsRequest(parent=parent))
        for model in answer.models
    ]


async def model_of(session: Session, name: str) -> registry_pb2.Model:
    """The model of an alias or a name; the domain's own stands before shared ones."""
    if name.startswith("domains/"):
        return cast("registry_pb2.Model", await Calls(session, MODELS).one(name))
    models = await models_of(session, None)
    for model in reversed(models):
        if name in {model.alias, model.name.rpartition("/")[2], model.name.removeprefix("domains/").replace("/models/", "/")}:
            return model
    raise CommandError(f"{missing('model', name, (model.alias for model in models))}; `llm-mesh models list` shows all", Exit.NOT_FOUND)


def price_text(model: registry_pb2.Model) -> str:
    """What a model costs, for people."""
    if model.free:
        return "free"
    if not model.HasField("price"):
        return "none: refused"
    return terms(model.price)


def terms(price: registry_pb2.Price) -> str:
    """The rates of a price, per million."""
    return f"{per_million(price.input_nanos_per_million)} / {per_million(price.output_nanos_per_million)} {price.currency}"


def window_text(model: registry_pb2.Model) -> str:
    """The context window, for people."""
    return f"{model.context_window:,}" if model.context_window else ""


def state_text(model: registry_pb2.Model) -> str:
    """Where a model stands in its life."""
    until = f" until {time_text(model.retire_time)}" if model.HasField("retire_time") else ""
    return lifecycle(model).value + until
