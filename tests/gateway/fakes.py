"""Peers of the gateway that do as they are told, and remember what they were asked."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from llm_mesh.adapter.v1 import adapter_pb2, adapter_pb2_grpc
from llm_mesh.adapter.v1 import errors_pb2 as adapter_errors
from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import errors_pb2 as policy_errors
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2, router_pb2_grpc
from llm_mesh_runtime.errors import MeshError, not_implemented
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.testing import FakePolicy as Authorising
from llm_mesh_runtime.testing import NoSettings

StreamEvent = generate_pb2.StreamEvent


class AdapterError(MeshError):
    reasons = adapter_errors.ErrorReason


class PolicyError(MeshError):
    reasons = policy_errors.ErrorReason


def failure(reason: str, **metadata: str) -> AdapterError:
    """One of the adapter's failures, such as `PROVIDER_RESET`."""
    error = AdapterError(adapter_errors.ErrorReason.Value(f"ERROR_REASON_{reason}"), f"it was {reason.lower()}")
    error.metadata |= metadata
    return error


def attempt(number: int, *, adapter: str = "fake", dialect: str = "openai", model: str = "") -> plan_pb2.Attempt:
    return plan_pb2.Attempt(
        id=f"a{number}",
        adapter=adapter,
        endpoint="here",
        upstream_model=model or f"model-{number}",
        model=f"domains/shared/models/model-{number}",
        dialect=dialect,
        max_input_tokens=1000,
        max_output_tokens=100,
    )


def failover(*attempts: plan_pb2.Attempt) -> plan_pb2.Plan:
    children = [plan_pb2.PlanNode(attempt=each) for each in attempts]
    return plan_pb2.Plan(root=plan_pb2.PlanNode(failover=plan_pb2.Failover(children=children)), decision_id="d1")


def text(words: str, choice: int = 0) -> StreamEvent:
    return StreamEvent(text=generate_pb2.TextDelta(choice=choice, text=words))


def started() -> StreamEvent:
    return StreamEvent(started=generate_pb2.Started(id="up-1", model="upstream"))


def choice_finished(choice: int = 0) -> StreamEvent:
    return StreamEvent(choice_finished=generate_pb2.ChoiceFinished(choice=choice, finish_reason=generate_pb2.FINISH_REASON_STOP))


def report(input_tokens: int = 7, output_tokens: int = 3) -> adapter_pb2.AttemptReport:
    usage = generate_pb2.Usage(input_tokens=input_tokens, output_tokens=output_tokens)
    return adapter_pb2.AttemptReport(usage=usage, source=usage_pb2.USAGE_SOURCE_PROVIDER)


Say = StreamEvent | MeshError | Callable[[], Awaitable[None]]


@dataclass
class Script:
    """What an upstream model does: says events, fails, or waits."""

    says: tuple[Say, ...] = ()
    report: adapter_pb2.AttemptReport = field(default_factory=report)
    ends: bool = True
    """Whether the last message comes."""
    whole: generate_pb2.GenerateOutput | None = None
    """The whole answer, where the events do not say it."""


def saying(*words: str) -> Script:
    events: tuple[Say, ...] = (started(), *map(text, words), choice_finished(), StreamEvent(finished=generate_pb2.Finished()))
    return Script(events)


def failing(error: MeshError, *before: Say) -> Script:
    return Script((*before, error))


