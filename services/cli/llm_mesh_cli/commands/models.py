"""`llm-mesh models`: what applications can ask, and local model servers that wait to be found."""

from __future__ import annotations

from collections.abc import Sequence
from fnmatch import fnmatchcase
from typing import Annotated

import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.discovery import DiscoveredModels, discovered, place, registered
from llm_mesh_cli.existing import missing
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.name_checks import CAPABILITIES
from llm_mesh_cli.nouns.models import MODELS, ModelLifecycle, lifecycle
from llm_mesh_cli.nouns.verbs import change, register
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.registered_models import model_of, models_of, price_text, state_text, terms, window_text
from llm_mesh_cli.session import Session
from llm_mesh_cli.texts import moment, time_text
from llm_mesh_cli.tried_models import MOST_TRIED, try_models

app = typer.Typer(no_args_is_help=True, help="Show, add and change models, find local ones, deprecate them.")
Domain = Annotated[str | None, typer.Option("--domain", help="`claims`, or `-` for all. Default: all that the key may see.")]
Name = Annotated[str, typer.Argument(help="A model's alias, or its resource name.")]


register(app, MODELS, without=("list", "show"))


@asks(app, "list")
async def list_models(
    session: Session,
    domain: Domain = None,
    alias: Annotated[str, typer.Option(help="Only aliases of this form, such as `gpt-*`.")] = "*",
    adapter: Annotated[str, typer.Option(help="Only of this adapter.")] = "",
    endpoint: Annotated[str, typer.Option(help="Only of this endpoint.")] = "",
    capability: Annotated[list[str] | None, typer.Option(help="Only with this capability, such as `tools`; repeatable.")] = None,
    state: Annotated[ModelLifecycle | None, typer.Option(help="Only in this state.")] = None,
    free: Annotated[bool | None, typer.Option(help="Only models that are free, or that are not.")] = None,
) -> None:
    """List models with their prices."""
    needed = set(capability or ())
    models = await models_of(session, domain)
    for kind, name, used in (
        ("adapter", adapter, {model.adapter for model in models}),
        ("endpoint", endpoint, {model.endpoint for model in models}),
    ):
        if name and name not in used:
            raise CommandError(f"{missing(kind, name, used)}: no model uses it", Exit.NOT_FOUND)
    for name in needed.difference(CAPABILITIES, *(model.capabilities for model in models)):
        raise CommandError(missing("capability", name, CAPABILITIES), Exit.NOT_FOUND)
    listed = [
        model
        for model in models
        if endpoint in {"", model.endpoint}
        and adapter in {"", model.adapter}
        and fnmatchcase(model.alias, alias)
        and needed <= set(model.capabilities)
        and state in {None, lifecycle(model)}
        and free in {None, model.free}
    ]
    rows = [
        (model.alias, model.endpoint, model.name.split("/")[1], price_text(model), window_text(model), state_text(model))
        for model in listed
    ]
    session.output.table(("ALIAS", "ENDPOINT", "DOMAIN", "IN / OUT PER MILLION", "WINDOW", "STATE"), rows, listed)


@asks(app)
async def show(session: Session, name: Name) -> None:
    """Show a model whole, with its price versions."""
    model = await model_of(session, name)
    stub = _registry(session)
    request = registry_pb2.ListPricesRequest(parent=model.name)
    prices = [price async for answer in pages(stub.ListPrices, request) for price in answer.prices]
    if session.output.as_json:
        session.output.data({"model": as_dict(model), "prices": [as_dict(price) for price in prices]})
        return
    whole = registry_pb2.Model()
    whole.CopyFrom(model)
    whole.ClearField("price")
    session.output.resource(whole)
    for price in prices:
        number, begin = price.name.rpartition("/")[2], time_text(price.valid_from)
        session.output.line(f"{f'price {number}':<24} {terms(price)} per million, from {begin} ({price.source})")


@asks(app)
async def deprecate(
    session: Session, name: Name, retire: Annotated[str, typer.Option(help="When it stops to answer: `90d`, or a time.")] = "90d"
) -> None:
    """Deprecate a model: it answers until it is retired."""
    request = registry_pb2.DeprecateModelRequest(name=(await model_of(session, name)).name)
    request.retire_time.FromDatetime(moment(retire))
    answer = await _registry(session).DeprecateModel(request)
    if session.output.as_json:
        session.output.message(answer.model)
    session.output.line(f"{answer.model.name} answers until {time_text(answer.model.retire_time)}")


