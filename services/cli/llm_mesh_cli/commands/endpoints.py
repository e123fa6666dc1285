"""`llm-mesh endpoints`: the facts of providers' endpoints, in their operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.nouns.verbs import DRY_RUN, LOOSENING, deleted, put
from llm_mesh_cli.rates import put_image, put_rate
from llm_mesh_cli.session import Session, domain_name
from llm_mesh_cli.texts import money, per_million

app = typer.Typer(no_args_is_help=True, help="Show and declare the facts of providers' endpoints.")
ENDPOINTS = Noun(
    "endpoint",
    "endpoints",
    "Endpoint",
    service="registry",
    stub=registry_pb2_grpc.RegistryServiceStub,
    messages=registry_pb2,
    columns=(),
    parent="",
)
Many = list[str] | None
_TOKENS = tuple(field.name for field in registry_pb2.TokenFloor.DESCRIPTOR.fields if field.name != "hidden_output")
Name = Annotated[str, typer.Argument(help="`openai/ollama`, or `adapters/openai/endpoints/ollama`.")]


@asks(app, "list")
async def list_endpoints(session: Session) -> None:
    """List the endpoints whose facts are declared."""
    endpoints = await Calls(session, ENDPOINTS).listed()
    rows = [
        (
            _short(each.name),
            each.region or "not known",
            ", ".join(each.data_classes) or "public, internal",
            "none kept" if each.zero_retention else "kept",
            "free" if each.free_allowed else _floor(each.price_floor),
            ", ".join(each.domains) or "all",
        )
        for each in endpoints
    ]
    session.output.table(("ENDPOINT", "REGION", "CLASSES", "DATA", "LEAST PRICE", "OPEN TO"), rows, endpoints)


@asks(app)
async def show(session: Session, name: Name) -> None:
    """Show the facts of an endpoint."""
    session.output.resource(await Calls(session, ENDPOINTS).one(_full(name)))


@asks(app, "set")
async def put_endpoint(
    session: Session,
    name: Name,
    region: Annotated[str | None, typer.Option(help="Where data is processed. `''`: not known.")] = None,
    processor: Annotated[str | None, typer.Option(help="The company that processes the data.")] = None,
    description: Annotated[str | None, typer.Option(help="What it is.")] = None,
    data_class: Annotated[Many, typer.Option(help="A data class it is cleared for. Repeat it; `''` for public and internal.")] = None,
    zero_retention: Annotated[bool | None, typer.Option(help="The provider keeps no data.")] = None,
    credential: Annotated[Many, typer.Option(help="A credential that models may name. Repeat it; `''` for none.")] = None,
    upstream: Annotated[Many, typer.Option(help="An upstream model, or a prefix with `*`. Repeat it; `''` for all.")] = None,
    free: Annotated[bool | None, typer.Option(help="Models may be declared free.")] = None,
    least_input: Annotated[str, typer.Option(help="Least price per million input tokens, such as `0.15 USD`.")] = "",
    least_output: Annotated[str, typer.Option(help="Least price per million output tokens.")] = "",
    least: Annotated[
        Many,
        typer.Option(
            help="Another least rate, such as `cached_input=0.01`, of a tier as `flex.input=0.05`, of another model in one answer as "
            "`model:NAME.input=1`. Repeat it; unset is as input or output."
        ),
    ] = None,
    least_image: Annotated[
        Many,
        typer.Option(
            help="Least price per million images of a size and quality: `1024x1024,high=167000`. Either may be left out. Repeat it."
        ),
    ] = None,
    token_floor: Annotated[
        Many,
        typer.Option(
            help="The least that a request counts, such as `image_tokens=765`: image_tokens, audio_tokens, file_tokens, "
            "context_window, audio_seconds. "
            "Repeat it; 0: as the model says; `''` for all of them."
        ),
    ] = None,
    hidden_output: Annotated[
        Many, typer.Option(help="How every model may hide output: `reasoning` or `audio_output`. Repeat it; `''` for neither.")
    ] = None,
    domain: Annotated[Many, typer.Option(help="A domain whose models may use it. Repeat it; `''` for all.")] = None,
    operator: Annotated[str, typer.Option(help="The domain that operates it. A new endpoint: the platform.")] = "",
    dry_run: DRY_RUN = False,
    allow_loosening: LOOSENING = False,
) -> None:
    """Declare what the options name of an endpoint's facts; the rest stays. Models of domains can only narrow them."""
    before = await Calls(session, ENDPOINTS).existing(_full(name))
    after = registry_pb2.Endpoint(name=_full(name), operator="domains/platform")
    if before is not None:
        after.CopyFrom(before)
    values = {"region": region, "processor": processor, "description": description, "zero_retention": zero_retention, "free_allowed": free}
    for field, value in (*values.items(), ("operator", domain_name(operator) if operator else None)):
        if value is not None:
            setattr(after, field, value)
    lists = {"data_classes": data_class, "credentials": credential, "upstream_models": upstream, "domains": domain}
    for field, names in lists.items():
        if names is not None:
            after.ClearField(field)
            getattr(after, field).extend(domain_name(each) if field == "domains" else each for each in names if each)
    _set_price_floor(after, session.mesh.currency, {"input": least_input, "output": least_output}, least, least_image)
    _set_token_floor(after, token_floor, hidden_output)
    await put(session, ENDPOINTS, before, after, dry_run=dry_run, loosens=allow_loosening)


