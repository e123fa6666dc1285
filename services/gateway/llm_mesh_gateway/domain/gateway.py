"""The one way through the mesh: render, admit, plan, reserve, dispatch, screen, settle, record.

Streamed or whole, generation or embedding: every request takes the same steps. They differ in the `Operation` that says what goes to
policy, router and adapter, and in the `Release` that takes what comes back.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from llm_mesh.catalogue.v1 import catalogue_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import errors_pb2, resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_gateway.domain import replay
from llm_mesh_gateway.domain.charge import tell_charge
from llm_mesh_gateway.domain.execution import EXECUTORS, Execution, Executors, Retries, attempts_of
from llm_mesh_gateway.domain.execution.repeating import RetryBounds
from llm_mesh_gateway.domain.execution.retry_budget import RetryBudget
from llm_mesh_gateway.domain.fields import in_callers_words
from llm_mesh_gateway.domain.findings import Findings, tell_screened
from llm_mesh_gateway.domain.operation import Operation
from llm_mesh_gateway.domain.other_meshes import ContextAdapters, HopCheck, context_of
from llm_mesh_gateway.domain.outcomes import Outcomes
from llm_mesh_gateway.domain.outlets import Outlet
from llm_mesh_gateway.domain.ports import Adapters, Policy, PromptRenderer, Release, Rights, RoutePlanner
from llm_mesh_gateway.domain.record import set_duration
from llm_mesh_gateway.domain.recording import Recording, RecordingRoom
from llm_mesh_gateway.domain.reservation import OpenReservation, refusal_of, was_sent
from llm_mesh_gateway.domain.reservation_id import ReservationIds
from llm_mesh_gateway.domain.settlements import Settlements
from llm_mesh_gateway.domain.transforms import UNCHANGED, AnswerContext, ResponseChain, Transforms, chain_of
from llm_mesh_runtime.context import Caller
from llm_mesh_runtime.errors import MeshError, RuntimeFault

_RENDER = "/llm_mesh.catalogue.v1.CatalogueService/Render"
_RENDER_ACTION = "prompts.render"

Decided = Callable[[str], None]


@dataclass(slots=True)
class Request:
    """One request on its way through the steps."""

    operation: Operation
    options: gateway_pb2.RequestOptions | None
    """None where the caller says nothing to the mesh itself, as most do."""
    caller: Caller
    request_id: str
    began: float
    decided: Decided = lambda _: None
    """Takes the id of the routing decision as soon as there is one, whatever becomes of the request."""
    prompt_version: str = ""
    rendered: int = 0
    """How many messages of a prompt come before the caller's."""
    counts_only: bool = False
    """Nothing is reserved for it."""
    proof: resources_pb2.Sealed | None = None
    """The admission, where screening found something."""
    decision_id: str = ""

    def decide(self, decision_id: str) -> None:
        """There is a routing decision."""
        self.decision_id = decision_id
        self.decided(decision_id)


@dataclass(slots=True)
class Planned:
    """A request that may be carried out."""

    admitted: policy_pb2.AdmitResponse
    admission: resources_pb2.Sealed
    plan: plan_pb2.Plan
    attempts: list[plan_pb2.Attempt]
    decision_id: str
    chain: ResponseChain = UNCHANGED
    """What policy obliges to do with the answer. A request that is only counted has none."""


