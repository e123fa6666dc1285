"""The setting of an endpoint chooses its HTTP client, and the adapter behaves alike with either."""

from __future__ import annotations

import json

import grpc
import pytest

from llm_mesh_adapter_kit.connecting import AIOHTTP, Connecting
from llm_mesh_adapter_openai.provider.overrides import configured
from llm_mesh_adapter_openai.wiring import service
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import host
from tests.adapter_openai.conftest import Client, Upstream, settings_for


@pytest.mark.parametrize("chosen", ["fast", "aiohttp"])
async def test_answers_and_failures_are_the_same_with_either(upstream: Upstream, chosen: str) -> None:
    setting = json.dumps({"base_url": upstream.url, "client": chosen})
    async with host(service, settings={"adapter/openai": settings_for(setting)}) as mesh:
        client = Client(mesh)
        whole = await client.generate("sim-echo")
        messages = await client.stream("sim-words")
        assert whole.output.choices[0].message.parts[0].text.text
        assert any(event.text.text for message in messages for event in message.events)
        for model, reason in [("sim-500", "PROVIDER_ERROR"), ("sim-reset", "PROVIDER_RESET"), ("sim-not-http", "PROVIDER_RESET")]:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await client.generate(model)
            assert from_rpc_error(caught.value).reason_name == reason


def table(**keys: str) -> Connecting:
    setting = json.dumps({"base_url": "https://x.example", **keys})
    made = configured({"mine": setting}, {}, {"user": Secret("mesh:password")}, max_in_flight=1)
    return next(endpoint for endpoint in made.endpoints if endpoint.name == "mine").connecting


def test_the_keys_of_a_setting_are_read() -> None:
    connecting = table(client="aiohttp", proxy="http://p:1", proxy_credential="user", ca="a.pem", client_certificate="c.pem")
    assert connecting == Connecting(
        client=AIOHTTP, proxy="http://p:1", proxy_credential=Secret("mesh:password"), ca="a.pem", client_certificate="c.pem"
    )


@pytest.mark.parametrize(
    ("keys", "field"),
    [({"client": "curl"}, "client"), ({"proxy": "http://p:1"}, "proxy"), ({"proxy_credential": "nobody"}, "proxy_credential")],
)
def test_a_key_that_is_wrong_is_named(keys: dict[str, str], field: str) -> None:
    with pytest.raises(ValueError, match=rf"^endpoints\.mine: {field}"):
        table(**keys)
