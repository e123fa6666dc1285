"""A credential that is set but blank is an error that names it: nothing else is taken in its place."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from llm_mesh_adapter_anthropic.settings import Settings as AnthropicSettings
from llm_mesh_adapter_cohere.settings import Settings as CohereSettings
from llm_mesh_adapter_gemini.settings import Settings as GeminiSettings
from llm_mesh_adapter_mesh.settings import Settings as MeshAdapterSettings
from llm_mesh_adapter_ollama.settings import Settings as OllamaSettings
from llm_mesh_adapter_openai.settings import Settings as OpenAISettings
from llm_mesh_cli.settings import Settings as CliSettings
from llm_mesh_policy.settings import Settings as PolicySettings
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import MeshSettings, SettingsError
from llm_mesh_runtime.settings import load as load_settings
from llm_mesh_runtime.settings.fields import declared
from llm_mesh_runtime.settings.naming import env_prefix
from llm_mesh_simulator.settings import Settings as SimulatorSettings

SETTINGS: Mapping[str, type] = {
    "mesh": MeshSettings,
    "cli": CliSettings,
    "policy": PolicySettings,
    "adapter/openai": OpenAISettings,
    "adapter/anthropic": AnthropicSettings,
    "adapter/gemini": GeminiSettings,
    "adapter/cohere": CohereSettings,
    "adapter/ollama": OllamaSettings,
    "adapter/mesh": MeshAdapterSettings,
    "simulator": SimulatorSettings,
}
BLANKS = ("", " ", "\t\n ")


def variables() -> Iterator[tuple[str, str]]:
    """Every variable of the mesh's own that holds a credential."""
    for service, settings in SETTINGS.items():
        for each in declared(settings):
            if each.type is Secret and not each.name.endswith("_url"):
                names = (f"{env_prefix(service)}{each.name.upper()}", *each.rules.env)
                yield from ((service, name) for name in names if name.startswith("LLM_MESH_"))
            elif each.rules.prefix and each.type == Mapping[str, Secret]:
                yield service, f"{each.rules.prefix}ONE"


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize(("service", "variable"), list(variables()))
def test_a_blank_credential_is_refused_by_name(service: str, variable: str, blank: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_settings(SETTINGS[service], service, {variable: blank})


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("variable", ["LLM_MESH_KEY_FILE", "LLM_MESH_CLI_KEY_FILE"])
def test_a_blank_file_is_refused_by_name(tmp_path: Path, variable: str, blank: str) -> None:
    (tmp_path / "key").write_text(blank)
    with pytest.raises(SettingsError, match=variable):
        load_settings(CliSettings, "cli", {variable: str(tmp_path / "key")})


@pytest.mark.parametrize("blank", BLANKS)
def test_a_blank_variable_never_gives_way_to_another_key(blank: str) -> None:
    for first, second in (("GEMINI_API_KEY", "GOOGLE_API_KEY"), ("LLM_MESH_ADAPTER_OPENAI_GEMINI_KEY", "GEMINI_API_KEY")):
        with pytest.raises(SettingsError, match=first):
            load_settings(OpenAISettings, "adapter/openai", {first: blank, second: "x"})


def test_a_providers_customary_variable_may_be_passed_on_empty() -> None:
    loaded = load_settings(OpenAISettings, "adapter/openai", {"OPENAI_API_KEY": "", "GEMINI_API_KEY": "", "GOOGLE_API_KEY": ""})
    assert not loaded.openai_key
    assert not loaded.gemini_key


def test_the_list_of_settings_is_whole() -> None:
    assert all(dataclasses.is_dataclass(settings) for settings in SETTINGS.values())
    assert len(list(variables())) > 20
