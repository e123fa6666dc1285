"""Answers that contradict themselves, and servers that fail: each has its reason, and no number of them reaches a caller."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from llm_mesh_adapter_kit.rpc import client
from llm_mesh_adapter_kit.rpc.framing import MOST_BYTES
from llm_mesh_adapter_oip.provider.wire import MESSAGES
from tests.adapter_oip.fake_server import Script, packed
from tests.adapter_oip.oip_adapter import asked, failure_of, ranked

TEXTS = ["one", "two"]
"""The server's tensor is the second one."""


def shaped(*shape: int) -> Callable[[Any], None]:
    def spoil(answer: Any) -> None:
        answer.outputs[1].shape[:] = shape

    return spoil


def holding(place: int, value: float) -> Callable[[Any], None]:
    def spoil(answer: Any) -> None:
        output = answer.outputs[1]
        values = [0.5] * math.prod(output.shape)
        values[place] = value
        answer.raw_output_contents[1] = packed(values, output.datatype)

    return spoil


def renamed(answer: Any) -> None:
    answer.outputs[1].name = "other"


def twice(answer: Any) -> None:
    answer.outputs[0].name = answer.outputs[1].name


def of_whole_numbers(answer: Any) -> None:
    answer.outputs[1].datatype = "INT64"


def of_no_datatype(answer: Any) -> None:
    answer.outputs[1].datatype = "FP99\n" * 1_000


def half_typed(answer: Any) -> None:
    answer.outputs[1].contents.fp32_contents.append(1.0)


def typed_sixteen(answer: Any) -> None:
    del answer.raw_output_contents[:]
    answer.outputs[1].datatype = "FP16"


def without_contents(answer: Any) -> None:
    del answer.raw_output_contents[:]


def contents_lost(answer: Any) -> None:
    del answer.raw_output_contents[0]


def cut(answer: Any) -> None:
    answer.raw_output_contents[1] = answer.raw_output_contents[1][:-1]


def too_wide(answer: Any) -> None:
    """Beyond what 32 bits hold."""
    answer.outputs[1].datatype = "FP64"
    answer.raw_output_contents[1] = packed([1e300] * math.prod(answer.outputs[1].shape), "FP64")


LIES: list[Callable[[Any], None]] = [
    shaped(), shaped(0, 3), shaped(-1, 3), shaped(2, 4), shaped(3, 2), shaped(6), shaped(2, 3, 1), shaped(2**62, 2**62, 2**62, 2**62),
    shaped(2, 2**63 - 1), shaped(1, 1, 1, 1, 1, 6), renamed, twice, of_whole_numbers, of_no_datatype, half_typed, typed_sixteen,
    without_contents, contents_lost, cut, holding(0, math.nan), holding(-1, math.inf), holding(1, -math.inf),
]  # fmt: skip


@pytest.mark.parametrize("lie", [*LIES, too_wide])
async def test_no_vector_is_made_of_a_tensor_that_lies(lie: Callable[[Any], None]) -> None:
    async with asked(Script(spoils=lie)) as (adapter, _):
        error = await failure_of(adapter.embed(TEXTS))
    assert error.reason_name == "PROVIDER_MALFORMED"
    assert len(error.message) < 400


@pytest.mark.parametrize("lie", LIES)
async def test_no_score_is_made_of_a_tensor_that_lies(lie: Callable[[Any], None]) -> None:
    async with asked(Script(spoils=lie)) as (adapter, _):
        assert (await failure_of(ranked(adapter, ["a", "b"]))).reason_name == "PROVIDER_MALFORMED"


async def test_a_datatype_that_the_operator_did_not_name_is_malformed() -> None:
    async with asked(embed={"datatype": "FP16"}, rerank={"datatype": "FP64"}) as (adapter, _):
        assert (await failure_of(adapter.embed(TEXTS))).reason_name == "PROVIDER_MALFORMED"
        assert (await failure_of(ranked(adapter, TEXTS))).reason_name == "PROVIDER_MALFORMED"


@pytest.mark.parametrize("answer", [b"", b"\xff\xff", b"\x2a\x05ab"])
async def test_bytes_that_are_no_answer_are_malformed(answer: bytes) -> None:
    async with asked(Script(answer=answer)) as (adapter, _):
        assert (await failure_of(adapter.embed(TEXTS))).reason_name == "PROVIDER_MALFORMED"
        assert (await failure_of(ranked(adapter, TEXTS))).reason_name == "PROVIDER_MALFORMED"


async def test_vectors_of_several_lengths_are_malformed() -> None:
    def longer(answer: Any) -> None:
        if answer.outputs[1].shape[0] == 1:
            holding(0, 0.5)(answer)
            answer.outputs[1].shape[:] = [1, 4]
            answer.raw_output_contents[1] += packed([0.5], "FP32")

    async with asked(Script(spoils=longer), embed={"batch": 2}) as (adapter, _):
        assert (await failure_of(adapter.embed(["a", "b", "c"]))).reason_name == "PROVIDER_MALFORMED"


@pytest.mark.parametrize("batch", [1, 2])
async def test_a_giant_tensor_is_malformed_and_no_limit_of_a_rate(batch: int) -> None:
    giant = MESSAGES["ModelInferResponse"](raw_output_contents=[bytes(MOST_BYTES)]).SerializeToString()
    async with asked(Script(answer=giant), embed={"batch": batch}) as (adapter, _):
        assert (await failure_of(adapter.embed(TEXTS))).reason_name == "PROVIDER_MALFORMED"


async def test_tensors_that_are_giant_together_are_malformed(monkeypatch: pytest.MonkeyPatch) -> None:
    async with asked(embed={"batch": 1}) as (adapter, _):
        await adapter.embed(TEXTS)
        monkeypatch.setattr(client, "MOST_TOGETHER", 100)
        assert (await failure_of(adapter.embed(TEXTS))).reason_name == "PROVIDER_MALFORMED"


@pytest.mark.parametrize(
    ("code", "details", "reason"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "expected 1 inputs but got 2", "PROVIDER_REJECTED"),
        (grpc.StatusCode.INVALID_ARGUMENT, "Model with name x does not exist.", "PROVIDER_MODEL_NOT_FOUND"),
        (grpc.StatusCode.NOT_FOUND, "Request for unknown model: 'x' is not found", "PROVIDER_MODEL_NOT_FOUND"),
        (grpc.StatusCode.UNAVAILABLE, "the server is exiting", "PROVIDER_ERROR"),
        (grpc.StatusCode.INTERNAL, "CUDA out of memory", "PROVIDER_ERROR"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full", "PROVIDER_RATE_LIMITED"),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "SERVER: Received message larger than max (9 vs. 4)", "CONTEXT_EXCEEDED"),
        (grpc.StatusCode.UNAUTHENTICATED, "who are you", "PROVIDER_UNAUTHENTICATED"),
        (grpc.StatusCode.UNIMPLEMENTED, "ModelInfer", "UNSUPPORTED"),
    ],
)
@pytest.mark.parametrize("batch", [1, 64])
async def test_what_goes_wrong_has_its_reason(code: grpc.StatusCode, details: str, reason: str, batch: int) -> None:
    async with asked(Script(fails=code, details=details), embed={"batch": batch}, rerank={"batch": batch}) as (adapter, _):
        assert (await failure_of(adapter.embed(TEXTS))).reason_name == reason
        assert (await failure_of(ranked(adapter, TEXTS))).reason_name == reason
