"""The grant: what adapters may do for a reservation, proven to each adapter of the plan and to nobody else."""

from collections.abc import Iterable

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.instants import put_micros
from llm_mesh_policy.ledger.domain.ports import SealMaker
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.reservation import Reservation


def grant_of(reservation: Reservation, bounds: admission_pb2.Constraints, *, expires: int) -> admission_pb2.Grant:
    """The grant of a reservation that stands, for data of these bounds; it expires at a moment in microseconds."""
    grant = admission_pb2.Grant(
        reservation_id=reservation.id,
        domain=reservation.domain,
        project=reservation.project,
        zero_retention=bounds.zero_retention,
    )
    if data_class := bounds.data_class:
        grant.bounds.data_classes.append(data_class)
    if further := bounds.further_data_classes:
        grant.bounds.data_classes.extend(further)
    if regions := bounds.regions:
        grant.bounds.regions.extend(regions)
    for line in reservation.lines:
        grant.attempts.add(
            attempt_id=line.id,
            adapter=line.adapter,
            endpoint=line.endpoint,
            upstream_model=line.upstream_model,
            credential=line.credential,
            region=line.region,
            max_output_tokens=line.output_tokens,
            max_candidates=line.candidates,
        )
    put_micros(grant.expire_time, expires)
    return grant


def seal_for_adapters(empty: resources_pb2.Sealed, grant: admission_pb2.Grant, lines: Iterable[QuoteLine], seals: SealMaker) -> None:
    """Writes the grant of the lines with one proof per adapter that there is a key for; an adapter without proof refuses."""
    audiences = dict.fromkeys([f"adapter/{line.adapter}" for line in lines])
    sealed.put(empty, sealed.GRANT, grant.SerializeToString(), seals, *filter(seals.knows, audiences))