@dataclass
class FakeAdapter(adapter_pb2_grpc.AdapterServiceServicer):
    """Plays one script per upstream model."""

    scripts: dict[str, Script] = field(default_factory=dict)
    asked: list[Any] = field(default_factory=list)
    cancelled: asyncio.Event = field(default_factory=asyncio.Event)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    """A stream has ended, however."""
    without_vector_streams: bool = False
    """It is an adapter of an earlier contract."""

    def script(self, request: Any) -> Script:
        self.asked.append(request)
        return self.scripts.get(request.attempt.upstream_model) or saying("hello", " world")

    async def wait(self) -> None:
        """For scripts: say nothing more until the call ends."""
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        finally:
            self.cancelled.set()

    async def Generate(self, request: adapter_pb2.GenerateRequest, context: object) -> adapter_pb2.GenerateResponse:
        del context
        script, said = self.script(request), ""
        for say in script.says:
            if isinstance(say, MeshError):
                raise say
            if callable(say):
                await say()
            elif say.WhichOneof("kind") == "text":
                said += say.text.text
        if script.whole is not None:
            return adapter_pb2.GenerateResponse(output=script.whole, report=script.report)
        part = content_pb2.Part(text=content_pb2.Text(text=said))
        message = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[part])
        choice = generate_pb2.Choice(message=message, finish_reason=generate_pb2.FINISH_REASON_STOP)
        output = generate_pb2.GenerateOutput(id="up-1", model="upstream", choices=[choice], usage=script.report.usage)
        return adapter_pb2.GenerateResponse(output=output, report=script.report)

    async def GenerateStream(
        self, request: adapter_pb2.GenerateStreamRequest, context: object
    ) -> AsyncIterator[adapter_pb2.GenerateStreamResponse]:
        del context
        try:
            async for message in self.play(self.script(request)):
                yield message
        finally:
            self.ended.set()

    async def play(self, script: Script) -> AsyncIterator[adapter_pb2.GenerateStreamResponse]:
        for say in script.says:
            if isinstance(say, MeshError):
                raise say
            if callable(say):
                await say()
            else:
                yield adapter_pb2.GenerateStreamResponse(events=[say])
        if script.ends:
            yield adapter_pb2.GenerateStreamResponse(events=[StreamEvent(usage=script.report.usage)], final=script.report)

    async def Embed(self, request: adapter_pb2.EmbedRequest, context: object) -> adapter_pb2.EmbedResponse:
        del context
        script = self.script(request)
        for say in script.says:
            if isinstance(say, MeshError):
                raise say
        embeddings = [embed_pb2.Embedding(index=index, values=[1.0, 2.0]) for index, _ in enumerate(request.input.items)]
        return adapter_pb2.EmbedResponse(output=embed_pb2.EmbedOutput(model="upstream", embeddings=embeddings), report=script.report)

    async def EmbedStream(self, request: adapter_pb2.EmbedStreamRequest, context: object) -> AsyncIterator[adapter_pb2.EmbedStreamResponse]:
        """One message per vector."""
        if self.without_vector_streams:
            raise not_implemented("EmbedStream")
        whole = await self.Embed(adapter_pb2.EmbedRequest.FromString(request.SerializeToString()), context)
        first = adapter_pb2.EmbedStreamResponse(output=embed_pb2.EmbedOutput(model=whole.output.model))
        for vector in whole.output.embeddings:
            first.embeddings.add().CopyFrom(vector)
            yield first
            first = adapter_pb2.EmbedStreamResponse()
        yield adapter_pb2.EmbedStreamResponse(report=whole.report)

    async def CountTokens(self, request: adapter_pb2.CountTokensRequest, context: object) -> adapter_pb2.CountTokensResponse:
        del context
        for say in self.script(request).says:
            if isinstance(say, MeshError):
                raise say
        count = embed_pb2.TokenCount(input_tokens=11, source=embed_pb2.COUNT_SOURCE_PROVIDER)
        return adapter_pb2.CountTokensResponse(count=count)

    async def ListEndpoints(self, request: object, context: object) -> adapter_pb2.ListEndpointsResponse:
        raise NotImplementedError

    async def DiscoverModels(self, request: object, context: object) -> adapter_pb2.DiscoverModelsResponse:
        raise NotImplementedError


@dataclass
class FakeRouter(router_pb2_grpc.RouterServiceServicer):
    """Plans as it is told."""

    plan: plan_pb2.Plan = field(default_factory=lambda: failover(attempt(1), attempt(2)))
    asked: list[router_pb2.PlanRequest] = field(default_factory=list)
    reported: list[router_pb2.AttemptResult] = field(default_factory=list)
    refuses: MeshError | None = None
    told: asyncio.Event = field(default_factory=asyncio.Event)

    async def Plan(self, request: router_pb2.PlanRequest, context: object) -> router_pb2.PlanResponse:
        del context
        self.asked.append(request)
        if self.refuses is not None:
            raise self.refuses
        return router_pb2.PlanResponse(plan=self.plan, decision_id="d1")

    async def ListAliases(self, request: router_pb2.ListAliasesRequest, context: object) -> router_pb2.ListAliasesResponse:
        del context
        aliases = [router_pb2.Alias(alias=name, owner=request.domain, capabilities=["tools"]) for name in ("gpt-4.1", "sim-echo")]
        return router_pb2.ListAliasesResponse(aliases=aliases)

    async def ReportOutcomes(self, request: router_pb2.ReportOutcomesRequest, context: object) -> router_pb2.ReportOutcomesResponse:
        del context
        self.reported.extend(request.results)
        self.told.set()
        return router_pb2.ReportOutcomesResponse()


class FakeCatalogue(catalogue_pb2_grpc.CatalogueServiceServicer):
    """Renders one system message."""

    async def Render(self, request: catalogue_pb2.RenderRequest, context: object) -> catalogue_pb2.RenderResponse:
        del context
        words = content_pb2.Text(text=f"{request.name} for {request.domain} with {request.variables_json}")
        message = content_pb2.Message(role=content_pb2.ROLE_SYSTEM, parts=[content_pb2.Part(text=words)])
        return catalogue_pb2.RenderResponse(messages=[message], version=f"{request.name}/versions/3")


