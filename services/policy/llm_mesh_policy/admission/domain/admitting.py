"""Deciding on a rendered request: who may, within which bounds, with what masked.

Of a refusal and of a count it writes the record; a request that goes on is recorded by `Reserve`, which decides on money.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from llm_mesh.policy.v1 import admission_pb2, errors_pb2, floors_pb2, identity_pb2, policy_pb2
from llm_mesh_figures.screened import REQUEST as DIRECTION
from llm_mesh_figures.screened import screened_text
from llm_mesh_policy.admission.domain.callers import Callers, Known
from llm_mesh_policy.admission.domain.ids import Ids, ulid
from llm_mesh_policy.admission.domain.inputs import INPUTS, InputKind
from llm_mesh_policy.domain import sealed
from llm_mesh_policy.domain.errors import PolicyError, floor_conflict
from llm_mesh_policy.domain.instants import put_micros
from llm_mesh_policy.ledger.ports import REFUSED, SETTLED, Reservation, ReservationSeals, unreserved_entry
from llm_mesh_policy.rules.ports import holding, least, narrow
from llm_mesh_policy.screening.ports import (
    CLEAN,
    MOST_JSON_VALUES,
    Screened,
    ScreeningRules,
    ScreeningTrail,
    Watchlist,
    record_of,
    screen,
    screening_counts,
    state_of,
)
from llm_mesh_policy.screening.ports import REQUEST as RECORD
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.heavy import HeavyWork

COUNT = "count_tokens"
"""The operation of an input that is only counted."""
_MOST_DRAFTS = 2048
"""A caller is sealed anew every few seconds, and each seal makes drafts: the old ones are let go of, and not 20 MB of them kept."""
_SMALL = 8 * 1024
"""Bytes of a request that are screened closely at once: at worst some milliseconds."""
_LARGE = 256 * 1024
"""Bytes beyond which even the first look at a request is not for the event loop."""
_VALID_MICROS = 60_000_000
_MICROSECOND = timedelta(microseconds=1)
_BEGIN = datetime(1970, 1, 1, tzinfo=UTC)


class Tenancy(Protocol):
    """What is known of domains and projects, in memory."""

    @property
    def domains(self) -> Mapping[str, identity_pb2.Domain]:
        """By name."""

    @property
    def projects(self) -> Mapping[str, identity_pb2.Project]:
        """By name."""

    @property
    def revision(self) -> int:
        """What it is the state of."""

    def floor_of(self, domain: str) -> floors_pb2.Floor | None:
        """What the platform sets about a domain."""


class AdmissionIdentity(Protocol):
    """What admission asks of identity."""

    def snapshot(self) -> Tenancy:
        """The present state."""

    def allowed_model(self, caller: admission_pb2.Caller, alias: str) -> None:
        """Raises MODEL_DENIED unless roles, project and key allow the alias."""

    def callable_models(self, caller: admission_pb2.Caller) -> Sequence[Sequence[str]]:
        """The lists of project and key that a model must match to be called, whatever alias leads there."""


@dataclass(frozen=True, slots=True)
class OutputBounds:
    """Most output tokens per choice, where a project says nothing: without a wish of the request, and at all."""

    default: int
    most: int


class Admitting:
    """Admits requests."""

    def __init__(  # noqa: PLR0913 (what admission needs, each by its name)
        self,
        identity: AdmissionIdentity,
        seals: ReservationSeals,
        clock: Clock,
        rules: ScreeningRules,
        *,
        outputs: OutputBounds,
        screen_output: bool,
        heavy: HeavyWork,
        trail: ScreeningTrail[Reservation],
        most_values: int = MOST_JSON_VALUES,
    ) -> None:
        self._heavy = heavy
        self._trail = trail
        self._most_values = most_values
        self._identity = identity
        self._seals = seals
        self._clock = clock
        self._rules = rules
        self._outputs = outputs
        self._screen_output = screen_output
        self._callers = Callers(seals)
        self._ids = Ids()
        self._tenancy: Tenancy | None = None
        self._drafts: dict[tuple[bytes, str, str, int], _Draft] = {}
        self._terms: dict[tuple[str, str, str, int], _Terms] = {}

    async def admit(self, request: policy_pb2.AdmitRequest) -> policy_pb2.AdmitResponse:
        """Decides on one request."""
        now = (self._clock.now() - _BEGIN) // _MICROSECOND
        known = self._callers.opened(request.caller)
        if known.expires <= now:
            raise sealed.expired("caller")
        if not known.project:
            raise PolicyError(errors_pb2.ERROR_REASON_PROJECT_NOT_SELECTED, "the credential spans projects and none was selected")
        tags = request.tags
        checked = _checked(request)
        draft = self._bounded_draft(known, checked, request.bounds) if request.HasField("bounds") else self._draft_for(known, checked)
        response = policy_pb2.AdmitResponse()
        admission_id = self._ids.fresh()
        admission = admission_pb2.Admission(id=admission_id)
        watchlist = draft.watchlist
        if watchlist:
            raw = checked.input.SerializeToString()
            if len(raw) > _LARGE or watchlist.may_find_on_wire(raw):
                screening = await self._screened(checked, watchlist, raw, known.caller.domain)
                if screening.blocked:
                    unfunded = self._unfunded(screening, checked, known.caller, request, admission_id, now)
                    raise await self._refused(screening, known.caller, unfunded)
                _report(screening, checked, admission, response)
                if request.counts_only and screening.counts:
                    unfunded = self._unfunded(screening, checked, known.caller, request, admission_id, now)
                    await self._counted(screening, known.caller, unfunded)
            if self._screen_output and checked.kind.answers_text:
                _oblige_to_screen(response.obligations, state_of(admission_id, watchlist, self._seals))
        put_micros(admission.expire_time, now + _VALID_MICROS)
        if tags:
            admission.tags.MergeFrom(tags)
        payload = draft.packed + admission.SerializeToString()
        sealed.put(response.admission, sealed.ADMISSION, payload, self._seals, sealed.AUDIENCE, "router")
        return response

    async def _refused(self, screening: Screened[Any], caller: admission_pb2.Caller, unfunded: Reservation) -> MeshError:
        """Records that screening refuses the request. Answers what the caller is told."""
        refusal = screening.refusal()
        entry = unfunded.entry
        entry.state, entry.refused_reason = REFUSED, refusal.reason_name
        audit = record_of(caller, RECORD, screening.counts, allowed=False, request_id=unfunded.request_id)
        await self._trail.refuse(unfunded, audit)
        refusal.metadata |= {"screened": screened_text(entry.screened), "reservation": entry.name}
        return refusal

    async def _counted(self, screening: Screened[Any], caller: admission_pb2.Caller, unfunded: Reservation) -> None:
        """Records what was found in an input that is only counted, and that no `Reserve` follows."""
        unfunded.entry.state = SETTLED
        audit = record_of(caller, RECORD, screening.counts, allowed=True, request_id=unfunded.request_id)
        await self._trail.prove(unfunded, audit)

    def _unfunded(
        self,
        screening: Screened[Any],
        checked: _CheckedRequest,
        caller: admission_pb2.Caller,
        request: policy_pb2.AdmitRequest,
        admission_id: str,
        now: int,
    ) -> Reservation:
        """An entry for a request for which nothing is reserved, without its state."""
        number = ulid(now // 1000, self._ids.fresh())
        admission = admission_pb2.Admission(
            id=admission_id,
            caller=caller,
            alias=checked.alias,
            operation=COUNT if request.counts_only else checked.operation,
            tags=request.tags,
            screened=screening_counts(screening.counts, DIRECTION),
        )
        entry = unreserved_entry(admission, number, request.request_id)
        return Reservation(number, caller.domain, caller.project, caller.key, caller.principal, request.request_id, entry, ())

    async def _screened(self, checked: _CheckedRequest, watchlist: Watchlist, raw: bytes, domain: str) -> Screened[Any]:
        """Screens a request that may hold something. What is large is done in turns between domains."""
        patient = len(raw) > _SMALL

        def work() -> Screened[Any]:
            if not watchlist.may_find_on_wire(raw):
                return CLEAN
            return screen(checked.input, checked.kind.slots, watchlist, patient=patient, most_values=self._most_values)

        try:
            return await self._heavy.run(domain, len(raw), work) if patient else work()
        except MeshError as failure:
            raise within(checked.operation, failure) from None

    def _draft_for(self, known: Known, checked: _CheckedRequest) -> _Draft:
        """What the caller may have at the present revision, decided once. What was refused is decided anew each time."""
        tenancy = self._identity.snapshot()
        if tenancy is not self._tenancy or len(self._drafts) >= _MOST_DRAFTS:
            self._tenancy = tenancy
            self._drafts = {}
            self._terms = {}
        place = (known.raw, checked.operation, checked.alias, checked.outputs)
        draft = self._drafts.get(place)
        if draft is None:
            self._identity.allowed_model(known.caller, checked.alias)
            draft = self._drafts[place] = self._draft(tenancy, known.caller, checked)
        return draft

    def _bounded_draft(self, known: Known, checked: _CheckedRequest, bounds: admission_pb2.RequestBounds) -> _Draft:
        """The same within bounds of the request's own. Decided each time: there are as many of them as callers like."""
        whole = self._draft_for(known, checked)
        admission = admission_pb2.Admission.FromString(whole.packed)
        narrow(admission.constraints, bounds)
        floor, domain = self._identity.snapshot().floor_of(known.caller.domain), known.caller.domain
        classes = {admission.constraints.data_class, *admission.constraints.further_data_classes}
        if floor is not None and floor.data_classes and not classes <= set(floor.data_classes):
            raise floor_conflict(domain, "data_classes")
        return _Draft(admission.SerializeToString(), whole.watchlist)

    def _draft(self, tenancy: Tenancy, caller: admission_pb2.Caller, checked: _CheckedRequest) -> _Draft:
        """What follows from a caller, what is asked and the revision alone."""
        terms = self._terms_for(tenancy, caller, checked.outputs)
        admission = admission_pb2.Admission(
            caller=caller,
            constraints=terms.constraints,
            revision=tenancy.revision,
            alias=checked.alias,
            operation=checked.operation,
        )
        return _Draft(admission.SerializeToString(), terms.watchlist)

    def _terms_for(self, tenancy: Tenancy, caller: admission_pb2.Caller, outputs: int) -> _Terms:
        """Decided once a revision: a caller is sealed anew every few seconds, and floor, domain, project and key stay the same."""
        place = (caller.domain, caller.project, caller.key, outputs)
        terms = self._terms.get(place)
        if terms is None:
            constraints = self._constraints(tenancy, caller, outputs)
            terms = self._terms[place] = _Terms(constraints, self._rules.of(caller.domain))
        return terms

    def _constraints(self, tenancy: Tenancy, caller: admission_pb2.Caller, outputs: int) -> admission_pb2.Constraints:
        """Floor, domain, project and key, by the stricter. FLOOR_CONFLICT where that leaves nothing."""
        project = tenancy.projects.get(caller.project, identity_pb2.Project())
        held = holding(tenancy.domains.get(caller.domain, identity_pb2.Domain()), tenancy.floor_of(caller.domain))
        if held.conflicts:
            raise floor_conflict(caller.domain, held.conflicts[0])
        constraints = held.constraints
        most = least(project.max_output_tokens or self._outputs.most, constraints.max_output_tokens)
        constraints.max_output_tokens = min(outputs or project.max_output_tokens or self._outputs.default, most)
        constraints.strict_charging = project.strict_charging
        for patterns in self._identity.callable_models(caller):
            constraints.callable_models.add(patterns=patterns)
        return constraints


