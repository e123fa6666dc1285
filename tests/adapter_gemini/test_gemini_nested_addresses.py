"""No address of a file leaves unjudged, however deep it stands in what is not modelled."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_dialects.addresses import MediaRule
from llm_mesh_dialects.allowing import NOTHING_MORE, Allowance
from llm_mesh_dialects.errors import DialectError, MediaAddressError
from llm_mesh_dialects.gemini.quirks import NEWEST
from llm_mesh_dialects.gemini.requests import input_to_body
from tests.adapter_gemini.conftest import says


def part_of(request: generate_pb2.GenerateInput, allowance: Allowance = NOTHING_MORE) -> dict[str, Any]:
    part: dict[str, Any] = input_to_body(request, NEWEST, max_output_tokens=5, allowance=allowance).body["contents"][0]["parts"][0]
    return part


def opaque(kind: str, key: str, address: Any) -> generate_pb2.GenerateInput:
    value = {kind: {"parts": [{"inlineData": {"data": "YQ=="}}, {"fileData": {key: address}}]}}
    part = content_pb2.Part(opaque=content_pb2.OpaquePart(dialect="gemini", type=kind, json=json.dumps(value).encode()))
    return generate_pb2.GenerateInput(messages=[says(content_pb2.ROLE_USER, part)])


KINDS = ["toolResponse", "toolCall", "codeExecutionResult", "executableCode"]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("key", ["fileUri", "file_uri"])
def test_addresses_inside_of_opaque_parts_are_judged_as_direct_ones(kind: str, key: str) -> None:
    for address in ("gs://payroll/secret.pdf", "http://169.254.169.254/", "https://10.0.0.1/x"):
        with pytest.raises(MediaAddressError) as failure:
            part_of(opaque(kind, key, address))
        assert failure.value.field == f"messages[0].parts[0].opaque.json.{kind}.parts[1].fileData.{key}"
    with pytest.raises(DialectError, match="expected a string"):
        part_of(opaque(kind, key, ["gs://payroll"]))
    assert part_of(opaque(kind, key, "https://a.com/x"))[kind]["parts"][1] == {"fileData": {key: "https://a.com/x"}}
    everywhere = Allowance(media=MediaRule(frozenset({"*"})))
    assert kind in part_of(opaque(kind, key, "gs://payroll/x"), everywhere)
