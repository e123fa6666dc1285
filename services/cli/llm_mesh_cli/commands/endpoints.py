"""`llm-mesh endpoints`: the facts of providers' endpoints, in their operator's words."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.paging import pages
from llm_mesh_cli.session import Session, domain_name
from llm_mesh_cli.texts import money, per_million

app = typer.Typer(no_args_is_help=True, help="Show and declare the facts of providers' endpoints.")
Name = Annotated[str, typer.Argument(help="`openai/ollama`, or `adapters/openai/endpoints/ollama`.")]


@asks(app, "list")
async def list_endpoints(session: Session) -> None:
    """List the endpoints whose facts are declared."""
    stub = _registry(session)
    found = [each async for answer in pages(stub.ListEndpoints, registry_pb2.ListEndpointsRequest()) for each in answer.endpoints]
    rows = [
        (
            _short(each.name),
            each.region or "not known",
            ", ".join(each.data_classes) or "public, internal",
            "none kept" if each.zero_retention else "kept",
            "free" if each.free_allowed else _floor(each.price_floor),
            ", ".join(each.domains) or "all",
        )
        for each in found
    ]
    session.output.table(("ENDPOINT", "REGION", "CLASSES", "DATA", "LEAST PRICE", "OPEN TO"), rows, found)


@asks(app)
async def show(session: Session, name: Name) -> None:
    """Show the facts of an endpoint."""
    answer = await _registry(session).GetEndpoint(registry_pb2.GetEndpointRequest(name=_full(name)))
    if session.output.as_json:
        session.output.message(answer.endpoint)
        return
    for field, value in as_dict(answer.endpoint).items():
        session.output.line(f"{field:<18} {', '.join(value) if isinstance(value, list) else value}")


@asks(app, "set")
async def put(
    session: Session,
    name: Name,
    region: Annotated[str, typer.Option(help="Where data is processed. Empty: not known.")] = "",
    processor: Annotated[str, typer.Option(help="The company that processes the data.")] = "",
    data_class: Annotated[list[str] | None, typer.Option(help="A data class it is cleared for; repeatable.")] = None,
    zero_retention: Annotated[bool, typer.Option("--zero-retention", help="The provider keeps no data.")] = False,
    credential: Annotated[list[str] | None, typer.Option(help="A credential that models may name; repeatable.")] = None,
    upstream: Annotated[list[str] | None, typer.Option(help="An upstream model, or a prefix with `*`; repeatable. Default: all.")] = None,
    free: Annotated[bool, typer.Option("--free", help="Models may be declared free.")] = False,
    least_input: Annotated[str, typer.Option(help="Least price per million input tokens, such as `0.15 USD`.")] = "",
    least_output: Annotated[str, typer.Option(help="Least price per million output tokens.")] = "",
    domain: Annotated[list[str] | None, typer.Option(help="A domain whose models may use it; repeatable. Default: all.")] = None,
    operator: Annotated[str, typer.Option(help="The domain that operates it.")] = "domains/platform",
) -> None:
    """Declare the facts of an endpoint, all of them anew. Models of domains can only narrow them."""
    endpoint = registry_pb2.Endpoint(
        name=_full(name),
        operator=domain_name(operator),
        region=region,
        processor=processor,
        data_classes=data_class or (),
        zero_retention=zero_retention,
        credentials=credential or (),
        upstream_models=upstream or (),
        free_allowed=free,
        domains=[domain_name(each) for each in domain or ()],
    )
    for words, field in ((least_input, "input_nanos_per_million"), (least_output, "output_nanos_per_million")):
        if words:
            least = money(words, session.mesh.currency)
            endpoint.price_floor.currency = least.currency
            setattr(endpoint.price_floor, field, least.nanos)
    answer = await _registry(session).PutEndpoint(registry_pb2.PutEndpointRequest(endpoint=endpoint))
    if session.output.as_json:
        session.output.message(answer.endpoint)
    session.output.line(f"the facts of {_short(answer.endpoint.name)} are declared")


@asks(app)
async def delete(session: Session, name: Name) -> None:
    """Delete the facts of an endpoint: models of domains can claim nothing about it any more."""
    await _registry(session).DeleteEndpoint(registry_pb2.DeleteEndpointRequest(name=_full(name)))
    session.output.line(f"the facts of {_short(_full(name))} are deleted")


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


def _registry(session: Session) -> registry_pb2_grpc.RegistryServiceStub:
    return registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
