"""`llm-mesh endpoints`: the facts of providers' endpoints, in their operator's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.discovery import adapters
from llm_mesh_cli.endpoint_check import check_endpoint, in_effect
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.calls import Calls
from llm_mesh_cli.nouns.noun import Noun
from llm_mesh_cli.nouns.verbs import DRY_RUN, LOOSENING, deleted, put
from llm_mesh_cli.rates import put_image, put_rate
from llm_mesh_cli.session import Session, domain_name
from llm_mesh_cli.texts import duration, money, per_million

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
_IN_EFFECT = 10.0
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


@asks(app)
async def add(
    session: Session,
    name: Name,
    base_url: Annotated[
        str, typer.Option("--base-url", help="Everything before the dialect's paths, such as `https://gpu.acme.example/v1`.")
    ],
    like: Annotated[str, typer.Option(help="The known provider whose quirks the server has, such as `vllm`.")] = "",
    credential_variable: Annotated[
        str, typer.Option(help="The variable of the adapter's environment that has the credential: `LLM_MESH_ENDPOINT_CREDENTIAL_…`.")
    ] = "",
    credential_file: Annotated[str, typer.Option(help="The file that has it, as the adapter sees it.")] = "",
    allow: Annotated[Many, typer.Option(help="An address range beside public ones, such as `10.1.2.0/24`. Repeat it.")] = None,
    local: Annotated[bool, typer.Option("--local", help="It runs on the adapter's own machine.")] = False,
    proxy: Annotated[str, typer.Option(help="An HTTP proxy that tunnels all connections.")] = "",
    http2: Annotated[bool, typer.Option("--http2", help="Offer HTTP/2.")] = False,
    client_certificate: Annotated[str, typer.Option(help="File of the certificate by which the mesh proves who it is.")] = "",
    client_key: Annotated[str, typer.Option(help="File of its key, where that is another one.")] = "",
    authorities: Annotated[str, typer.Option(help="File of the authorities that may sign the server's certificate.")] = "",
    max_in_flight: Annotated[int, typer.Option(min=0, help="Calls at once per credential and model. 0: as the operator sets it.")] = 0,
    region: Annotated[str, typer.Option(help="Where data is processed. A new endpoint: not known.")] = "",
    test: Annotated[bool, typer.Option(help="Ask the provider whether it answers and takes the credential.")] = True,
    dry_run: DRY_RUN = False,
    allow_loosening: LOOSENING = False,
) -> None:
    """Add an endpoint to a running adapter, or replace its connection; in effect within a second, without a restart."""
    adapter, _, endpoint = _short(_full(name)).partition("/")
    before = await Calls(session, ENDPOINTS).existing(_full(name))
    known = await adapters(session)
    if adapter not in known:
        raise CommandError(f"{name}: the mesh has no adapter {adapter}; it has {', '.join(known)}", Exit.NOT_FOUND)
    after = registry_pb2.Endpoint(name=_full(name), operator="domains/platform")
    if before is not None:
        after.CopyFrom(before)
    after.region = region or after.region
    if credential_variable and credential_file:
        raise CommandError("--credential-variable and --credential-file: expected one of them", Exit.USAGE)
    after.connection.CopyFrom(
        registry_pb2.EndpointConnection(
            base_url=base_url,
            like=like,
            allowed_ranges=allow or (),
            local=local,
            proxy=proxy,
            http2=http2,
            client_certificate_file=client_certificate,
            client_key_file=client_key,
            authorities_file=authorities,
            max_in_flight=max_in_flight,
        )
    )
    if credential_variable or credential_file:
        credential = after.connection.credential
        credential.origin = "{0.scheme}://{0.netloc}".format(urlsplit(base_url))
        if credential_variable:
            credential.environment_variable = credential_variable
        else:
            credential.file = credential_file
    await put(session, ENDPOINTS, before, after, dry_run=dry_run, loosens=allow_loosening)
    if not dry_run:
        await session.output.waiting(in_effect(session, adapter, endpoint, base_url, _IN_EFFECT), "waiting for the adapter")
        if test:
            await check_endpoint(session, adapter, endpoint, timedelta(seconds=5))


@asks(app, "test")
async def check(
    session: Session, name: Name, within: Annotated[str, typer.Option(help="How long the provider may take, at most 30s.")] = "5s"
) -> None:
    """Ask an endpoint's provider whether it answers and admits the mesh, by a call that costs nothing; exit code 3 where not."""
    adapter, _, endpoint = _short(_full(name)).partition("/")
    await check_endpoint(session, adapter, endpoint, duration(within))


@asks(app)
async def remove(
    session: Session,
    name: Name,
    force: Annotated[bool, typer.Option("--force", help="Although models refer to it: their requests fail.")] = False,
) -> None:
    """Remove an endpoint that was added. Calls under way go on to their end; refused while models refer to it."""
    stub = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    await stub.DeleteEndpoint(registry_pb2.DeleteEndpointRequest(name=_full(name), force=force))
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
