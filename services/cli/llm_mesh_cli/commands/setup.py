"""`llm-mesh setup`: what `up` sets up at its first start, for a mesh of separate services that has its administrator."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Annotated

import grpc
import typer

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh_cli.command import asks
from llm_mesh_cli.discovery import adapters
from llm_mesh_cli.failures import CommandError, Exit
from llm_mesh_cli.session import Session
from llm_mesh_cli.set_up.endpoints import ADAPTER, PREFIX, AdapterEndpoints
from llm_mesh_cli.set_up.models import ProviderModels
from llm_mesh_cli.set_up.project import PROJECT, first_project_key
from llm_mesh_cli.waiting import Wait, once_available

app = typer.Typer()
_TIMEOUT = 5.0
_MOMENT, _PAUSE = 10.0, 0.2
_SILENT = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.FAILED_PRECONDITION}


@asks(app, who="admin")
async def setup(
    session: Session,
    save: Annotated[Path | None, typer.Option(help="Where to keep the project's key. Default: project.key in the data directory.")] = None,
    wait: Wait = 0,
) -> None:
    """Make a first project with a key, and register the models and prices of the providers that adapters have credentials for.

    A simulator that runs counts as a provider. What is there already stays as it is, and a key that was kept is not made again.
    """
    file = save or session.files.project_key
    endpoints, new_key, models = await once_available(lambda: _set_up(session, file), wait)
    providers = [name for _, name in (*endpoints.with_credential, *endpoints.simulator)]
    if session.output.as_json:
        session.output.data({"project": PROJECT, "key_file": str(file), "new_key": new_key, "new_models": models, "providers": providers})
    session.output.line(f"{PROJECT}: the key is in {file}{'' if new_key else ', as before'}")
    session.output.line(f"{models} new models of {', '.join(providers) or 'no provider'}")
    if not providers:
        raise CommandError(
            "no adapter has a credential and no simulator runs: set a provider's key where its adapter runs, such as OPENAI_API_KEY, "
            "start the adapter again and repeat this command; models of local servers: llm-mesh models discover --add",
            Exit.FAILED,
        )


async def _set_up(session: Session, file: Path) -> tuple[AdapterEndpoints, bool, int]:
    """The providers, whether the key is new, and how many models are; once the gateway can use them."""
    endpoints = await _reachable(session)
    new_key = not session.files.key(file)
    if new_key:
        session.files.keep_key(file, await first_project_key(session.channel))
    models = await ProviderModels(session.channel).register(endpoints)
    if endpoints.with_credential or endpoints.simulator:
        await _usable(session)
    return endpoints, new_key, models


async def _usable(session: Session) -> None:
    """Wait a moment until the router has heard of the models from the registry: the first request should find them."""
    gateway = gateway_pb2_grpc.GatewayServiceStub(session.channel())
    end = time.monotonic() + _MOMENT
    while time.monotonic() < end:
        answer = await gateway.ListModels(gateway_pb2.ListModelsRequest(page_size=1), timeout=10)
        if answer.models:
            return
        await asyncio.sleep(_PAUSE)


async def _reachable(session: Session) -> AdapterEndpoints:
    """The providers that can be reached; of the simulator's endpoints those behind which it runs."""
    names = [f"{PREFIX}{name}" for name in await adapters(session)]
    endpoints = await AdapterEndpoints.ask(session.channel, names)
    runs = await asyncio.gather(*(_runs(session, adapter, endpoint) for adapter, endpoint in endpoints.simulator))
    return endpoints.simulated_by([each for each, answers in zip(endpoints.simulator, runs, strict=True) if answers])


async def _runs(session: Session, adapter: str, endpoint: str) -> bool:
    stub = adapter_pb2_grpc.AdapterServiceStub(session.channel(f"{PREFIX}{adapter}"))
    request = adapter_pb2.DiscoverModelsRequest(endpoint=endpoint)
    try:
        await stub.DiscoverModels(request, metadata=((ADAPTER, adapter),), timeout=_TIMEOUT)
    except grpc.aio.AioRpcError as error:
        if error.code() in _SILENT:
            return False
        raise
    return True
