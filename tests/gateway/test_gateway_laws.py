"""Laws that hold whatever the providers do and whenever the client leaves."""

import asyncio

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from tests.gateway.conftest import Mesh, running, said
from tests.gateway.fakes import Say, Script, StreamEvent, attempt, choice_finished, failing, failover, failure, started, text

CONTENT = [
    StreamEvent(text=generate_pb2.TextDelta(text="x")),
    StreamEvent(text=generate_pb2.TextDelta(logprobs=[generate_pb2.TokenLogprob(token="")])),
    StreamEvent(reasoning=generate_pb2.ReasoningDelta(text="x")),
    StreamEvent(reasoning=generate_pb2.ReasoningDelta(signature="x")),
    StreamEvent(refusal=generate_pb2.TextDelta(text="x")),
    StreamEvent(tool_call_started=generate_pb2.ToolCallStarted(id="c", name="n")),
    StreamEvent(audio=generate_pb2.AudioDelta(data=b"x")),
]


@pytest.mark.parametrize("content", CONTENT, ids=lambda event: event.WhichOneof("kind"))
async def test_every_kind_of_content_commits(mesh: Mesh, content: StreamEvent) -> None:
    mesh.adapter.scripts["model-1"] = failing(failure("PROVIDER_RESET"), started(), content)
    messages, error = await mesh.streamed()
    assert messages[0].events[-1] == content
    assert error is not None
    assert error.reason_name == "ANSWER_INTERRUPTED"
    assert len(mesh.adapter.asked) == 1


endings = st.sampled_from(["whole", "PROVIDER_RESET", "PROVIDER_TIMEOUT", "PROVIDER_ERROR", "BREAKER_OPEN", "cut"])
upstreams = st.lists(st.tuples(st.lists(st.sampled_from(["a", "bc", "déf", ""]), max_size=4), endings), min_size=1, max_size=4)


def script(number: int, words: list[str], ending: str) -> Script:
    says: tuple[Say, ...] = (started(), *(text(f"{number}{each}" if each else "") for each in words))
    if ending == "whole":
        return Script((*says, choice_finished()))
    return Script(says, ends=False) if ending == "cut" else Script((*says, failure(ending)))


@given(upstreams=upstreams)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_released_is_of_one_attempt_and_every_begun_attempt_is_accounted_for(upstreams: list[tuple[list[str], str]]) -> None:
    async def check() -> None:
        mesh = Mesh()
        mesh.router.plan = failover(*(attempt(number) for number in range(len(upstreams))))
        mesh.adapter.scripts = {f"model-{number}": script(number, *each) for number, each in enumerate(upstreams)}
        async with running(mesh):
            messages, error = await mesh.streamed()
            await mesh.policy.ended.wait()
        decisive = next((number for number, (words, end) in enumerate(upstreams) if any(words) or end == "whole"), None)
        expected = "" if decisive is None else "".join(f"{decisive}{each}" for each in upstreams[decisive][0] if each)
        assert said(messages) == expected
        assert (error is None) == (decisive is not None and upstreams[decisive][1] == "whole")
        begun = [each.attempt.id for each in mesh.adapter.asked]
        assert len(mesh.policy.settled) + len(mesh.policy.released) == 1
        if mesh.policy.settled:
            lines = mesh.policy.settled[0].lines
            assert [line.attempt_id for line in lines] == begun
            assert all(line.outcome != usage_pb2.ATTEMPT_OUTCOME_UNSPECIFIED for line in lines)
            assert all(line.source for line in lines if line.HasField("usage"))

    asyncio.run(check())


async def test_whenever_the_client_leaves_a_reservation_ends_exactly_once() -> None:
    mesh = Mesh()
    async with running(mesh):
        for moment in range(120):
            call = mesh.stream()
            for _ in range(moment):
                await asyncio.sleep(0)
            call.cancel()
    held = {each.reservation_id for each in mesh.policy.reserved}
    settled = {each.reservation_id for each in mesh.policy.settled}
    released = {each.reservation_id for each in mesh.policy.released}
    assert held
    assert held <= settled | released
    assert not settled & released
