"""Puts the gateway together."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from types import MappingProxyType
from typing import TypeVar

from llm_mesh.gateway.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from llm_mesh_gateway.domain.counting import Counting
from llm_mesh_gateway.domain.execution import EXECUTORS, Executors
from llm_mesh_gateway.domain.execution.remainder import LateUsage
from llm_mesh_gateway.domain.execution.repeating import RetryBounds
from llm_mesh_gateway.domain.execution.retry_budget import RetryBudget
from llm_mesh_gateway.domain.gateway import Gateway
from llm_mesh_gateway.domain.lease import Lease
from llm_mesh_gateway.domain.listing import Listing
from llm_mesh_gateway.domain.other_meshes import HopCheck
from llm_mesh_gateway.domain.outcomes import Outcomes
from llm_mesh_gateway.domain.ports import Epochs
from llm_mesh_gateway.domain.recording import RecordingRoom
from llm_mesh_gateway.domain.settlements import Settlements
from llm_mesh_gateway.domain.transforms import ScreeningTransform, Transforms
from llm_mesh_gateway.peers import AdapterPeers, CataloguePeer, PolicyPeer, RouterPeer, ServicePeers, relays
from llm_mesh_gateway.servicer import GatewayServicer
from llm_mesh_gateway.settings import Settings
from llm_mesh_gateway.store import FileEpochs, ForgottenEpochs
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Service, Servicers

T = TypeVar("T")


def build(
    settings: Settings, links: Links, *, executors: Executors = MappingProxyType({}), transforms: Transforms = MappingProxyType({})
) -> Servicers:
    """The gateway of one process. `executors` and `transforms` are of kinds beyond its own: ValueError for a kind that it has."""
    policy, router = PolicyPeer(links.channel("policy")), RouterPeer(links.channel("router"))
    adapters = AdapterPeers(links.channel)
    room = RecordingRoom(settings.recorded_answer_bytes)
    late_usage = LateUsage(settings.late_usage.total_seconds(), settings.late_usage_bytes)
    block_on_outage = bool(links.mesh.process)  # it is a worker
    settlements = Settlements(
        policy, most_open=settings.most_open_settlements, block_on_outage=block_on_outage, room=room, late_usage=late_usage
    )
    counted = links.metrics.counter("llm_mesh.attempts", "Attempts; reason is empty where they went well.", ("adapter", "reason"))
    faults = links.metrics.counter("llm_mesh.operator.faults", "Requests that failed by a fault of the mesh's operator.", ("reason",))
    replayed = links.metrics.counter("llm_mesh.answers.replayed", "Kept answers that were given to repetitions of their requests.").labels()
    outcomes = Outcomes(router, counted, faults)
    links.metrics.watch("llm_mesh.settlements.open", "Reservations whose end policy has not acknowledged.", lambda: settlements.open)
    instance = f"{socket.gethostname()}/{links.mesh.process}".rstrip("/")
    lease = Lease(policy, _epochs(links), instance=instance, every=settings.heartbeat.total_seconds())
    gateway = Gateway(
        catalogue=CataloguePeer(links.optional("catalogue")),
        rights=links.rights(),
        policy=policy,
        router=router,
        adapters=adapters,
        settlements=settlements,
        outcomes=outcomes,
        budget=RetryBudget(ratio=settings.retry_ratio, floor=settings.retry_floor / links.mesh.processes),
        bounds=RetryBounds(settings.repetitions, settings.repetition_wait.total_seconds()),
        transforms=_joined("response transform", _own_transforms(policy), transforms),
        executors=_joined("executor", EXECUTORS, executors),
        epoch=lease.epoch,
        room=room,
        replayed=replayed.inc,
        hops=HopCheck(links.mesh_id, settings.most_hops),
    )
    servicer = GatewayServicer(gateway, Counting(gateway, adapters), Listing(router), ServicePeers(links))

    async def start() -> None:
        await lease.start()
        await outcomes.start()

    async def close() -> None:
        await outcomes.close()
        await lease.close(settled=await settlements.close(settings.drain))

    return Servicers((add_GatewayServiceServicer_to_server, servicer), start=start, close=close, relays=relays)


def _own_transforms(policy: PolicyPeer) -> Transforms:
    """By the kind of obligation."""
    return {"screen_output": ScreeningTransform(policy)}


def _joined(noun: str, own: Mapping[str, T], plugged: Mapping[str, T]) -> Mapping[str, T]:
    """Both. Screening that something else replaces would be off, and nobody would know."""
    taken = sorted(own.keys() & plugged.keys())
    if taken:
        raise ValueError(f"the gateway has its own {noun} for {', '.join(taken)}: give the other another name")
    return {**own, **plugged}


def _epochs(links: Links) -> Epochs:
    """Where epochs are remembered: in the data directory, a file for each process that has a gateway there."""
    folder = links.mesh.data_dir
    if links.embedded:  # whoever opens the data directory is alone in it, and ends what workers of earlier starts have left
        return FileEpochs(folder / "gateway.epochs", left=sorted(folder.glob("gateway-*.epochs")))
    return FileEpochs(folder / f"gateway-{links.mesh.process}.epochs") if links.mesh.process else ForgottenEpochs()


service = Service.declared("gateway", settings=Settings, build=build)
