"""Holding money for a plan: from the sealed admission and the plan to a reservation and the grant for its adapters."""

import re
from typing import NamedTuple, Protocol

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2, usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.instants import micros_of
from llm_mesh_policy.ledger.domain import grants, ports
from llm_mesh_policy.ledger.domain.offers import Offer, Readings, Served, Tariff
from llm_mesh_policy.ledger.domain.plan_tree import PlannedAttempt, attempts_of, planned_attempt
from llm_mesh_policy.ledger.domain.ports import HeldReservation, Ledger, ProductRegistry, ReservationDraft
from llm_mesh_policy.ledger.domain.quote import Admitted, Terms, quote
from llm_mesh_policy.ledger.domain.reservation import HELD, Reservation
from llm_mesh_policy.ledger.domain.sharing import Sharing
from llm_mesh_policy.screening.ports import counts_of, described
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import domain_of

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}")
_LONGEST_KEY = 255
_LONGEST_EPOCH = 128
_LONGEST_REQUEST_ID = 256
_DIGEST_BYTES = 32


class ReservationSeals(ports.SealMaker, sealed.Opener, Protocol):
    """Proofs, made and checked."""


class Granted(NamedTuple):
    """What `Reserve` and `Extend` answer."""

    grant: resources_pb2.Sealed
    held: HeldReservation


class Reserving:
    """Reserves and extends. Prices come from the registry, never from the plan."""

    def __init__(
        self, ledger: Ledger, registry: ProductRegistry, seals: ReservationSeals, sharing: Sharing, *, currency: str, grant_micros: int
    ) -> None:
        self._ledger = ledger
        self._registry = registry
        self._sharing = sharing
        self._seals = seals
        self._currency = currency
        self._grant_micros = grant_micros
        self._offers: Readings[Served, Offer] = Readings(Offer.of)
        self._tariffs: Readings[registry_pb2.Price, Tariff] = Readings(Tariff.of)

    async def reserve(self, request: policy_pb2.ReserveRequest, into: resources_pb2.Sealed | None = None) -> Granted:
        """Holds the plan's worst case. The grant is written to where it is sent from, if that is given."""
        reservation_id, epoch = checked_id(request.reservation_id), checked_epoch(request.epoch)
        key, digest = _checked_key(request)
        request_id = checked_request_id(request.request_id)
        admission = sealed.admission_in(request.admission, self._seals)
        caller = admission.caller
        admitted = _admitted(admission, caller)
        plan = request.plan
        attempts = attempts_of(plan.root)
        lines = quote(attempts, admitted, await self._terms(attempts, admitted.domain), request.candidate_count)
        caller_key, principal = caller.key, caller.principal
        entry = usage_pb2.LedgerEntry(
            name=f"{admitted.project}/reservations/{reservation_id}",
            state=HELD,
            request_id=request_id,
            alias=admission.alias,
            operation=admitted.operation,
            principal=principal,
            key=caller_key,
            reserved={"currency": self._currency, "nanos": sum([line.reserved for line in lines])},
            charged={"currency": self._currency},
            decision_id=plan.decision_id,
            admission_id=admission.id,
        )
        tags = admission.tags
        if tags:
            entry.tags.MergeFrom(tags)
        reservation = Reservation(reservation_id, admitted.domain, admitted.project, caller_key, principal, request_id, entry, lines)
        if admission.screened:
            entry.screened.extend(admission.screened)
            reservation.screened = described(counts_of(admission.screened))
        draft = ReservationDraft(reservation, epoch, micros_of(admission.expire_time), key, digest)
        return self._granted(await self._ledger.reserve(draft), admitted, into)

    async def extend(self, request: policy_pb2.ExtendRequest, into: resources_pb2.Sealed | None = None) -> Granted:
        """Holds the worst case of one attempt more. It may ask for as many choices as the attempts before it."""
        reservation_id = checked_id(request.reservation_id)
        admission = sealed.admission_in(request.admission, self._seals)
        admitted, attempt = _admitted(admission, admission.caller), planned_attempt(request.attempt, "plan.root")
        (line,) = quote([attempt], admitted, await self._terms([attempt], admitted.domain), 1)
        held = await self._ledger.extend(reservation_id, admission.id, micros_of(admission.expire_time), line)
        return self._granted(held, admitted, into)

    def _granted(self, held: HeldReservation, admitted: Admitted, into: resources_pb2.Sealed | None) -> Granted:
        expires = held.now + self._grant_micros
        grant = grants.grant_of(held.reservation, admitted.bounds, expires=expires)
        empty = resources_pb2.Sealed() if into is None else into
        grants.seal_for_adapters(empty, grant, held.reservation.lines, self._seals)
        return Granted(empty, held)

    async def _terms(self, attempts: list[PlannedAttempt], domain: str) -> Terms:
        offers: dict[str, Offer] = {}
        tariffs: dict[str, Tariff] = {}
        for attempt in attempts:
            price = await self._registry.price(attempt.price) if attempt.price else None
            tariff = None if price is None else self._tariffs.of(price)
            if tariff is not None:
                tariffs[attempt.price] = tariff
            offer = await self._offer(attempt, tariff, domain)
            if offer is not None:
                offers[attempt.model] = offer
        return Terms(offers, tariffs, self._currency)

    async def _offer(self, attempt: PlannedAttempt, tariff: Tariff | None, domain: str) -> Offer | None:
        name = attempt.model
        served = await self._registry.served(name, domain)
        if served is None:
            return None
        if isinstance(served, registry_pb2.AcceptedProduct) and not self._sharing.is_allowed(domain_of(name), domain):
            return None
        offer = self._offers.of(served)
        if offer.target == attempt.target and (attempt.price or offer.free) and offer.covers(tariff):
            return offer
        served = await self._registry.fresh(name, domain)  # one of us heard of a change later than the other
        return None if served is None else self._offers.of(served)


def checked_id(reservation_id: str) -> str:
    """A reservation's id, in the one spelling that it is kept by."""
    if not ULID.fullmatch(reservation_id):
        raise invalid("reservation_id", "a ULID: 26 characters of Crockford's base 32")
    return reservation_id.lower()


def checked_epoch(epoch: str, field: str = "epoch") -> str:
    """An epoch, by which a gateway instance's reservations are found."""
    if not 0 < len(epoch) <= _LONGEST_EPOCH or not epoch.isprintable():
        raise invalid(field, f"1 to {_LONGEST_EPOCH} printable characters")
    return epoch


def _checked_key(request: policy_pb2.ReserveRequest) -> tuple[str, bytes]:
    """The idempotency key, where there is one, and the digest of the request that it stands for."""
    key, digest = request.idempotency_key, request.request_digest
    if len(key.encode()) > _LONGEST_KEY:
        raise invalid("idempotency_key", f"at most {_LONGEST_KEY} bytes")
    if key and len(digest) != _DIGEST_BYTES:
        raise invalid("request_digest", f"{_DIGEST_BYTES} bytes, the SHA-256 of the request, where there is an idempotency key")
    return key, digest


def checked_request_id(request_id: str, field: str = "request_id") -> str:
    """A correlation id that is not too long."""
    if len(request_id) > _LONGEST_REQUEST_ID:
        raise invalid(field, f"at most {_LONGEST_REQUEST_ID} characters")
    return request_id


def _admitted(admission: admission_pb2.Admission, caller: admission_pb2.Caller) -> Admitted:
    return Admitted(admission.constraints, admission.operation, caller.domain, caller.project)