class Gateway:
    """Carries requests through. Owns no data; what must outlive a request is with `Settlements`."""

    def __init__(  # noqa: PLR0913 - one port per peer
        self,
        *,
        catalogue: PromptRenderer,
        rights: Rights,
        policy: Policy,
        router: RoutePlanner,
        adapters: Adapters,
        settlements: Settlements,
        outcomes: Outcomes,
        budget: RetryBudget,
        bounds: RetryBounds,
        epoch: str,
        transforms: Transforms,
        executors: Executors = EXECUTORS,
        room: RecordingRoom | None = None,
        replayed: Callable[[], None] = lambda: None,
        hops: HopCheck = HopCheck(),  # noqa: B008 (it never changes)
    ) -> None:
        self._catalogue = catalogue
        self._rights = rights
        self._policy = policy
        self._router = router
        self._adapters = adapters
        self._settlements = settlements
        self._outcomes = outcomes
        self._budget = budget
        self._bounds = bounds
        self._epoch = epoch
        self._executors = executors
        self._transforms = transforms
        self._room = RecordingRoom(0) if room is None else room
        self._replayed = replayed
        self._hops = hops
        self._ids = ReservationIds()

    async def answer(self, request: Request, outlet: Outlet, receipt: gateway_pb2.Receipt) -> None:
        """Take all steps. What is released goes to `outlet`. At the end `receipt` is written."""
        digest = self._checked(request)
        self._settlements.make_room()
        try:
            planned, reservation = await self._prepared(request, digest)
            held = await self._hold(reservation)
        except MeshError as failure:
            self._outcomes.refused(failure)
            raise
        if isinstance(held, replay.KeptAnswer):
            await self._repeat(request, planned, held, outlet, receipt)
            return
        may_record = digest and held.answer_limit and planned.chain.records
        recording = Recording(held.answer_limit, self._room, request.caller.party) if may_record else None
        outlet.held(held, recording)
        try:
            receipt.model, settled = await self._dispatch(request, planned, held, outlet.release, recording)
        finally:
            if recording is not None:
                recording.close()
        receipt.decision_id = planned.decision_id
        _write_receipt(receipt, request, held, settled)

    async def prepare(self, request: Request) -> Planned:
        """The steps that cost nothing: for counting."""
        self._checked(request)
        request.counts_only = True
        return await self.plan(request)

    async def _prepared(self, request: Request, digest: bytes) -> tuple[Planned, OpenReservation]:
        """Everything before money is held. Where that fails, what screening found in the request leaves proof all the same."""
        try:
            planned = await self.plan(request)
            planned.chain = chain_of(planned.admitted, self._transforms)
            return planned, self._reservation(request, planned, digest)
        except (MeshError, asyncio.CancelledError) as failure:
            if request.proof is not None:
                refusal = refusal_of(failure, request.proof, request.decision_id, request.request_id)
                release = policy_pb2.ReleaseRequest(reservation_id=self._ids.next(), epoch=self._epoch)
                release.refusal.CopyFrom(refusal)
                self._settlements.release_later(release)
            raise

    def _checked(self, request: Request) -> bytes:
        if request.caller.sealed is None:
            raise RuntimeFault(errors_pb2.ERROR_REASON_MISSING_CREDENTIAL, "the call names nobody who could pay for it")
        operation, options = request.operation, request.options
        if options is None:
            operation.check(has_prompt=False)
            return b""
        self._hops.check(options)
        operation.check(has_prompt=options.HasField("prompt"))
        return operation.digest(options) if options.idempotency_key else b""

    async def _render(self, request: Request, prompt: gateway_pb2.PromptReference) -> None:
        domain = request.caller.domain
        await self._rights.demand(_RENDER, _RENDER_ACTION, prompt_resource(prompt.name, domain))
        name = prompt.name if prompt.name.startswith("domains/") else f"{domain}/prompts/{prompt.name}"
        rendered = await self._catalogue.render(
            catalogue_pb2.RenderRequest(name=name, label=prompt.label, variables_json=prompt.variables_json, domain=domain)
        )
        request.prompt_version = rendered.version
        request.rendered = len(rendered.messages)
        try:
            request.operation.precede(list(rendered.messages))
        except MeshError as refusal:
            raise in_callers_words(refusal, request.rendered) from None

    async def plan(self, request: Request) -> Planned:
        """Render the prompt if there is one, admit what the model would see, and have it planned."""
        operation, options, session = request.operation, request.options, ""
        if options is not None:
            session = options.session
            if options.HasField("prompt"):
                await self._render(request, options.prompt)
        ask = _admission_request(request)
        try:
            admitted = await self._policy.admit(ask)
        except MeshError as refusal:
            raise in_callers_words(refusal, request.rendered) from None
        operation.mask(admitted)
        if admitted.screened:
            request.proof = admitted.admission
        question = router_pb2.PlanRequest(request_id=request.request_id)
        admission = admitted.admission
        question.admission.CopyFrom(admission)
        operation.profile(question.profile, session)
        try:
            answer = await self._router.plan(question)
        except MeshError as refusal:
            if decision_id := refusal.metadata.get("decision_id"):
                request.decide(decision_id)
            raise
        request.decide(answer.decision_id)
        plan = answer.plan
        return Planned(admitted, admission, plan, attempts_of(plan, self._executors), answer.decision_id)

    async def _hold(self, reservation: OpenReservation) -> OpenReservation | replay.KeptAnswer:
        """Hold the money; or find the answer of the earlier request that this one repeats."""
        try:
            await reservation.hold()
        except MeshError as refusal:
            if not replay.is_kept(refusal):
                raise
            try:
                return await replay.find(self._policy, reservation.request, refusal)
            except (MeshError, asyncio.CancelledError) as failure:  # it is gone, so that the request is refused after all
                if reservation.screened:
                    reservation.refuse(failure)
                raise
        return reservation

    async def _repeat(
        self, request: Request, planned: Planned, stored: replay.KeptAnswer, outlet: Outlet, receipt: gateway_pb2.Receipt
    ) -> None:
        """Answer with a kept answer."""
        request.decided(stored.entry.decision_id)
        stored.screened = planned.admitted.screened[:]
        changing = planned.chain.begin(AnswerContext(planned.admission, stored.findings), outlet.release)
        await stored.release_again(outlet.replays(stored), changing)
        self._replayed()
        stored.write_receipt(receipt)
        receipt.request_id = request.request_id
        set_duration(receipt.total, time.monotonic() - request.began)

    def _reservation(self, request: Request, planned: Planned, digest: bytes) -> OpenReservation:
        reservation_id = self._ids.next()
        reserve = policy_pb2.ReserveRequest(reservation_id=reservation_id, epoch=self._epoch, request_id=request.request_id)
        reserve.admission.CopyFrom(planned.admission)
        reserve.plan.CopyFrom(planned.plan)
        if digest and request.options is not None:
            reserve.idempotency_key = request.options.idempotency_key
            reserve.request_digest = digest
        if candidates := request.operation.candidate_count:
            reserve.candidate_count = candidates
        name = f"{request.caller.project}/reservations/{reservation_id}"
        reservation = OpenReservation(self._policy, self._settlements, reserve, reservation_id, name, self._epoch)
        if planned.admitted.screened:
            reservation.screened = planned.admitted.screened[:]
        return reservation

    async def _dispatch(
        self, request: Request, planned: Planned, reservation: OpenReservation, release: Release, recording: Recording | None
    ) -> tuple[str, policy_pb2.SettleResponse | None]:
        """Have it answered. Tells by which model, and what it cost where that is known."""
        self._budget.request()
        operation, root = request.operation, planned.plan.root
        context = context_of(request.options)
        adapters = self._adapters if context is None else ContextAdapters(self._adapters, context)
        execution = Execution(
            operation,
            self._executors,
            lambda attempt, changed: changed.dispatch(adapters, attempt, reservation.grant),
            lambda: Retries(planned.attempts, reservation.extend, self._budget, self._bounds),
            awaits_usage=self._settlements.awaits_usage,
        )
        try:
            if chain := planned.chain:
                translations = chain.narrow(operation)
                findings = reservation.findings = Findings()
                async with chain.begin(AnswerContext(planned.admission, findings), release, translations) as changing:
                    await execution.run(root, changing)
            else:
                await execution.run(root, release)
        except asyncio.CancelledError:
            whole = recording is not None and recording.has_end  # the caller left, or was slow, when its last piece was written
            answer = _recorded(request, execution, recording) if whole else None
            reservation.end_later(execution.records, execution.remainder, answer)
            raise
        except BaseException as failure:
            execution.drop_remainder()
            if isinstance(failure, MeshError):
                execution.withheld(failure, planned.attempts[0])
            settled = await reservation.end(execution.records)
            if isinstance(failure, MeshError):
                tell_charge(failure, reservation.name, settled, sent=was_sent(execution.records))
                tell_screened(failure, reservation.all_screened)
            raise
        finally:
            for record in execution.records:
                if record.begun:  # a target that was never tried has no outcome
                    self._outcomes.note(record, planned.decision_id, request.caller.domain)
        execution.drop_remainder()
        return execution.answered_by, await reservation.end(execution.records, _recorded(request, execution, recording))


