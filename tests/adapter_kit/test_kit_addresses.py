"""Where endpoints may lead, and what a stranger's text may do."""

from __future__ import annotations

import pytest

from llm_mesh_adapter_kit.addresses import AddressRule
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import escaped

PRIVATE = [
    "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1", "255.255.255.255",
    "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "2002:7f00:1::",
    "2001:0:7f00:1::", "fec0::1", "ff02::1", "not an address",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_a_public_endpoint_leads_to_public_addresses_only(address: str) -> None:
    assert not AddressRule(local=False).allows(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    assert AddressRule(local=False).allows(address)
    assert not AddressRule(local=True).allows(address)


def test_a_local_endpoint_leads_to_loopback_and_what_the_operator_adds() -> None:
    rule = AddressRule(local=True, extra=["10.1.2.0/24"])
    assert [rule.allows(address) for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "10.1.2.3", "10.1.3.3")] == [True] * 4 + [False]


@pytest.mark.parametrize("url", ["ftp://x/", "https://", "https://a:b@x/", "https://x/?key=1", "https://x/#a", "http://example.com/v1"])
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        Endpoint(name="x", provider="X", base_url=url)


def test_what_a_provider_says_is_escaped_and_bounded() -> None:
    said = escaped("a\x1b[31m\nb\u202ec Bearer abcdefgh123 sk-abcdefgh " + "x" * 5000)
    assert said.isprintable()
    assert "abcdefgh" not in said
    assert len(said) <= 512
