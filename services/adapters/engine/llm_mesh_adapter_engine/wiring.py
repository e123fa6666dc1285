"""The adapter, put together."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from llm_mesh.adapter.v1 import adapter_pb2_grpc
from llm_mesh_adapter_engine.provider.clients import client_of
from llm_mesh_adapter_engine.provider.dialect import EngineDialect
from llm_mesh_adapter_engine.provider.endpoints import added, configured
from llm_mesh_adapter_engine.provider.models import EngineModels, StrangersCode
from llm_mesh_adapter_engine.provider.reporting import EndpointWatches, RouterReports
from llm_mesh_adapter_engine.provider.templates import PROGRAM, TemplateRenderer
from llm_mesh_adapter_engine.provider.trials import TOKENIZER_LIMITS, TOKENIZER_PROGRAM, TokenizerTrial
from llm_mesh_adapter_engine.settings import Settings
from llm_mesh_adapter_kit.limits import Limits
from llm_mesh_adapter_kit.servicer import AdapterServicer
from llm_mesh_adapter_kit.wiring import Assembled, assemble, with_added
from llm_mesh_runtime.confined.limits import ProcessLimits
from llm_mesh_runtime.confined.pool import Confined
from llm_mesh_runtime.service import Service, Servicers

if TYPE_CHECKING:
    from llm_mesh_runtime.links import Links


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the adapter together."""
    limits = Limits(
        connect=settings.connect_timeout.total_seconds(),
        first_token=settings.first_token_timeout.total_seconds(),
        idle=settings.idle_timeout.total_seconds(),
        total=settings.total_timeout.total_seconds(),
    )
    limits_of_templates = ProcessLimits(cpu=settings.template_cpu.total_seconds(), memory=settings.template_memory)
    processes = Confined(PROGRAM, limits_of_templates, processes=settings.template_processes, waiting=settings.template_waiting)
    trials = Confined(TOKENIZER_PROGRAM, TOKENIZER_LIMITS, processes=2, waiting=settings.template_waiting)
    models = EngineModels(StrangersCode(TemplateRenderer(processes), TokenizerTrial(trials)))
    dialect = EngineDialect(models)
    made = assemble("engine", dialect, configured(settings), links, limits, client=partial(client_of, dialect))
    made = with_added(made, links, settings, lambda setting: added(setting, settings))
    registration = (adapter_pb2_grpc.add_AdapterServiceServicer_to_server, AdapterServicer(made.adapter))
    watches = _watches(settings, links, made, models)

    async def start() -> None:
        await made.start()
        if watches is not None:
            watches.start()

    async def close() -> None:
        if watches is not None:
            await watches.close()
        await made.close()
        await processes.close()
        await trials.close()

    return Servicers(registration, start=start, close=close)


def _watches(settings: Settings, links: Links, made: Assembled, models: EngineModels) -> EndpointWatches | None:
    """What tells the router of the engines, unless its operator does not want that or there is no way to it."""
    interval = settings.load_interval.total_seconds()
    channel = links.optional("router") if interval else None
    if channel is None:
        return None
    return EndpointWatches(made.table, models, made.attempts.ask, made.attempts.open, RouterReports(channel), interval)


service = Service.declared("adapter/engine", settings=Settings, build=build)
