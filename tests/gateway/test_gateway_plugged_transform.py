"""A response transform that the gateway does not have plugs in: it puts names back for pseudonyms, wherever a stream is cut."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_gateway import wiring
from llm_mesh_gateway.domain.errors import screening_failed
from llm_mesh_gateway.domain.operation import Operation
from llm_mesh_gateway.domain.ports import Piece, Release
from llm_mesh_gateway.domain.transforms import AnswerContext, AnswerTexts, TextRun
from llm_mesh_runtime.start_error import StartError
from tests.gateway.conftest import Mesh, running, said
from tests.gateway.fakes import Script, StreamEvent, choice_finished, started, text

PSEUDONYM, WORDS = "[P1]", "Dear [P1], [x"
CALL = StreamEvent(tool_call=generate_pb2.ToolCallDelta(arguments_json='{"to": "[P1]"}'))
THOUGHT = StreamEvent(reasoning=generate_pb2.ReasoningDelta(text="[P1]?"))


class Names:
    def narrow(self, operation: Operation) -> Sequence[generate_pb2.Translation]:
        return operation.without_logprobs("names are put back")

    @asynccontextmanager
    async def begin(self, obligation: admission_pb2.Obligation, context: AnswerContext, release: Release) -> AsyncIterator[Release]:
        texts, held = AnswerTexts(release, screening_failed), dict[TextRun, str]()

        async def accept(piece: Piece) -> None:
            texts.add(piece)
            for run in texts.take_changed():
                part = run.piece()
                words = (held.get(run, "") + part.text).replace(PSEUDONYM, "Ana")
                cut = len(words) if part.final or "[" not in words[-len(PSEUDONYM) :] else words.rindex("[")
                held[run] = words[cut:]
                run.take(words[:cut], part.seq if cut == len(words) else part.seq - 1)
            await texts.let_go()

        yield accept


@pytest.mark.parametrize("cut", [1, 3, 100])
async def test_a_transform_changes_streams_and_whole_answers_alike(cut: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wiring, "_own_transforms", lambda _: {})  # the contract has no other kind that changes answers yet
    mesh = Mesh(transforms={"screen_output": Names()})
    mesh.policy.admission.obligations.items.add().screen_output.SetInParent()
    pieces = [text(WORDS[place : place + cut]) for place in range(0, len(WORDS), cut)]
    mesh.adapter.scripts["model-1"] = Script((started(), THOUGHT, *pieces, CALL, choice_finished()))
    async with running(mesh):
        messages, error = await mesh.streamed(logprobs=generate_pb2.LogprobOptions(top=1))
        whole = (await mesh.generate()).output.choices[0].message.parts[0]
    assert (error, said(messages)) == (None, "Dear Ana, [x")
    events = [event for message in messages for event in message.events]
    assert "".join(event.reasoning.text for event in events) == "Ana?"
    assert "".join(event.tool_call.arguments_json for event in events) == '{"to": "Ana"}'
    assert events[0].started.translations[0].field == "logprobs"
    assert whole.text.text == "Dear Ana, [x"


async def test_a_plug_in_does_not_take_the_place_of_screening() -> None:
    with pytest.raises(StartError, match="response transform for screen_output"):
        async with running(Mesh(transforms={"screen_output": Names()})):
            pass