def _admission_request(request: Request) -> policy_pb2.AdmitRequest:
    """What policy is asked."""
    options = request.options
    # Here and elsewhere messages are copied into others: the constructor would serialise and parse them, at thrice the price.
    ask = policy_pb2.AdmitRequest(request_id=request.request_id)
    if request.caller.sealed is not None:
        ask.caller.CopyFrom(request.caller.sealed)
    if options is not None:
        if options.tags:
            ask.tags.MergeFrom(options.tags)
        if options.HasField("bounds"):
            ask.bounds.CopyFrom(options.bounds)
    if request.counts_only:
        ask.counts_only = True
    request.operation.ask_admission(ask)
    return ask


def _recorded(request: Request, execution: Execution, recording: Recording | None) -> policy_pb2.KeptAnswer | None:
    """The answer for policy to keep."""
    return None if recording is None else recording.packed(execution.answered_by, request.prompt_version, request.began)


def prompt_resource(name: str, domain: str) -> str:
    """The resource that is authorised for a prompt: each spelling of one prompt gives the same one, whichever version is meant.

    A prompt of the caller's own domain is named relative to the project, so that a role in the project is enough. Another domain's prompt
    keeps its whole name: only a role in that domain grants it.
    """
    prompt, _, _version = name.partition("/versions/")
    own = prompt.removeprefix(f"{domain}/prompts/")
    return own if own.startswith("domains/") else f"prompts/{own}"


def _write_receipt(
    receipt: gateway_pb2.Receipt, request: Request, reservation: OpenReservation, settled: policy_pb2.SettleResponse | None
) -> None:
    receipt.reservation = reservation.name
    receipt.request_id = request.request_id
    if request.prompt_version:
        receipt.prompt_version = request.prompt_version
    if screened := reservation.all_screened:
        receipt.screened.extend(screened)
    if reservation.limits:
        receipt.limits.extend(reservation.limits)
    if settled is not None:
        receipt.charged.CopyFrom(settled.charged)
        for line in settled.lines[:]:  # the loop's own end would be an exception with a text
            receipt.lines.add().CopyFrom(line)
    set_duration(receipt.total, time.monotonic() - request.began)
