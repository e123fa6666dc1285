"""Puts the gateway together."""

from __future__ import annotations

import socket
from functools import partial

from llm_mesh.gateway.v1.gateway_pb2_grpc import add_GatewayServiceServicer_to_server
from llm_mesh_gateway.domain.counting import Counting
from llm_mesh_gateway.domain.gateway import Gateway
from llm_mesh_gateway.domain.lease import Lease
from llm_mesh_gateway.domain.listing import Listing
from llm_mesh_gateway.domain.outcomes import Outcomes
from llm_mesh_gateway.domain.retry_budget import RetryBudget
from llm_mesh_gateway.domain.screening import screened
from llm_mesh_gateway.domain.settlements import Settlements
from llm_mesh_gateway.peers import AdapterPeers, CataloguePeer, PolicyPeer, RouterPeer
from llm_mesh_gateway.servicer import GatewayServicer
from llm_mesh_gateway.settings import Settings
from llm_mesh_gateway.store import FileEpochs, ForgottenEpochs
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.service import Service, Servicers


def build(settings: Settings, links: Links) -> Servicers:
    """The gateway of one process."""
    policy, router = PolicyPeer(links.channel("policy")), RouterPeer(links.channel("router"))
    adapters = AdapterPeers(links.channel)
    settlements = Settlements(policy, most_open=settings.most_open_settlements)
    counted = links.metrics.counter("llm_mesh.attempts", "Attempts; reason is empty where they went well.", ("adapter", "reason"))
    outcomes = Outcomes(router, counted)
    links.metrics.watch("llm_mesh.settlements.open", "Reservations whose end policy has not acknowledged.", lambda: settlements.open)
    epochs = FileEpochs(links.mesh.data_dir / "gateway.epochs") if links.embedded else ForgottenEpochs()
    lease = Lease(policy, epochs, instance=socket.gethostname(), every=settings.heartbeat.total_seconds())
    gateway = Gateway(
        catalogue=CataloguePeer(links.optional("catalogue")),
        policy=policy,
        router=router,
        adapters=adapters,
        settlements=settlements,
        outcomes=outcomes,
        budget=RetryBudget(ratio=settings.retry_ratio, floor=settings.retry_floor),
        screen=partial(screened, policy),
        epoch=lease.epoch,
    )
    servicer = GatewayServicer(gateway, Counting(gateway, adapters), Listing(router))

    async def start() -> None:
        await lease.start()
        await outcomes.start()

    async def close() -> None:
        await outcomes.close()
        await lease.close(settled=await settlements.close(settings.drain))

    return Servicers((add_GatewayServiceServicer_to_server, servicer), start=start, close=close)


service = Service(name="gateway", contracts=("llm_mesh.gateway.v1.GatewayService",), settings=Settings, build=build, port=50051)
