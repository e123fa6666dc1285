"""Requests that come from other meshes: circles end, and what travels on is told to the adapter."""

from __future__ import annotations

import pytest

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import admission_pb2
from llm_mesh_gateway.domain.operation import digest_of
from llm_mesh_gateway.domain.other_meshes import HopCheck, bounds_of, context_of
from llm_mesh_runtime.errors import MeshError

Options = gateway_pb2.RequestOptions


def reason(check: HopCheck, hops: list[str]) -> str:
    with pytest.raises(MeshError) as raised:
        check.check(Options(hops=hops))
    return raised.value.reason_name


def test_a_request_that_comes_back_is_refused_wherever_its_mesh_stands_in_the_list() -> None:
    check = HopCheck("us", 8)
    for hops in (["us"], ["a", "us"], ["us", "a", "b"]):
        assert reason(check, hops) == "REQUEST_LOOPS"
    check.check(Options(hops=["a", "b", "usa"]))


def test_a_request_may_pass_so_many_meshes_and_not_one_more() -> None:
    check = HopCheck("us", 2)
    check.check(Options(hops=["a", "b"]))
    assert reason(check, ["a", "b", "c"]) == "TOO_MANY_HOPS"
    assert reason(HopCheck("us", 0), ["a"]) == "TOO_MANY_HOPS"


def test_a_mesh_without_an_id_is_in_no_list() -> None:
    HopCheck("", 8).check(Options(hops=["a"]))


def test_the_context_has_what_another_mesh_needs_and_nothing_costs_nothing() -> None:
    assert context_of(None) is None
    assert context_of(Options(tags={"a": "b"})) is None
    options = Options(idempotency_key="k", session="s", hops=["a"], tags={"a": "b"})
    assert context_of(options) == adapter_pb2.RequestContext(idempotency_key="k", session="s", hops=["a"])


def test_the_way_of_a_request_is_no_part_of_what_it_asks() -> None:
    source = generate_pb2.GenerateInput(model="m")
    digests = {digest_of(b"generate", source, Options(idempotency_key=key, hops=hops)) for key in "ab" for hops in ([], ["x"])}
    assert len(digests) == 1
    bounds = admission_pb2.RequestBounds(regions=["eu"])
    assert digest_of(b"generate", source, Options(bounds=bounds)) not in digests


def test_the_bounds_of_a_count_are_those_of_its_admission() -> None:
    constraints = admission_pb2.Constraints(data_class="internal", further_data_classes=["health"], regions=["eu"], zero_retention=True)
    admission = admission_pb2.Admission(constraints=constraints)
    assert bounds_of(admission) == admission_pb2.RequestBounds(data_classes=["internal", "health"], regions=["eu"], zero_retention=True)
