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

_UNITS = {
    "request_nanos_per_million": "requests",
    "search_unit_nanos_per_million": "searches",
    "character_nanos_per_million": "characters",
    "audio_input_second_nanos_per_million": "seconds heard",
    "audio_output_second_nanos_per_million": "seconds spoken",
}
"""What a price charges beside tokens, by its fields."""


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
    """The rates of a price, per million: those of tokens, and of what else it charges. What costs nothing is not shown beside what does."""
    others = [f"{per_million(nanos)} {unit}" for field, unit in _UNITS.items() if (nanos := getattr(price, field))]
    if images := [each.image_nanos_per_million for each in price.images]:
        least, most = per_million(min(images)), per_million(max(images))
        others.append(f"{least} images" if least == most else f"{least} to {most} images")
    if price.input_nanos_per_million or price.output_nanos_per_million or not others:
        others.insert(0, f"{per_million(price.input_nanos_per_million)} / {per_million(price.output_nanos_per_million)}")
    return f"{', '.join(others)} {price.currency}"


def window_text(model: registry_pb2.Model) -> str:
    """The context window, for people."""
    return f"{model.context_window:,}" if model.context_window else ""


def state_text(model: registry_pb2.Model) -> str:
    """Where a model stands in its life."""
    until = f" until {time_text(model.retire_time)}" if model.HasField("retire_time") else ""
    return lifecycle(model).value + until
