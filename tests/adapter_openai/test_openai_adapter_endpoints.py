"""The table of providers, and what operators make of it."""

from __future__ import annotations

import dataclasses

import pytest

from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_adapter_openai.provider.overrides import Configured, configured
from llm_mesh_adapter_openai.provider.rows import ROWS
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_runtime.secret import Secret
from tests.adapter_openai.conftest import say

KEYS = {row.key: Secret(f"key of {row.name}") for row in ROWS if row.key}


def table(**given: str) -> Configured:
    return configured(given, KEYS, {"gpu": Secret("gpu"), "other": Secret("other")}, max_in_flight=9)


def endpoint(name: str, **given: str) -> Endpoint:
    return next(each for each in table(**given).endpoints if each.name == name)


def test_every_row_is_sound_and_its_credential_is_a_setting() -> None:
    names = {field.name for field in dataclasses.fields(Settings)}
    assert {row.key for row in ROWS if row.key} <= names
    assert len({row.name for row in ROWS}) == len(ROWS)
    assert {each.name for each in table().endpoints} == {row.name for row in ROWS} - {"azure", "vertex-openai"}
    for each in table().endpoints:
        assert each.base_url.startswith("http://127.0.0.1:" if each.local else "https://")


def test_an_address_alone_moves_a_row_and_keeps_its_credential() -> None:
    moved = endpoint("llamacpp", llamacpp="http://127.0.0.1:9001/v1")
    assert moved.base_url == "http://127.0.0.1:9001/v1"
    assert moved.signer.fixed("") == {"authorization": "Bearer key of llamacpp"}


def test_a_row_like_another_has_its_quirks_and_neither_its_address_nor_its_credential() -> None:
    given = '{"like": "openrouter", "base_url": "https://example.com/v1"}'
    made = endpoint("mine", mine=given)
    assert not made.credential
    assert table(mine=given).rows["mine"].quirks.cache_control
    with pytest.raises(ValueError, match=r"endpoints\.mine: base_url"):
        table(mine='{"like": "openrouter"}')


def test_named_credentials_stay_with_their_endpoint() -> None:
    made = endpoint("gpu", gpu='{"base_url": "https://example.com/v1", "credential": "gpu", "credentials": ["other"]}')
    assert made.signer.fixed("") == {"authorization": "Bearer gpu"}
    assert made.signer.fixed("other") == {"authorization": "Bearer other"}
    assert "gpu" not in repr(made.credential)


@pytest.mark.parametrize(
    "given",
    [
        "nonsense",
        "{nonsense",
        '{"base_url": "http://example.com/v1"}',
        '{"base_url": "https://user:secret@example.com/v1"}',
        '{"base_url": "https://example.com/v1", "credential": "unknown"}',
        '{"base_url": "https://example.com/v1", "typo": 1}',
        '{"base_url": "https://example.com/v1", "quirks": {"typo": true}}',
        '{"base_url": "https://example.com/v1", "quirks": {"top_k": "yes"}}',
        '{"base_url": "https://example.com/v1", "like": "nobody"}',
        '{"base_url": "https://example.com/v1", "max_in_flight": 0}',
        '{"base_url": "https://example.com/v1", "allow": ["everything"]}',
    ],
)
def test_a_wrong_setting_is_told_by_its_endpoint_and_never_by_its_value(given: str) -> None:
    with pytest.raises(ValueError, match="mine") as caught:
        table(mine=given)
    assert "secret" not in str(caught.value)


def test_azure_takes_either_address() -> None:
    for base, version, path in (
        ("https://a.openai.azure.com/openai/v1", "", "/chat/completions"),
        ("https://a.openai.azure.com", "2024-10-21", "/openai/deployments/my%20deployment/chat/completions?api-version=2024-10-21"),
    ):
        made = table(azure=f'{{"base_url": "{base}", "api_version": "{version}"}}')
        azure = next(each for each in made.endpoints if each.name == "azure")
        call = OpenAIDialect(made.rows).generate(Ask(endpoint=azure, model="my deployment"), say("hello"))
        assert azure.url(call.path) == base + path
        assert azure.signer.fixed("") == {"api-key": "key of azure"}


def test_where_nothing_may_be_kept_the_provider_is_told() -> None:
    made = table()
    ask = Ask(endpoint=endpoint("openai"), model="m", zero_retention=True)
    assert b'"store":false' in OpenAIDialect(made.rows).generate(ask, say("hello")).body
    ask = Ask(endpoint=endpoint("openrouter"), model="m", zero_retention=True)
    assert b'"data_collection":"deny"' in OpenAIDialect(made.rows).generate(ask, say("hello")).body
