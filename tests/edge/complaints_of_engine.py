"""What the adapter of engines complains about: requests that neither a chat template nor a sampler can read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_adapter_engine.provider.calling import call_plan, constrain
from llm_mesh_adapter_engine.provider.prompts import chat_of, functions_of
from llm_mesh_adapter_engine.provider.sampling import sampling_of
from llm_mesh_dialects.allowing import Allowance
from llm_mesh_dialects.fields import Fields
from tests.edge.complaining_bodies import SPOKEN
from tests.edge.complaint_kinds import WrittenRequest, saying

TOOL = {"type": "function", "function": {"name": "f"}}
CUSTOM = {"type": "custom", "custom": {"name": "f"}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
ANY_JSON = {"type": "json_object"}


def to_engine(given: generate_pb2.GenerateInput) -> None:
    """As the adapter does, at an endpoint that lets everything through and has no parser of tools."""
    body, _ = chat_of(given, model="m", stream=False, max_output_tokens=9, allowance=Allowance(frozenset({"*"})))
    plan = call_plan(functions_of(body.pop("tools", ())), body.pop("tool_choice", None), "", one=False)
    constrain(sampling_of(Fields(body)), plan)


def _spoken(**more: Any) -> WrittenRequest:
    return "openai", {"messages": [SPOKEN], **more}, to_engine


WRITTEN: Mapping[str, WrittenRequest] = {
    "engine-picture": ("openai", {"messages": [saying(PICTURE)]}, to_engine),
    "engine-own-tool": _spoken(tools=[CUSTOM]),
    "engine-no-parser": _spoken(tools=[TOOL]),
    "engine-other-tool": _spoken(tools=[TOOL], tool_choice={"type": "function", "function": {"name": "g"}}),
    "engine-forced-form": _spoken(tools=[TOOL], tool_choice="required", response_format=ANY_JSON),
    "engine-two-forms": _spoken(guided_regex="x", response_format=ANY_JSON),
    "engine-no-choices": _spoken(guided_choice="x"),
    "engine-no-tokens": _spoken(stop_token_ids="x"),
}
