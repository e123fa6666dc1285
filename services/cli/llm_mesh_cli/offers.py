"""What domains offer to each other, as the registry lists it."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_cli.paging import pages

if TYPE_CHECKING:
    from llm_mesh_cli.session import Session


class OfferState(StrEnum):
    """Which offers."""

    ALL = "all"
    NOT_ACCEPTED = "not-accepted"
    ACCEPTED = "accepted"
    PROPOSED = "proposed"


_STATES = {
    OfferState.ALL: registry_pb2.OFFER_STATE_UNSPECIFIED,
    OfferState.NOT_ACCEPTED: registry_pb2.OFFER_STATE_NOT_ACCEPTED,
    OfferState.ACCEPTED: registry_pb2.OFFER_STATE_ACCEPTED,
    OfferState.PROPOSED: registry_pb2.OFFER_STATE_PROPOSED,
}


async def offers_to(session: Session, parent: str, *, publisher: str = "", state: OfferState = OfferState.ALL) -> list[registry_pb2.Offer]:
    """The offers to a domain, or between any (`domains/-`)."""
    stub = registry_pb2_grpc.RegistryServiceStub(session.channel("registry"))
    request = registry_pb2.ListOffersRequest(parent=parent, publisher=publisher, state=_STATES[state])
    return [offer async for answer in pages(stub.ListOffers, request) for offer in answer.offers]
