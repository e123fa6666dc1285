"""A prompt is rendered for those who may render it: the gateway fetches it in its own name, and asks for the caller's right first."""

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh_gateway.domain.gateway import prompt_resource
from llm_mesh_runtime.peer_errors import from_rpc_error
from tests.gateway.conftest import KEY, Mesh, request

RENDER = "/llm_mesh.catalogue.v1.CatalogueService/Render"


def options(name: str = "triage") -> gateway_pb2.RequestOptions:
    return gateway_pb2.RequestOptions(prompt=gateway_pb2.PromptReference(name=name))


async def test_the_callers_right_to_render_is_asked_for_with_the_callers_key(linked: Mesh) -> None:
    await linked.generate(options=options())
    (asked,) = [asked for asked in linked.policy.questions if asked.action == "prompts.render"]
    assert (asked.credential, asked.method, asked.resource) == ("mk_ana", RENDER, "prompts/triage")


@pytest.mark.parametrize("method", ["Generate", "GenerateStream", "CountTokens"])
async def test_without_the_right_nothing_is_rendered_admitted_or_sent(linked: Mesh, method: str) -> None:
    linked.policy.denied.add("prompts.render")
    asked = request(getattr(gateway_pb2, f"{method}Request"), options=options())
    call = getattr(linked.stub, method)(asked, metadata=KEY, timeout=20)
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        await (call.read() if method == "GenerateStream" else call)
    assert (refused.value.code(), from_rpc_error(refused.value).reason_name) == (grpc.StatusCode.PERMISSION_DENIED, "ACTION_DENIED")
    assert not linked.policy.admitted
    assert not linked.adapter.asked


async def test_a_request_without_a_prompt_asks_for_no_further_right(mesh: Mesh) -> None:
    await mesh.generate()
    assert {asked.action for asked in mesh.policy.questions} == {"self.get", "models.generate"}


async def test_the_answer_is_remembered_as_others_are(mesh: Mesh) -> None:
    for _ in range(5):
        await mesh.generate(options=options())
    assert len([asked for asked in mesh.policy.questions if asked.action == "prompts.render"]) == 1
    await mesh.generate(options=options("another"))
    assert len([asked for asked in mesh.policy.questions if asked.action == "prompts.render"]) == 2


@pytest.mark.parametrize(
    ("name", "resource"),
    [
        ("greet", "prompts/greet"),
        ("greet/versions/3", "prompts/greet"),
        ("domains/claims/prompts/greet", "prompts/greet"),
        ("domains/claims/prompts/greet/versions/production", "prompts/greet"),
        ("domains/other/prompts/greet/versions/3", "domains/other/prompts/greet"),
        ("domains/claims-2/prompts/greet", "domains/claims-2/prompts/greet"),
    ],
)
def test_each_spelling_of_a_prompt_is_one_resource(name: str, resource: str) -> None:
    assert prompt_resource(name, "domains/claims") == resource