@asks(app)
async def delete(session: Session, name: Name) -> None:
    """Delete the facts of an endpoint: models of domains can claim nothing about it any more."""
    await Calls(session, ENDPOINTS).delete(_full(name))
    deleted(session, _full(name))


def _set_price_floor(endpoint: registry_pb2.Endpoint, currency: str, least: Mapping[str, str], others: Many, images: Many) -> None:
    """Sets what the options name. Images of one size and quality replace those that were there."""
    floor = endpoint.price_floor
    for rate, words in least.items():
        if words:
            amount = money(words, currency)
            floor.currency = amount.currency
            setattr(floor, f"{rate}_nanos_per_million", amount.nanos)
    if others or images:
        floor.currency = floor.currency or currency
    for option in others or ():
        put_rate(floor, option, flag="--least")
    if images is not None:
        del floor.images[:]
        for option in filter(None, images):
            put_image(floor, option, flag="--least-image")
    if not floor.ByteSize():
        endpoint.ClearField("price_floor")


def _set_token_floor(endpoint: registry_pb2.Endpoint, floor: Many, hidden_output: Many) -> None:
    """Sets what the options name; a floor of nothing is none."""
    if floor == [""]:
        for field in _TOKENS:
            endpoint.token_floor.ClearField(field)
    else:
        for option in floor or ():
            field, _, count = option.partition("=")
            if field not in _TOKENS or not count.isdecimal():
                raise CommandError(f"--token-floor {option}: expected BOUND=TOKENS, with one of {', '.join(_TOKENS)}", Exit.USAGE)
            setattr(endpoint.token_floor, field, int(count))
    if hidden_output is not None:
        endpoint.token_floor.hidden_output[:] = [each for each in hidden_output if each]
    if not endpoint.token_floor.ByteSize():
        endpoint.ClearField("token_floor")


def _full(name: str) -> str:
    if name.startswith("adapters/"):
        return name
    adapter, _, endpoint = name.partition("/")
    return f"adapters/{adapter}/endpoints/{endpoint}"


def _short(name: str) -> str:
    return name.removeprefix("adapters/").replace("/endpoints/", "/")


def _floor(floor: registry_pb2.PriceFloor) -> str:
    if not floor.currency:
        return "above zero"
    return f"{per_million(floor.input_nanos_per_million)} / {per_million(floor.output_nanos_per_million)} {floor.currency}"
