"""Requests that are not of their documented form: refused by the field's path before anything is asked, and nothing is charged."""

from collections.abc import Callable

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.gateway.conftest import KEY, Mesh, request

Break = Callable[[gateway_pb2.GenerateRequest], object]


def too_many_messages(asked: gateway_pb2.GenerateRequest) -> None:
    asked.input.messages.extend([asked.input.messages[0]] * 4096)


def too_many_parts(asked: gateway_pb2.GenerateRequest) -> None:
    first = asked.input.messages[0]
    first.parts.extend([first.parts[0]] * 4000)
    asked.input.messages.extend([first] * 4)


def too_many_inner_parts(asked: gateway_pb2.GenerateRequest) -> None:
    for number in range(5):
        result = asked.input.messages[0].parts.add().tool_result
        result.tool_call_id = f"c{number}"
        result.parts.extend([asked.input.messages[0].parts[0]] * 4000)


def too_deep(asked: gateway_pb2.GenerateRequest) -> None:
    result = asked.input.messages[0].parts.add().tool_result
    for _ in range(6):
        result.tool_call_id = "c"
        result = result.parts.add().tool_result


def nameless_result(asked: gateway_pb2.GenerateRequest) -> None:
    asked.input.messages[0].parts.add().tool_result.SetInParent()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (lambda asked: setattr(asked.input, "model", "no such alias!"), "input.model"),
        (lambda asked: setattr(asked.input, "model", ""), "input.model"),
        (lambda asked: asked.input.ClearField("messages"), "input.messages"),
        (too_many_messages, "input.messages"),
        (too_many_parts, "input.messages"),
        (too_many_inner_parts, "input.messages"),
        (too_deep, "input.messages[0].parts[1].tool_result" + ".parts[0].tool_result" * 4 + ".parts"),
        (lambda asked: setattr(asked.input.messages[0], "role", 0), "input.messages[0].role"),
        (lambda asked: asked.input.messages[0].ClearField("parts"), "input.messages[0].parts"),
        (lambda asked: asked.input.messages[0].parts.add(), "input.messages[0].parts[1]"),
        (lambda asked: asked.input.messages[0].parts.add().image.SetInParent(), "input.messages[0].parts[1].image"),
        (
            lambda asked: asked.input.messages[0].parts.add().tool_result.SetInParent(),
            "input.messages[0].parts[1].tool_result.tool_call_id",
        ),
        (lambda asked: asked.input.tools.add(), "input.tools[0]"),
        (lambda asked: setattr(asked.input.tools.add().function, "name", "käse"), "input.tools[0].function.name"),
        (lambda asked: setattr(asked.input.tool_choice, "mode", content_pb2.TOOL_CHOICE_MODE_NAMED), "input.tool_choice.name"),
        (lambda asked: setattr(asked.input, "candidate_count", 129), "input.candidate_count"),
        (lambda asked: setattr(asked.input, "max_output_tokens", -1), "input.max_output_tokens"),
        (lambda asked: asked.input.stop.append(""), "input.stop[0]"),
        (lambda asked: asked.input.stop.extend("x" for _ in range(17)), "input.stop"),
        (lambda asked: setattr(asked.input.logprobs, "top", 21), "input.logprobs.top"),
        (lambda asked: setattr(asked.input.sampling, "temperature", 2.5), "input.sampling.temperature"),
        (lambda asked: setattr(asked.input.sampling, "temperature", float("nan")), "input.sampling.temperature"),
        (lambda asked: setattr(asked.input.sampling, "top_p", 1.5), "input.sampling.top_p"),
        (lambda asked: setattr(asked.input, "end_user", "x" * 513), "input.end_user"),
        (lambda asked: asked.options.tags.update({"No": "x"}), "options.tags[No]"),
        (lambda asked: asked.options.tags.update({"a": "x" * 256}), "options.tags[a]"),
        (lambda asked: asked.options.tags.update({f"k{each}": "" for each in range(17)}), "options.tags"),
        (lambda asked: setattr(asked.options, "idempotency_key", "ä" * 128), "options.idempotency_key"),
        (lambda asked: setattr(asked.options, "session", "x" * 256), "options.session"),
        (lambda asked: asked.options.prompt.SetInParent(), "options.prompt.name"),
    ],
)
async def test_a_field_out_of_form_is_named(mesh: Mesh, change: Break, field: str) -> None:
    asked = request(gateway_pb2.GenerateRequest)
    change(asked)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await mesh.stub.Generate(asked, metadata=KEY)
    error = from_rpc_error(raised.value)
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)
    assert not mesh.policy.admitted
    assert not mesh.policy.reserved


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        (gateway_pb2.EmbedRequest(input=embed_pb2.EmbedInput(model="m")), "input.items"),
        (gateway_pb2.EmbedRequest(input=embed_pb2.EmbedInput(model="m", items=[embed_pb2.EmbedItem()])), "input.items[0]"),
        (
            gateway_pb2.EmbedRequest(
                input=embed_pb2.EmbedInput(model="m", items=[embed_pb2.EmbedItem(text="a")]),
                options=gateway_pb2.RequestOptions(prompt=gateway_pb2.PromptReference(name="p")),
            ),
            "options.prompt",
        ),
    ],
)
async def test_embeddings_have_a_form_too(mesh: Mesh, asked: gateway_pb2.EmbedRequest, field: str) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await mesh.stub.Embed(asked, metadata=KEY)
    assert from_rpc_error(raised.value).field == field


async def test_a_prompt_supplies_the_messages(mesh: Mesh) -> None:
    asked = request(gateway_pb2.GenerateRequest)
    asked.input.ClearField("messages")
    asked.options.prompt.name = "triage"
    answer = await mesh.stub.Generate(asked, metadata=KEY)
    assert answer.output.choices


async def test_what_is_at_its_limit_is_served(mesh: Mesh) -> None:
    sampling = generate_pb2.Sampling(temperature=2.0, top_p=1.0, frequency_penalty=-2.0)
    answer = await mesh.generate(sampling=sampling, candidate_count=128, stop=["x" * 256] * 16)
    assert answer.output.choices