class _Terms(NamedTuple):
    """What floor, domain, project and key say at one revision. Copied into each admission, never changed."""

    constraints: admission_pb2.Constraints
    watchlist: Watchlist


class _Draft(NamedTuple):
    """An admission without what each request has of its own, which follows it on the wire: id, tags, expiry, findings."""

    packed: bytes
    watchlist: Watchlist


class _CheckedRequest(NamedTuple):
    """What of an input decides: the operation, the alias, the wish for output tokens; and how it is screened."""

    operation: str
    """As the request and the response call the field of the input, too."""
    alias: str
    outputs: int
    input: Any
    """The message, of a type that the operation says."""
    kind: InputKind


def within(operation: str, failure: MeshError) -> MeshError:
    """The failure, whose field is named as a field of the request; screening names fields of the input."""
    if failure.field:
        field = f"{operation}.{failure.field}"
        failure.message = failure.message.replace(failure.field, field)
        failure.field = field
    return failure


def _checked(request: policy_pb2.AdmitRequest) -> _CheckedRequest:
    """What is asked. The gateway has checked the fields of the input."""
    operation = request.WhichOneof("input") or ""
    kind, message = INPUTS[operation], getattr(request, operation)
    return _CheckedRequest(operation, message.model, message.max_output_tokens if kind.asks_for_output else 0, message, kind)


def _report(
    screening: Screened[Any], checked: _CheckedRequest, admission: admission_pb2.Admission, response: policy_pb2.AdmitResponse
) -> None:
    """Tells the gateway what was found and masked, and `Reserve` what to write to the audit trail."""
    if screening.findings:
        response.findings.extend(screening.findings)
    if screening.masked is not None:
        getattr(response, checked.operation).CopyFrom(screening.masked)
    counts = screening_counts(screening.counts, DIRECTION)
    admission.screened.extend(counts)
    response.screened.extend(counts)


def _oblige_to_screen(obligations: admission_pb2.Obligations, state: bytes) -> None:
    """Names the obligation twice: gateways of the version before do not know `items`, and would release an answer unscreened."""
    obligations.items.add().screen_output.state = state
    obligations.screen_output = True
    obligations.screen_state = state
