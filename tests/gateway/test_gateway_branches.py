"""What every executor gets: one commit point, one settlement, and answers that it may read before anybody else does."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from hypothesis import HealthCheck, given, settings

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_gateway.domain.execution import Branch
from llm_mesh_gateway.domain.operation import Generation
from llm_mesh_gateway.domain.ports import Piece
from llm_mesh_runtime.errors import MeshError
from tests.gateway.conftest import Mesh, running, said
from tests.gateway.fakes import Script, attempt, choice_finished, failing, failure, saying, started, text
from tests.gateway.test_gateway_laws import script, upstreams
from tests.gateway.test_gateway_plugged_hedge import Hedge, hedged

CANCELLED = usage_pb2.ATTEMPT_OUTCOME_CANCELLED
COMPLETED = usage_pb2.ATTEMPT_OUTCOME_COMPLETED


class Cascade:
    """Accepts the first answer that has the word."""

    async def run(self, node: plan_pb2.PlanNode, branch: Branch) -> bool:
        for child in node.cascade.children:
            pieces: list[Piece] = []

            async def collect(piece: Piece, pieces: list[Piece] = pieces) -> None:
                pieces.append(piece)

            answered = await branch.attempt(child.attempt, into=collect)
            words = "".join(event.text.text for piece in pieces for event in piece.events)
            if answered and node.cascade.accept in words:
                for piece in pieces:
                    await branch.release(piece)
                return True
        return False


class Continuation:
    """Has the next child go on where one breaks off."""

    async def run(self, node: plan_pb2.PlanNode, branch: Branch) -> bool:
        first, second = node.parallel.children
        try:
            return await branch.run(first)
        except MeshError as failure:
            if failure.reason_name != "ANSWER_INTERRUPTED":
                raise

        async def stitch(piece: Piece) -> None:
            rest = [event for event in piece.events if event.WhichOneof("kind") != "started"]
            await branch.release(Piece(events=rest, report=piece.report))

        half = content_pb2.Message(role=content_pb2.ROLE_ASSISTANT, parts=[content_pb2.Part(text=content_pb2.Text(text="half "))])
        operation = branch.operation
        assert isinstance(operation, Generation)
        longer = generate_pb2.GenerateInput(model=operation.input.model, messages=[*operation.input.messages, half])
        return await branch.attempt(second.attempt, into=stitch, operation=replace(operation, input=longer))


def node(kind: str, attempts: int) -> plan_pb2.Plan:
    plan = plan_pb2.Plan(decision_id="d1")
    for number in range(1, attempts + 1):
        getattr(plan.root, kind).children.add().attempt.CopyFrom(attempt(number))
    return plan


def outcomes(mesh: Mesh) -> dict[str, int]:
    (settled,) = mesh.policy.settled
    return {line.attempt_id: line.outcome for line in settled.lines}


async def test_an_executor_may_read_answers_and_choose_one() -> None:
    mesh = Mesh(executors={"cascade": Cascade()})
    mesh.router.plan = node("cascade", 3)
    mesh.router.plan.root.cascade.accept = "good"
    mesh.adapter.scripts = {
        "model-1": saying("bad"),
        "model-2": failing(failure("PROVIDER_RESET"), text("good")),
        "model-3": saying("good"),
    }
    async with running(mesh):
        messages, error = await mesh.streamed()
    assert (error, said(messages)) == (None, "good")
    assert messages[-1].receipt.model == "domains/shared/models/model-3"
    assert outcomes(mesh) == {"a1": COMPLETED, "a2": usage_pb2.ATTEMPT_OUTCOME_FAILED, "a3": COMPLETED}


async def test_a_plan_that_accepts_no_answer_says_so_and_is_settled() -> None:
    mesh = Mesh(executors={"cascade": Cascade()})
    mesh.router.plan = node("cascade", 2)
    mesh.router.plan.root.cascade.accept = "good"
    async with running(mesh):
        messages, error = await mesh.streamed()
    assert error is not None
    assert (error.reason_name, error.metadata["attempts"], said(messages)) == ("ALL_ATTEMPTS_FAILED", "2", "")
    assert outcomes(mesh) == {"a1": COMPLETED, "a2": COMPLETED}


async def test_an_executor_may_go_on_with_an_answer_that_broke_off() -> None:
    mesh = Mesh(executors={"parallel": Continuation()})
    mesh.router.plan = node("parallel", 2)
    mesh.adapter.scripts = {"model-1": failing(failure("PROVIDER_RESET"), started(), text("half ")), "model-2": saying("and half")}
    async with running(mesh):
        messages, error = await mesh.streamed()
    assert (error, said(messages)) == (None, "half and half")
    kinds = [event.WhichOneof("kind") for message in messages for event in message.events]
    assert kinds.count("started") == 1
    assert [len(request.input.messages) for request in mesh.adapter.asked] == [1, 2]
    assert outcomes(mesh) == {"a1": usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED, "a2": COMPLETED}


class Race:
    """Runs all children at once, and cancels none."""

    async def run(self, node: plan_pb2.PlanNode, branch: Branch) -> bool:
        begun = [branch.begin(child) for child in node.parallel.children]
        results = [await each.result() for each in begun]
        return any(results)


async def test_of_two_branches_with_content_at_once_one_is_released() -> None:
    mesh = Mesh(executors={"parallel": Race()})
    mesh.router.plan = node("parallel", 2)
    meeting = asyncio.Barrier(2)

    async def meet() -> None:
        await meeting.wait()

    mesh.adapter.scripts = {f"model-{number}": Script((started(), meet, text(f"{number}"), text(f"{number}"))) for number in (1, 2)}
    async with running(mesh):
        messages, error = await mesh.streamed()
    assert error is None
    assert said(messages) in {"11", "22"}
    assert sorted(outcomes(mesh).values()) == [COMPLETED, CANCELLED]


async def test_a_caller_who_leaves_ends_all_branches_and_they_are_settled_together() -> None:
    mesh = Mesh(executors={"hedge": Hedge()})
    mesh.router.plan = hedged(*(plan_pb2.PlanNode(attempt=attempt(number)) for number in (1, 2)))
    begun = asyncio.Semaphore(0)

    async def wait() -> None:
        begun.release()
        await asyncio.Event().wait()

    mesh.adapter.scripts = {f"model-{number}": Script((started(), wait)) for number in (1, 2)}
    async with running(mesh):
        call = mesh.stream()
        for _ in range(2):
            await begun.acquire()
        call.cancel()
        await mesh.policy.ended.wait()
    assert outcomes(mesh) == {"a1": CANCELLED, "a2": CANCELLED}


async def test_a_failure_that_nothing_may_follow_ends_the_other_branches() -> None:
    mesh = Mesh(executors={"hedge": Hedge()})
    mesh.router.plan = hedged(*(plan_pb2.PlanNode(attempt=attempt(number)) for number in (1, 2)))
    filtered = failure("PROVIDER_FILTERED")
    mesh.adapter.scripts = {"model-1": Script((started(), mesh.adapter.wait)), "model-2": failing(filtered, started())}
    async with running(mesh):
        messages, error = await mesh.streamed()
        await mesh.adapter.cancelled.wait()
    assert error is not None
    assert (error.reason_name, said(messages)) == ("PROVIDER_FILTERED", "")
    assert outcomes(mesh)["a1"] == CANCELLED


@given(upstreams=upstreams)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
def test_branches_release_one_attempt_and_every_begun_attempt_is_settled(upstreams: list[tuple[list[str], str]]) -> None:
    async def check() -> None:
        mesh = Mesh(executors={"hedge": Hedge()})
        mesh.router.plan = hedged(*(plan_pb2.PlanNode(attempt=attempt(number)) for number in range(len(upstreams))))
        mesh.router.plan.root.hedge.delay.FromNanoseconds(1)
        mesh.adapter.scripts = {f"model-{number}": script(number, *each) for number, each in enumerate(upstreams)}
        async with running(mesh):
            messages, error = await mesh.streamed()
            await mesh.policy.ended.wait()
        answers = {number: "".join(f"{number}{each}" for each in words if each) for number, (words, _) in enumerate(upstreams)}
        spoken = said(messages)
        assert spoken in answers.values() if spoken else True
        assert (error is None) <= (not spoken or upstreams[int(spoken[0])][1] == "whole")
        assert len(mesh.policy.settled) + len(mesh.policy.released) == 1
        begun = sorted(each.attempt.id for each in mesh.adapter.asked)
        for settled in mesh.policy.settled:
            assert set(begun) <= {line.attempt_id for line in settled.lines}
            assert all(line.outcome != usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED for line in settled.lines)

    asyncio.run(check())


async def test_a_choice_that_is_finished_without_content_answers_when_nobody_else_does() -> None:
    mesh = Mesh(executors={"hedge": Hedge()})
    mesh.router.plan = hedged(*(plan_pb2.PlanNode(attempt=attempt(number)) for number in (1, 2)))
    mesh.adapter.scripts = {"model-1": failing(failure("PROVIDER_ERROR")), "model-2": Script((started(), choice_finished()))}
    async with running(mesh):
        messages, error = await mesh.streamed()
    assert error is None
    assert messages[-1].receipt.model == "domains/shared/models/model-2"
