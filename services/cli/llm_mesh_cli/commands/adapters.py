"""`llm-mesh adapters`: the adapters that the mesh knows, and the endpoints that they reach."""

from __future__ import annotations

from typing import Annotated

import typer

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.discovery import endpoints as reached
from llm_mesh_cli.endpoint_check import check_endpoint
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.nouns.noun import Noun, Option
from llm_mesh_cli.nouns.verbs import application
from llm_mesh_cli.output import as_dict
from llm_mesh_cli.session import Session
from llm_mesh_cli.shown import enum_text
from llm_mesh_cli.texts import duration

ADAPTERS = Noun(
    "adapter",
    "adapters",
    "Adapter",
    service="registry",
    stub=registry_pb2_grpc.RegistryServiceStub,
    messages=registry_pb2,
    columns=(
        ("ADAPTER", lambda one: str(one.name.partition("/")[2])),
        ("DIALECT", lambda one: str(one.dialect)),
        ("DESCRIPTION", lambda one: str(one.description)),
    ),
    options=(
        Option("dialect", "--dialect", "The dialect that it speaks."),
        Option("description", "--description", "What it is."),
    ),
    parent="",
)
app = application(ADAPTERS, "Show and register adapters, and ask them for their endpoints.")


@asks(app)
async def endpoints(
    session: Session, name: Annotated[str | None, typer.Argument(help="Only of this adapter, such as `openai`. Default: all.")] = None
) -> None:
    """List the endpoints that running adapters reach, and whether they have a credential."""
    adapter_id = name and name.removeprefix("adapters/")
    pairs = await session.output.waiting(reached(session), "asking the adapters")
    shown = [(adapter, each) for adapter, each in pairs if adapter_id in {None, adapter}]
    if adapter_id and not shown:
        known = ", ".join(sorted({adapter for adapter, _ in pairs})) or "none"
        raise CommandError(f"no adapter {adapter_id} runs in this mesh; running: {known}", Exit.NOT_FOUND)
    if session.output.as_json:
        session.output.data([{"adapter": adapter, **as_dict(each)} for adapter, each in shown])
        return
    rows = [
        (
            f"{adapter}/{each.name}",
            each.provider,
            each.region or ("local" if each.local else "not known"),
            "yes" if each.has_credential else "no",
            enum_text(adapter_pb2.BreakerState.DESCRIPTOR, each.breaker),
        )
        for adapter, each in shown
    ]
    session.output.table(("ENDPOINT", "PROVIDER", "REGION", "CREDENTIAL", "BREAKER"), rows)


@asks(app)
async def check(
    session: Session,
    name: Annotated[str, typer.Argument(metavar="ENDPOINT", help="`openai/ollama`: the adapter and its endpoint.")],
    within: Annotated[str, typer.Option(help="How long the provider may take, at most 30s.")] = "5s",
) -> None:
    """Ask a provider whether it answers and admits the mesh, by a call that costs nothing; exit code 3 where it does not."""
    adapter, slash, endpoint = name.removeprefix("adapters/").replace("/endpoints/", "/").partition("/")
    if not slash:
        raise CommandError(f"{name}: expected ADAPTER/ENDPOINT, such as openai/ollama", Exit.USAGE)
    await check_endpoint(session, adapter, endpoint, duration(within))