@asks(app)
async def undeprecate(session: Session, name: Name) -> None:
    """Take a deprecation back: the model is active, and answers without an end."""
    full = (await model_of(session, name)).name
    await change(session, MODELS, full, {"lifecycle": ModelLifecycle.ACTIVE.value}, ("retire_time",), dry_run=False, loosens=True)


@asks(app, "well-known")
async def well_known(
    session: Session, endpoint: Annotated[str, typer.Option(help="Only of this endpoint, such as `anthropic`.")] = ""
) -> None:
    """List the models of providers that the mesh knows prices of; a first start registers those whose credential it has."""
    request = registry_pb2.ListWellKnownModelsRequest(endpoint=endpoint)
    listed = [model async for answer in pages(_registry(session).ListWellKnownModels, request) for model in answer.models]
    rows = [(model.alias, model.adapter, model.endpoint, price_text(model), window_text(model), model.price.source) for model in listed]
    session.output.table(("ALIAS", "ADAPTER", "ENDPOINT", "IN / OUT PER MILLION", "WINDOW", "SOURCE"), rows, listed)


@asks(app)
async def discover(
    session: Session,
    add: Annotated[bool, typer.Option("--add", help="Register what is found in domains/shared, as free.")] = False,
    endpoint: Annotated[
        list[str] | None,
        typer.Option("--endpoint", help="Only this endpoint, such as `openai/vllm` or `vllm`; repeatable. Default: all local ones."),
    ] = None,
    upstream: Annotated[str, typer.Option("--upstream", help="Only models that the provider names so, such as `qwen*`.")] = "*",
    attempt: Annotated[
        bool,
        typer.Option("--try", help="With --add: find out what each model can do by one small call for each capability. The project pays."),
    ] = False,
) -> None:
    """Find models of local servers (Ollama, llama.cpp, vLLM, LM Studio, …) by asking the mesh's adapters."""
    if attempt and not add:
        raise CommandError("--try: only with --add: a model is tried once it is registered", Exit.USAGE)
    offered = await session.output.waiting(discovered(session, tuple(endpoint or ())), "asking local model servers")
    offered = offered._replace(models=tuple(model for model in offered.models if fnmatchcase(model.upstream_model, upstream)))
    known = await models_of(session, "-")
    new = [model for model in offered.models if not registered(model, known)]
    if attempt and len(new) > MOST_TRIED:
        raise CommandError(f"--try: {len(new)} models are new, at most {MOST_TRIED} are tried at once; name some by --upstream", Exit.USAGE)
    if add and new:
        request = registry_pb2.ApplyModelsRequest(parent="domains/platform", models=_named(new, known))
        request.endpoints.extend(await _undeclared(session, offered))
        await _registry(session).ApplyModels(request)
        if attempt:
            await try_models(session, request.models)
    _tell(session, offered, new, added=add)


async def _undeclared(session: Session, offered: DiscoveredModels) -> list[registry_pb2.Endpoint]:
    """The endpoints that answered and whose facts nobody has declared."""
    listing = pages(_registry(session).ListEndpoints, registry_pb2.ListEndpointsRequest())
    declared = {endpoint.name async for answer in listing for endpoint in answer.endpoints}
    return [endpoint for endpoint in offered.facts if endpoint.name not in declared]


def _tell(session: Session, offered: DiscoveredModels, new: Sequence[registry_pb2.Model], *, added: bool) -> None:
    if session.output.as_json:
        session.output.data(
            {
                "models": [as_dict(model) for model in offered.models],
                "new": [model.upstream_model for model in new],
                "added": added,
                "silent": list(offered.silent),
            }
        )
        return
    fresh = {place(model) for model in new}
    state = "added" if added else "new"
    rows = [(*place(model), state if place(model) in fresh else "registered") for model in offered.models]
    if rows:
        session.output.table(("ENDPOINT", "MODEL", "STATE"), rows)
    if offered.silent:
        session.output.line(f"no answer from {', '.join(offered.silent)}")
    if new and not added:
        session.output.line("register them with: llm-mesh models discover --add")


def _named(new: Sequence[registry_pb2.Model], known: Sequence[registry_pb2.Model]) -> list[registry_pb2.Model]:
    from llm_mesh_cli.naming import named  # noqa: PLC0415 (only who registers needs it)

    return named(new, [model for model in known if model.name.startswith("domains/shared/")])


def _registry(session: Session) -> registry_pb2_grpc.RegistryServiceStub:
    return registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
