"""Holding money for a plan: from the sealed admission and the plan to a reservation and the grant for its adapters."""

import re
from typing import NamedTuple, Protocol

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2, usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.instants import micros_of
from llm_mesh_policy.domain.ledger import grants, ports
from llm_mesh_policy.domain.ledger.plan_tree import attempts_of
from llm_mesh_policy.domain.ledger.ports import Draft, Held, Ledger, Registry
from llm_mesh_policy.domain.ledger.quote import Line, Terms, quote
from llm_mesh_policy.domain.ledger.rates import Rates
from llm_mesh_policy.domain.ledger.reservation import HELD, Reservation
from llm_mesh_runtime.errors import invalid

ULID = re.compile(r"[0-7][0-9A-HJKMNP-TV-Za-hjkmnp-tv-z]{25}")
_LONGEST_KEY = 255
_LONGEST_EPOCH = 128
_LONGEST_REQUEST_ID = 256
_DIGEST_BYTES = 32
_MOST_RATES = 4096


class Seals(ports.Seals, sealed.Opener, Protocol):
    """Proofs, made and checked."""


class Granted(NamedTuple):
    """What `Reserve` and `Extend` answer."""

    grant: resources_pb2.Sealed
    held: Held


class Reserving:
    """Reserves and extends. Prices come from the registry, never from the plan."""

    def __init__(self, ledger: Ledger, registry: Registry, seals: Seals, *, currency: str, grant_micros: int) -> None:
        self._ledger = ledger
        self._registry = registry
        self._seals = seals
        self._currency = currency
        self._grant_micros = grant_micros
        self._rates: dict[str, tuple[registry_pb2.Price, Rates]] = {}

    async def reserve(self, request: policy_pb2.ReserveRequest) -> Granted:
        """Holds the plan's worst case."""
        _checked(request)
        admission = sealed.admission_in(request.admission, self._seals)
        attempts = attempts_of(request.plan)
        lines = quote(attempts, admission, await self._terms(attempts), request.candidate_count)
        draft = Draft(
            reservation=_drafted(request, admission, lines, self._currency),
            epoch=request.epoch,
            expires=micros_of(admission.expire_time),
            idempotency_key=request.idempotency_key,
            request_digest=request.request_digest,
        )
        return self._granted(await self._ledger.reserve(draft), admission)

    async def extend(self, request: policy_pb2.ExtendRequest) -> Granted:
        """Holds the worst case of one attempt more. It may ask for as many choices as the attempts before it."""
        reservation_id = checked_id(request.reservation_id)
        admission = sealed.admission_in(request.admission, self._seals)
        terms = await self._terms([request.attempt])
        plan = plan_pb2.Plan(root=plan_pb2.PlanNode(attempt=request.attempt))
        (line,) = quote(attempts_of(plan), admission, terms, 1)
        held = await self._ledger.extend(reservation_id, admission.id, micros_of(admission.expire_time), line)
        return self._granted(held, admission)

    def _granted(self, held: Held, admission: admission_pb2.Admission) -> Granted:
        expires = held.now + self._grant_micros
        grant = grants.grant_of(held.reservation, zero_retention=admission.constraints.zero_retention, expires=expires)
        return Granted(grants.sealed_for_adapters(grant, self._seals), held)

    async def _terms(self, attempts: list[plan_pb2.Attempt]) -> Terms:
        models: dict[str, registry_pb2.Model] = {}
        prices: dict[str, registry_pb2.Price] = {}
        for attempt in attempts:
            model = await self._registry.model(attempt.model)
            if model is not None and not _same_target(attempt, model):  # one of us heard of a change later than the other
                model = await self._registry.fresh_model(attempt.model)
            if model is not None:
                models[attempt.model] = model
            price = await self._registry.price(attempt.price) if attempt.price else None
            if price is not None:
                prices[attempt.price] = price
        return Terms(models, prices, self._currency, self._rates_of)

    def _rates_of(self, price: registry_pb2.Price) -> Rates:
        """A price version's rates, read out of this very message once."""
        known = self._rates.get(price.name)
        if known is None or known[0] is not price:
            if len(self._rates) >= _MOST_RATES:
                self._rates.clear()
            known = self._rates[price.name] = (price, Rates.of(price))
        return known[1]


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


def _same_target(attempt: plan_pb2.Attempt, model: registry_pb2.Model) -> bool:
    free = bool(attempt.price) or model.free
    wanted = (attempt.adapter, attempt.endpoint, attempt.upstream_model, attempt.credential)
    return free and wanted == (model.adapter, model.endpoint, model.upstream_model, model.credential)


def _checked(request: policy_pb2.ReserveRequest) -> None:
    checked_id(request.reservation_id)
    checked_epoch(request.epoch)
    if len(request.idempotency_key.encode()) > _LONGEST_KEY:
        raise invalid("idempotency_key", f"at most {_LONGEST_KEY} bytes")
    if request.idempotency_key and len(request.request_digest) != _DIGEST_BYTES:
        raise invalid("request_digest", f"{_DIGEST_BYTES} bytes, the SHA-256 of the request, where there is an idempotency key")
    if len(request.request_id) > _LONGEST_REQUEST_ID:
        raise invalid("request_id", f"at most {_LONGEST_REQUEST_ID} characters")


def _drafted(request: policy_pb2.ReserveRequest, admission: admission_pb2.Admission, lines: tuple[Line, ...], currency: str) -> Reservation:
    caller = admission.caller
    reservation_id = request.reservation_id.lower()
    reserved = resources_pb2.Money(currency=currency, nanos=sum(line.reserved for line in lines))
    entry = usage_pb2.LedgerEntry(
        name=f"{caller.project}/reservations/{reservation_id}",
        state=HELD,
        request_id=request.request_id,
        alias=admission.alias,
        operation=admission.operation,
        principal=caller.principal,
        key=caller.key,
        reserved=reserved,
        charged=resources_pb2.Money(currency=currency),
        decision_id=request.plan.decision_id,
        admission_id=admission.id,
    )
    if admission.tags:
        entry.tags.MergeFrom(admission.tags)
    return Reservation(id=reservation_id, domain=caller.domain, project=caller.project, entry=entry, lines=lines)
