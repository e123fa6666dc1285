"""The messages and requests are those of Triton's own client, as `record_triton.py` has recorded them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_mesh_adapter_oip.provider import methods
from llm_mesh_adapter_oip.provider.wire import MESSAGES, SERVICE, TABLE
from tests.adapter_oip.oip_adapter import asked, ranked

RECORDED: dict[str, Any] = json.loads(Path(__file__).with_name("triton.json").read_text(encoding="utf-8"))
PATHS = [value for name, value in vars(methods).items() if name.isupper() and name != "SERVICE"]


@pytest.mark.parametrize("name", TABLE)
def test_each_field_is_the_published_one(name: str) -> None:
    own = set(filter(None, TABLE[name].split(", ")))
    assert own <= set(RECORDED["messages"][name])
    assert {str(each.number) for each in MESSAGES[name].DESCRIPTOR.fields} == {each.split(" ")[0] for each in own}


def test_each_method_is_a_published_one() -> None:
    assert len(PATHS) == 5
    assert RECORDED["service"] == SERVICE
    assert {path.rpartition("/")[2] for path in PATHS} <= set(RECORDED["methods"])


async def test_requests_are_those_of_the_client() -> None:
    async with asked() as (adapter, server):
        await adapter.embed(["one", "", "Grüße 🌍"])
        await ranked(adapter, ["aa", "a"])
    assert [body.hex() for body in server.bodies] == [RECORDED["requests"]["embed"], RECORDED["requests"]["rerank"]]
