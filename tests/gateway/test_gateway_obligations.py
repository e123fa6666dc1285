"""Obligations of policy: carried out in their order, and refused before money is held where this gateway cannot."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_gateway.domain.findings import Findings
from llm_mesh_gateway.domain.operation import Generation, Operation
from llm_mesh_gateway.domain.ports import Piece, Release
from llm_mesh_gateway.domain.transforms.chain import UNCHANGED, AnswerContext, ResponseChain, chain_of
from tests.gateway.conftest import Mesh, said
from tests.gateway.fakes import passed, saying, started, text

CONTEXT = AnswerContext(resources_pb2.Sealed(), Findings())


class Signing:
    """Writes its name behind each text, so that the order of transforms shows."""

    def __init__(self, name: str) -> None:
        self._name = name

    def narrow(self, operation: Operation) -> Sequence[generate_pb2.Translation]:
        return [*operation.without_logprobs(self._name), generate_pb2.Translation(field=self._name)]

    @asynccontextmanager
    async def begin(self, obligation: admission_pb2.Obligation, context: AnswerContext, release: Release) -> AsyncIterator[Release]:
        del obligation, context

        async def accept(piece: Piece) -> None:
            for event in piece.events:
                if event.HasField("text"):
                    event.text.text += self._name
            await release(piece)

        yield accept


async def test_the_first_obligation_reads_what_the_provider_said() -> None:
    seen: list[Piece] = []

    async def release(piece: Piece) -> None:
        seen.append(piece)

    chain = ResponseChain([(Signing(name), admission_pb2.Obligation()) for name in ("a", "b", "c")])
    operation = Generation(generate_pb2.GenerateInput(logprobs=generate_pb2.LogprobOptions(top=1)), streamed=True, exact=False)
    left_out = chain.narrow(operation)
    async with chain.begin(CONTEXT, release, left_out) as accept:
        await accept(Piece(events=[started(), text("x")], report=adapter_pb2.AttemptReport()))
    assert seen[0].events[1].text.text == "xabc"
    assert [each.field for each in seen[0].events[0].started.translations] == ["logprobs", "a", "b", "c"]
    assert [each.note for each in left_out[:1]] == ["a"]
    assert not operation.input.HasField("logprobs")


@pytest.mark.parametrize(
    ("kind", "item"),
    [
        ("unknown", b""),
        ("unknown", b"\xfa\x3e\x00"),  # a kind of a later contract: field 1007
    ],
)
async def test_an_obligation_that_the_gateway_does_not_know_is_refused_before_money_is_held(mesh: Mesh, kind: str, item: bytes) -> None:
    mesh.policy.admission.obligations.items.add().screen_output.state = b"state"
    mesh.policy.admission.obligations.items.append(admission_pb2.Obligation.FromString(item))
    _, error = await mesh.streamed()
    assert error is not None
    assert (error.reason_name, error.metadata["obligation"]) == ("OBLIGATION_NOT_SUPPORTED", kind)
    assert not mesh.policy.reserved


def test_every_kind_of_the_contract_is_carried_out_or_refused_by_its_name() -> None:
    for kind in admission_pb2.Obligation.DESCRIPTOR.oneofs_by_name["kind"].fields:
        admitted = policy_pb2.AdmitResponse()
        getattr(admitted.obligations.items.add(), kind.name).SetInParent()
        if kind.name == "no_recording":
            assert not chain_of(admitted, {}).records
        else:
            assert chain_of(admitted, {kind.name: Signing("")})
            with pytest.raises(Exception, match=kind.name):
                chain_of(admitted, {})


async def test_without_obligations_nothing_stands_in_the_way_of_an_answer() -> None:
    assert chain_of(policy_pb2.AdmitResponse(), {}) is UNCHANGED
    assert not UNCHANGED
    assert UNCHANGED.records


async def test_a_policy_of_the_version_before_obliges_by_its_flags(mesh: Mesh) -> None:
    mesh.policy.admission.obligations.screen_output = True
    mesh.policy.screen = lambda piece: [passed(piece, piece.text.replace("secret", "******"))]
    mesh.adapter.scripts["model-1"] = saying("a secret ", "here")
    assert said((await mesh.streamed())[0]) == "a ****** here"


@pytest.mark.parametrize("by", ["item", "flag"])
async def test_an_answer_that_may_not_be_recorded_is_not_kept(mesh: Mesh, by: str) -> None:
    mesh.policy.answer_limit = 10_000
    once = gateway_pb2.RequestOptions(idempotency_key="once")
    await mesh.generate(options=once)
    if by == "item":
        mesh.policy.admission.obligations.items.add().no_recording.SetInParent()
    else:
        mesh.policy.admission.obligations.no_recording = True
    await mesh.generate(options=once)
    assert [settled.HasField("answer") for settled in mesh.policy.settled] == [True, False]
