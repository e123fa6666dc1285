"""Settings come from where they should, and say so; what is wrong is told without repeating it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest

from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.settings import Configuration, MeshSettings, SettingsError, load, load_mesh, setting, settings_table


class Level(StrEnum):
    LOW = "low"
    HIGH = "high"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    database_url: Secret = setting(default=Secret(""), help="Where it lives.")
    api_key: Secret = setting(default=Secret(""), env=("OPENAI_API_KEY",), help="The provider's key.")
    workers: int = setting(default=4, help="How many.", minimum=1, maximum=64)
    share: float = setting(default=0.5, help="How much.")
    strict: bool = setting(default=True, help="Whether.")
    window: timedelta = setting(default=timedelta(seconds=5), help="How long.")
    origins: tuple[str, ...] = setting(default=(), help="Which.")
    home: Path = setting(default=Path(), help="Where.")
    level: Level = setting(default=Level.LOW, help="How hard.")
    mode: Literal["a", "b"] = setting(default="a", help="How.")
    region: str | None = setting(default=None, help="Which region.")


@dataclass(frozen=True, slots=True)
class Required:
    name: str = setting(help="What it is called.")


def config(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mesh.toml"
    path.write_text(text)
    return str(path)


def problems(environ: Mapping[str, str], settings_type: type = Settings) -> list[str]:
    with pytest.raises(SettingsError) as caught:
        Configuration.read(environ).load(settings_type, "policy")
    return [str(problem) for problem in caught.value.problems]


def test_without_anything_the_defaults_hold() -> None:
    loaded = Configuration.read({}).load(Settings, "policy")
    assert loaded.value == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_the_environment_gives_every_type() -> None:
    environ = {
        "LLM_MESH_POLICY_DATABASE_URL": "postgresql://u:p@h/d",
        "LLM_MESH_POLICY_WORKERS": " 8 ",
        "LLM_MESH_POLICY_SHARE": "0.25",
        "LLM_MESH_POLICY_STRICT": "no",
        "LLM_MESH_POLICY_WINDOW": "2.5s",
        "LLM_MESH_POLICY_ORIGINS": "a, b,,c",
        "LLM_MESH_POLICY_HOME": "/srv",
        "LLM_MESH_POLICY_LEVEL": "high",
        "LLM_MESH_POLICY_MODE": "b",
        "LLM_MESH_POLICY_REGION": "eu",
    }
    value = load(Settings, "policy", environ)
    assert value.database_url.reveal() == "postgresql://u:p@h/d"
    assert (value.workers, value.share, value.strict, value.window) == (8, 0.25, False, timedelta(seconds=2.5))
    assert (value.origins, value.home, value.level, value.mode, value.region) == (("a", "b", "c"), Path("/srv"), Level.HIGH, "b", "eu")


def test_the_environment_wins_over_the_file_and_the_file_over_the_default(tmp_path: Path) -> None:
    path = config(tmp_path, '[policy]\nworkers = 8\nshare = 1\norigins = ["a", "b"]\n')
    loaded = Configuration.read({"LLM_MESH_CONFIG": path, "LLM_MESH_POLICY_WORKERS": "16"}).load(Settings, "policy")
    assert (loaded.value.workers, loaded.value.share, loaded.value.origins) == (16, 1.0, ("a", "b"))
    assert loaded.origins["workers"] == "LLM_MESH_POLICY_WORKERS"
    assert loaded.origins["share"] == f"{path}:policy.share"
    assert loaded.origins["strict"] == "default"


def test_a_providers_customary_variable_counts_after_our_own() -> None:
    assert load(Settings, "policy", {"OPENAI_API_KEY": "theirs"}).api_key.reveal() == "theirs"
    both = {"OPENAI_API_KEY": "theirs", "LLM_MESH_POLICY_API_KEY": "ours"}
    assert load(Settings, "policy", both).api_key.reveal() == "ours"


def test_a_secret_may_stand_in_a_file_of_its_own(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("hidden\n")
    loaded = Configuration.read({"LLM_MESH_POLICY_API_KEY_FILE": str(key)}).load(Settings, "policy")
    assert loaded.value.api_key.reveal() == "hidden"
    assert loaded.origins["api_key"] == "LLM_MESH_POLICY_API_KEY_FILE"
    path = config(tmp_path, f'[policy]\napi_key_file = "{key}"\n')
    assert load(Settings, "policy", {"LLM_MESH_CONFIG": path}).api_key.reveal() == "hidden"


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("WORKERS", "hunter2", "expected a whole number"),
        ("WORKERS", "0", "expected at least 1"),
        ("WORKERS", "65", "expected at most 64"),
        ("SHARE", "nan", "expected a number"),
        ("STRICT", "hunter2", "expected true or false"),
        ("WINDOW", "hunter2", "expected seconds, such as 2.5"),
        ("WINDOW", "-1", "expected seconds that are not negative and not above a century"),
        ("LEVEL", "hunter2", "expected one of low, high"),
        ("MODE", "hunter2", "expected one of a, b"),
        ("API_KEY_FILE", "/nowhere/hunter2", "the file cannot be read: No such file or directory"),
    ],
)
def test_a_wrong_value_is_told_by_its_variable_and_never_repeated(name: str, given: str, expected: str) -> None:
    assert problems({f"LLM_MESH_POLICY_{name}": given}) == [f"LLM_MESH_POLICY_{name}: {expected}"]


def test_all_problems_are_told_at_once() -> None:
    assert len(problems({"LLM_MESH_POLICY_WORKERS": "x", "LLM_MESH_POLICY_SHARE": "y"})) == 2


def test_an_empty_variable_means_empty_text_and_otherwise_that_nothing_is_given(tmp_path: Path) -> None:
    path = config(tmp_path, '[policy]\nworkers = 8\ndatabase_url = "sqlite://"\n')
    environ = {"LLM_MESH_CONFIG": path, "LLM_MESH_POLICY_WORKERS": "", "LLM_MESH_POLICY_DATABASE_URL": "", "LLM_MESH_POLICY_STRICT": ""}
    value = load(Settings, "policy", environ)
    assert (value.workers, value.database_url.reveal(), value.strict) == (8, "", True)


def test_a_missing_setting_is_told_with_its_meaning() -> None:
    assert problems({}, Required) == ["LLM_MESH_POLICY_NAME: is required (text): What it is called."]


def test_an_unknown_key_of_the_file_is_an_error_with_a_suggestion(tmp_path: Path) -> None:
    path = config(tmp_path, "[policy]\nworker = 8\n")
    assert problems({"LLM_MESH_CONFIG": path}) == [f"{path}:policy.worker: is not a setting of policy; did you mean workers?"]


@pytest.mark.parametrize("text", ["[policy", 'x = "hunter2', "[policy]\nworkers = [", "\x00"])
def test_a_file_that_is_no_toml_is_told_without_its_content(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match="expected TOML") as caught:
        Configuration.read({"LLM_MESH_CONFIG": config(tmp_path, text)})
    assert "hunter2" not in str(caught.value)


def test_a_config_that_cannot_be_read_is_told_by_its_variable() -> None:
    with pytest.raises(SettingsError, match="LLM_MESH_CONFIG: the file cannot be read: No such file"):
        Configuration.read({"LLM_MESH_CONFIG": "/nowhere/mesh.toml"})


def test_variables_and_tables_that_nobody_reads_are_told(tmp_path: Path) -> None:
    path = config(tmp_path, "[poliyc]\n[adapter.opnai]\n[router]\n[adapter.anthropic]\nx = 1\n")
    environ = {
        "LLM_MESH_CONFIG": path,
        "LLM_MESH_POLICY_WORKER": "8",
        "LLM_MESH_HTPP": "x",
        "LLM_MESH_ROUTER_STICKY": "1",
        "LLM_MESH_POLICY_SHARE": "1",
        "PATH": "/bin",
    }
    configuration = Configuration.read(environ)
    configuration.load(MeshSettings)
    configuration.load(Settings, "policy")
    configuration.load(Settings, "adapter-openai")
    configuration.know("router", "adapter-anthropic")
    assert [str(problem) for problem in configuration.unknown()] == [
        "LLM_MESH_HTPP: is read by nobody; did you mean LLM_MESH_HTTP?",
        "LLM_MESH_POLICY_WORKER: is read by nobody; did you mean LLM_MESH_POLICY_WORKERS?",
        f"{path}:poliyc: is the table of no service; did you mean policy?",
        f"{path}:adapter.opnai: is the table of no service; did you mean adapter.openai?",
    ]


@pytest.mark.parametrize("name", ["adapter-openai", "adapter/openai"])
def test_an_adapter_has_variables_and_a_table_of_its_own(tmp_path: Path, name: str) -> None:
    path = config(tmp_path, "[adapter.openai]\nworkers = 8\n")
    environ = {"LLM_MESH_CONFIG": path, "LLM_MESH_ADAPTER_OPENAI_SHARE": "1"}
    value = load(Settings, name, environ)
    assert (value.workers, value.share) == (8, 1.0)


def test_links_are_merged_name_by_name(tmp_path: Path) -> None:
    path = config(tmp_path, '[mesh.links]\npolicy = "dns:///a"\n"adapter/openai" = "dns:///b"\nadapter.anthropic = "dns:///c"\n')
    environ = {"LLM_MESH_CONFIG": path, "LLM_MESH_LINK_POLICY": "dns:///p", "LLM_MESH_LINK_ADAPTER_MY_OWN": "dns:///o"}
    mesh = load_mesh(environ=environ)
    assert mesh.links == {
        "policy": "dns:///p",
        "adapter/openai": "dns:///b",
        "adapter/anthropic": "dns:///c",
        "adapter/my-own": "dns:///o",
    }


def test_the_table_of_values_shows_origins_and_masks_secrets() -> None:
    environ = {"LLM_MESH_SECRET": "hunter2" * 8, "LLM_MESH_SEAL_KEY_ROUTER": "hunter2", "LLM_MESH_GRACE": "2"}
    loaded = Configuration.read(environ).load(MeshSettings)
    rows = {row.name: row for row in loaded.rows()}
    assert "hunter2" not in loaded.table() + repr(loaded)
    assert (rows["secret"].value, rows["secret"].origin) == ("***", "LLM_MESH_SECRET")
    assert rows["seal_keys"].value == "router=***"
    assert (rows["grace"].value, rows["grace"].origin) == ("2 s", "LLM_MESH_GRACE")
    assert rows["embedded"].value == "false"


@pytest.mark.parametrize(
    "environ",
    [
        {"LLM_MESH_CURRENCY": "usd"},
        {"LLM_MESH_CURRENCY": "EURO"},
        {"LLM_MESH_SECRET": "short"},
        {"LLM_MESH_TLS_KEY": "/k"},
        {"LLM_MESH_TRACE_SAMPLE": "2"},
        {"LLM_MESH_LOG_LEVEL": "loud"},
    ],
)
def test_mesh_settings_keep_their_rules(environ: Mapping[str, str]) -> None:
    with pytest.raises(SettingsError):
        load_mesh(environ=environ)


def test_what_a_command_line_says_stands_above_everything() -> None:
    mesh = load_mesh(embedded=True, environ={"LLM_MESH_HTTP": "127.0.0.1:1"}, http="127.0.0.1:2")
    assert (mesh.embedded, mesh.http) == (True, "127.0.0.1:2")


def test_the_settings_table_documents_every_setting() -> None:
    table = settings_table(Settings, "adapter-openai")
    assert "| `LLM_MESH_ADAPTER_OPENAI_WORKERS` | `[adapter.openai] workers` | whole number | `4` | How many. |" in table
    key = "`LLM_MESH_ADAPTER_OPENAI_API_KEY`, `OPENAI_API_KEY`, `LLM_MESH_ADAPTER_OPENAI_API_KEY_FILE`"
    assert f"| {key} | `[adapter.openai] api_key` | secret |  | The provider's key. |" in table
    assert "`LLM_MESH_LINK_<NAME>`" in settings_table(MeshSettings)


def test_a_field_without_a_declaration_is_refused() -> None:
    @dataclass(frozen=True)
    class Forgotten:
        name: str = "x"

    with pytest.raises(TypeError, match=r"Forgotten\.name is not declared"):
        load(Forgotten, "policy", {})


def test_a_port_of_a_service_is_checked_and_moves_its_public_listener_along() -> None:
    mesh = load_mesh(
        environ={"LLM_MESH_PORT_POLICY": "60054", "LLM_MESH_PORT_ADAPTER_OPENAI": "60061", "LLM_MESH_PUBLIC_PORT_GATEWAY": "443"}
    )
    assert (mesh.port_of("policy", 50054), mesh.port_of("policy", 50054, public=True)) == (60054, 60154)
    assert mesh.port_of("adapter/openai", 50061) == 60061
    assert (mesh.port_of("gateway", 50051), mesh.port_of("gateway", 50051, public=True)) == (50051, 443)
    assert mesh.port_of("router", 50052, public=True) == 50152


@pytest.mark.parametrize("port", ["0", "65536", "-1", "http", ""])
@pytest.mark.parametrize("variable", ["LLM_MESH_PORT_POLICY", "LLM_MESH_PUBLIC_PORT_POLICY"])
def test_what_is_no_port_is_refused_with_its_variable(variable: str, port: str) -> None:
    with pytest.raises(SettingsError, match=variable):
        load_mesh(environ={variable: port})
