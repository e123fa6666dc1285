"""The rows of providers: where each is reached, with which credential, and which of several addresses of one company has which models."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh_adapter_kit.dialect import Ask
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.google_accounts import Issuers
from llm_mesh_adapter_kit.tokens import TokenSigner
from llm_mesh_adapter_openai.provider.dialect import OpenAIDialect
from llm_mesh_adapter_openai.provider.overrides import Configured, configured
from llm_mesh_adapter_openai.provider.rows import ROWS
from llm_mesh_adapter_openai.provider.vertex import VertexAccount
from llm_mesh_adapter_openai.settings import Settings
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.secret import Secret

KEYS = {row.key: Secret(f"the {row.key}") for row in ROWS if row.key}
HELLO = generate_pb2.GenerateInput(
    messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text="Hello"))])]
)


def table(given: dict[str, object] | None = None, **vertex: str) -> Configured:
    account = VertexAccount(Issuers(SystemClock()), **vertex)
    return configured({name: json.dumps(text) for name, text in (given or {}).items()}, KEYS, {}, max_in_flight=1, vertex=account)


def endpoint(made: Configured, name: str) -> Endpoint:
    return next(each for each in made.endpoints if each.name == name)


@pytest.mark.parametrize("row", [row for row in ROWS if row.base_url], ids=lambda row: row.name)
def test_each_row_is_an_endpoint_with_its_own_credential_and_a_setting_for_it(row: object) -> None:
    known = next(each for each in ROWS if each is row)
    made = endpoint(table(), known.name)
    assert "{" not in made.base_url
    assert made.usable
    if known.key:
        assert hasattr(Settings(), known.key)
        assert made.signer.fixed("") == {known.auth.header: known.auth.scheme + f"the {known.key}"}


@pytest.mark.parametrize(
    ("name", "model", "url"),
    [
        ("bedrock-openai", "openai.gpt-oss-120b", "https://bedrock-runtime.eu-central-1.amazonaws.com/openai/v1/chat/completions"),
        ("bedrock-mantle", "openai.gpt-oss-120b", "https://bedrock-mantle.eu-central-1.api.aws/v1/chat/completions"),
        ("bedrock-mantle-openai", "openai.gpt-5.5", "https://bedrock-mantle.eu-central-1.api.aws/openai/v1/chat/completions"),
        ("bedrock-mantle-openai", "openai.gpt-5.5-codex", "https://bedrock-mantle.eu-central-1.api.aws/openai/v1/responses"),
    ],
)
def test_amazons_three_addresses_are_three_rows_in_the_operators_region(name: str, model: str, url: str) -> None:
    made = table({name: {"region": "eu-central-1"}})
    call = OpenAIDialect(made.rows).generate(Ask(endpoint(made, name), model), HELLO)
    assert endpoint(made, name).url(call.path) == url
    assert endpoint(made, name).region == "eu-central-1"
    assert endpoint(made, name).signer.fixed("") == {"authorization": "Bearer the bedrock_key"}


@pytest.mark.parametrize(
    ("location", "url", "region"),
    [
        ("global", "https://aiplatform.googleapis.com/v1/projects/p/locations/global/endpoints/openapi", ""),
        ("europe-west4", "https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/europe-west4/endpoints/openapi", "eu"),
    ],
)
def test_vertex_is_reached_at_project_and_location_with_tokens_of_an_account(tmp_path: Path, location: str, url: str, region: str) -> None:
    file = tmp_path / "account.json"
    file.write_text(json.dumps({"type": "service_account", "project_id": "p"}))
    made = endpoint(table(credentials_file=str(file), location=location), "vertex-openai")
    assert (made.base_url, made.region) == (url, region)
    assert isinstance(made.signer, TokenSigner)
    named = endpoint(table({"vertex-openai": {"project": "q", "location": "eu", "credentials_file": str(file)}}), "vertex-openai")
    assert named.base_url == "https://aiplatform.eu.rep.googleapis.com/v1/projects/q/locations/eu/endpoints/openapi"


def test_vertex_without_a_project_is_no_endpoint_and_a_wrong_one_is_refused() -> None:
    assert "vertex-openai" not in {each.name for each in table().endpoints}
    with pytest.raises(ValueError, match=r"vertex-openai: project: expected the id"):
        table({"vertex-openai": {"project": "a/b"}})
