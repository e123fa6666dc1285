"""An endpoint's setting chooses how requests travel; without one the library behind it is not even loaded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.client.pool import Pool
from llm_mesh_adapter_kit.endpoints import EndpointTable
from llm_mesh_adapter_kit.transport.client import LibraryClient
from llm_mesh_adapter_kit.wiring import Clients
from llm_mesh_adapter_openai.provider.overrides import configured
from llm_mesh_runtime.secret import Secret

SETTING = """{"base_url": "https://gpu.acme.example/v1", "proxy": "http://proxy.acme.example:3128", "proxy_credential": "PROXY",
 "http2": true, "authorities": "/etc/ssl/acme.pem", "client_certificate": "/etc/ssl/mesh.pem", "client_key": "/etc/ssl/mesh.key"}"""


def test_an_endpoint_with_a_transport_of_its_own_has_the_other_client() -> None:
    table = EndpointTable(configured({"gpu": SETTING}, {}, {"PROXY": Secret("mesh:a-password")}, max_in_flight=1).endpoints)
    clients = Clients(table)
    gpu = table.of("gpu")
    assert isinstance(clients.of(gpu), LibraryClient)
    assert isinstance(clients.of(table.of("openai")), Pool)
    assert gpu.transport.authorities == "/etc/ssl/acme.pem"
    assert gpu.redaction.text_of("it said a-password") == "it said ***"
    assert isinstance(gpu.rule, AddressRule)


@pytest.mark.parametrize(
    ("setting", "why"),
    [
        ('{"base_url": "https://x.example/v1", "proxy": "ftp://y"}', "proxy: must be the address"),
        (
            '{"base_url": "https://x.example/v1", "proxy": "http://y", "proxy_credential": "NONE"}',
            "proxy_credential: there is no credential NONE",
        ),
        ('{"base_url": "https://x.example/v1", "http2": "yes"}', "http2: expected true or false"),
    ],
)
def test_a_wrong_transport_names_its_key(setting: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        configured({"gpu": setting}, {}, {}, max_in_flight=1)


@pytest.mark.parametrize("adapter", ["openai", "anthropic"])
def test_adapters_do_not_load_what_no_setting_needs(adapter: str) -> None:
    code = f"import sys, llm_mesh_adapter_{adapter}.wiring; sys.exit(any(name in sys.modules for name in ('httpcore2', 'h2', 'anyio')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