@dataclass
class FakePolicy(Authorising):
    """A ledger that only writes down. `settle_fails` is how often `Settle` fails first."""

    admitted: list[policy_pb2.AdmitRequest] = field(default_factory=list)
    reserved: list[policy_pb2.ReserveRequest] = field(default_factory=list)
    settled: list[policy_pb2.SettleRequest] = field(default_factory=list)
    released: list[policy_pb2.ReleaseRequest] = field(default_factory=list)
    heartbeats: list[policy_pb2.HeartbeatRequest] = field(default_factory=list)
    ended: asyncio.Event = field(default_factory=asyncio.Event)
    beaten: asyncio.Event = field(default_factory=asyncio.Event)
    admission: policy_pb2.AdmitResponse = field(default_factory=policy_pb2.AdmitResponse)
    refuses: MeshError | None = None
    settle_fails: int = 0
    extended: list[policy_pb2.ExtendRequest] = field(default_factory=list)
    extending: asyncio.Event = field(default_factory=asyncio.Event)
    refuses_to_extend: MeshError | None = None
    hold_reserve: asyncio.Event | None = None
    hold_settle: asyncio.Event | None = None
    settling: asyncio.Event = field(default_factory=asyncio.Event)
    reserving: asyncio.Event = field(default_factory=asyncio.Event)
    screen: Callable[[policy_pb2.ScreenText], list[policy_pb2.ScreenStreamResponse]] = field(default=lambda text: [passed(text)])
    screened: list[policy_pb2.ScreenText] = field(default_factory=list)
    answer_limit: int = 0
    """As of a project that keeps answers."""
    kept: policy_pb2.GetKeptAnswerResponse | None = None
    kept_asked: list[policy_pb2.GetKeptAnswerRequest] = field(default_factory=list)

    async def GetKeptAnswer(self, request: policy_pb2.GetKeptAnswerRequest, context: object) -> policy_pb2.GetKeptAnswerResponse:
        del context
        self.kept_asked.append(request)
        if self.kept is None:
            raise PolicyError(policy_errors.ERROR_REASON_ANSWER_NOT_KEPT, "no answer is kept for this idempotency key")
        return self.kept

    async def Admit(self, request: policy_pb2.AdmitRequest, context: object) -> policy_pb2.AdmitResponse:
        del context
        self.admitted.append(request)
        return self.admission

    async def Reserve(self, request: policy_pb2.ReserveRequest, context: object) -> policy_pb2.ReserveResponse:
        del context
        self.reserved.append(request)
        self.reserving.set()
        if self.hold_reserve is not None:
            await self.hold_reserve.wait()
        if self.refuses is not None:
            raise self.refuses
        answer = policy_pb2.ReserveResponse()
        answer.grant.payload = b"grant"
        answer.limits.add(metric="requests", limit=100, remaining=99)
        answer.answer_limit_bytes = self.answer_limit
        return answer

    async def Extend(self, request: policy_pb2.ExtendRequest, context: object) -> policy_pb2.ExtendResponse:
        del context
        self.extended.append(request)
        self.extending.set()
        if self.refuses_to_extend is not None:
            raise self.refuses_to_extend
        answer = policy_pb2.ExtendResponse()
        answer.grant.payload = f"grant {len(self.extended)}".encode()
        return answer

    async def Settle(self, request: policy_pb2.SettleRequest, context: object) -> policy_pb2.SettleResponse:
        del context
        self.settling.set()
        if self.hold_settle is not None:
            await self.hold_settle.wait()
        if self.settle_fails:
            self.settle_fails -= 1
            raise RuntimeError("the store is away")
        self.settled.append(request)
        self.ended.set()
        answer = policy_pb2.SettleResponse(state=usage_pb2.RESERVATION_STATE_SETTLED)
        answer.charged.currency, answer.charged.nanos = "USD", 1234
        return answer

    async def Release(self, request: policy_pb2.ReleaseRequest, context: object) -> policy_pb2.ReleaseResponse:
        del context
        self.released.append(request)
        self.ended.set()
        return policy_pb2.ReleaseResponse(state=usage_pb2.RESERVATION_STATE_RELEASED)

    async def Heartbeat(self, request: policy_pb2.HeartbeatRequest, context: object) -> policy_pb2.HeartbeatResponse:
        del context
        self.heartbeats.append(request)
        self.beaten.set()
        return policy_pb2.HeartbeatResponse()

    async def ScreenStream(
        self, request_iterator: AsyncIterator[policy_pb2.ScreenStreamRequest], context: object
    ) -> AsyncIterator[policy_pb2.ScreenStreamResponse]:
        del context
        async for request in request_iterator:
            if request.WhichOneof("kind") == "text":
                self.screened.append(request.text)
                for answer in self.screen(request.text):
                    yield answer


def passed(piece: policy_pb2.ScreenText, released: str | None = None) -> policy_pb2.ScreenStreamResponse:
    """Policy's answer that lets a piece through."""
    words = piece.text if released is None else released
    return policy_pb2.ScreenStreamResponse(channel=piece.channel, index=piece.index, released_text=words, through_seq=piece.seq)


def hosted(name: str, contract: str, add: Any, servicer: Any) -> Service:
    return Service(name, (contract,), NoSettings, lambda _settings, _links: Servicers((add, servicer)))
