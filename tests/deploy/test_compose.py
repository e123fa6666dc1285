"""docker-compose.yml, proven without an engine: it is well formed, whole, and says nothing that the code does not know."""

import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.adapter.v1.adapter_pb2 import ListEndpointsRequest
from llm_mesh.adapter.v1.adapter_pb2_grpc import AdapterServiceStub
from llm_mesh_runtime.access.table import CallTable
from llm_mesh_runtime.host import installed, load
from llm_mesh_runtime.settings import Configuration, MeshSettings
from llm_mesh_runtime.settings.naming import link_name
from llm_mesh_runtime.testing import host
from tests.deploy.compose import ROOT, compose, containers, described, optional, ours

MESH = [each.container for each in (*described(), *optional())]
LINK = "LLM_MESH_LINK_"
INFRASTRUCTURE = {"postgres", "otel-collector", "prometheus", "grafana"}


def link_of(container: str) -> str:
    """The name that peers know a container by."""
    return container.replace("adapter-", "adapter/")


def links(container: Mapping[str, Any]) -> dict[str, str]:
    return {link_name(key.removeprefix(LINK)): value for key, value in container["environment"].items() if key.startswith(LINK)}


def test_it_is_a_compose_file_by_the_specification() -> None:
    tool = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [tool, "--builtin-schema", "vendor.compose-spec", ROOT / "docker-compose.yml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_service_of_the_mesh_has_a_container_and_each_stateful_one_a_migration() -> None:
    migrations = {name for name in ours() if name.endswith("-migration")}
    assert set(ours()) - migrations == set(MESH)
    assert set(containers()) - set(ours()) == INFRASTRUCTURE
    stateful = {path.parent.parent.parent.name for path in (ROOT / "services").glob("*/llm_mesh_*/store/migrations")}
    assert migrations == {f"{name}-migration" for name in stateful}


def test_optional_services_start_by_their_profile_and_others_always() -> None:
    apart = {each.container for each in optional()}
    assert apart == {"adapter-litellm", "adapter-anyllm"}
    assert {name for name, each in containers().items() if "profiles" in each} == apart
    assert all(containers()[name]["profiles"] == ["longtail"] for name in apart)
    assert apart.isdisjoint(name.replace("/", "-") for name in installed())


@pytest.mark.parametrize("each", [*described(), *optional()], ids=lambda each: each.folder)
def test_a_container_is_built_from_its_own_folder(each: Any) -> None:
    build = ours()[each.container]["build"]
    assert build["args"] == {"SERVICE": each.folder}
    assert (ROOT / build["dockerfile"]).is_file()
    assert (ROOT / "services" / each.folder / "requirements.lock").is_file()


@pytest.mark.parametrize("each", described(), ids=lambda each: each.folder)
def test_published_ports_are_the_documented_ones_and_on_loopback_only(each: Any) -> None:
    for published in ours()[each.container].get("ports", ()):
        host, outer, inner = published.rsplit(":", 2)
        assert host == "127.0.0.1"
        assert outer == inner
        assert int(inner) == (each.port + 100 if each.has_contract else each.port)


def test_nothing_else_is_published_beyond_loopback() -> None:
    for name, each in containers().items():
        for published in each.get("ports", ()):
            assert str(published).startswith("127.0.0.1:"), f"{name} publishes {published}"


@pytest.mark.parametrize("each", described(), ids=lambda each: each.folder)
def test_links_lead_to_the_peers_that_the_service_calls_at_their_ports(each: Any) -> None:
    apart = {link_of(other.container) for other in optional()}
    given = {name: link for name, link in links(ours()[each.container]).items() if name not in apart}
    ports = {link_of(other.container): other.port for other in described()}
    assert given == {name: f"mux+dns:///{name.replace('/', '-')}:{ports[name]}" for name in given}
    table = CallTable()
    caller = link_of(each.container)
    assert all(table.allows(caller, name) or table.relays(caller, name) for name in given), "a link that the table forbids"
    wanted = {name for call in each.calls for name in ports if name == call or (call == "adapters" and name.startswith("adapter/"))}
    assert wanted <= set(given), "a peer that the service calls has no link"


def test_the_gateway_has_a_link_to_an_optional_service_once_the_operator_says_where_it_is() -> None:
    found = links(ours()["gateway"])
    for each in optional():
        variable = f"{LINK}{each.container.upper().replace('-', '_')}"
        assert found[link_of(each.container)] == f"${{{variable}:-}}"


@dataclass(frozen=True)
class _Environment:
    container: str
    variables: dict[str, str]


def environments() -> list[_Environment]:
    return [_Environment(name, {key: str(value) for key, value in each.get("environment", {}).items()}) for name, each in ours().items()]


@pytest.mark.parametrize("each", environments(), ids=lambda each: each.container)
def test_every_variable_is_a_setting_of_the_service_that_gets_it(each: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = link_of(each.container.removesuffix("-migration"))
    apart = name in {link_of(other.container) for other in optional()}
    if not apart and name not in installed():
        pytest.fail(f"{name} is not installed")
    secret = tmp_path / "secret"
    secret.write_text("mb_" + "s" * 40, encoding="utf-8")
    variables = {key: str(secret) if key.endswith("_FILE") else value for key, value in each.variables.items()}
    configuration = Configuration.read({key: value for key, value in variables.items() if not value.startswith("${")})
    configuration.load(MeshSettings)
    if apart:
        monkeypatch.syspath_prepend(str(ROOT / "services" / name.replace("adapter/", "adapters/")))
        service = import_module(f"llm_mesh_{name.replace('/', '_')}.wiring").service
    else:
        (service,) = load([name])
    configuration.load(service.settings, name)
    assert configuration.unknown() == ()


@pytest.mark.parametrize(
    ("adapter", "endpoint"),
    [
        ("openai", "simulator"),
        ("anthropic", "simulator-anthropic"),
        ("cohere", "simulator-cohere"),
        ("ollama", "simulator-ollama"),
    ],
)
async def test_adapters_find_the_simulator_in_its_container(adapter: str, endpoint: str) -> None:
    name = f"adapter/{adapter}"
    variables = ours()[f"adapter-{adapter}"]["environment"]
    prefix = f"LLM_MESH_ADAPTER_{adapter.upper()}_"
    configuration = Configuration.read({key: value for key, value in variables.items() if key.startswith(prefix)})
    (service,) = load([name])
    async with host(service, settings={name: configuration.load(service.settings, name).value}) as mesh:
        stub = AdapterServiceStub(mesh.channel(name))
        listed = {each.name: each.base_url for each in (await stub.ListEndpoints(ListEndpointsRequest(page_size=1000))).endpoints}
    port = next(each.port for each in described() if each.folder == "simulator")
    assert listed[endpoint].startswith(f"http://simulator:{port}")


def test_no_secret_has_a_value_or_a_default() -> None:
    words = ("password", "secret", "pepper", "token", "key", "database_url")
    for name, each in containers().items():
        for variable, value in each.get("environment", {}).items():
            if any(word in variable.lower() for word in words):
                assert str(value).startswith("/run/secrets/") or str(value).endswith(":-}"), f"{name}: {variable}={value}"
                if str(value).startswith("/run/secrets/"):
                    assert str(value).removeprefix("/run/secrets/") in each["secrets"], f"{name} reads a secret that it is not given"


def test_the_script_makes_every_secret_and_keeps_those_that_exist(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    subprocess.run([ROOT / "deploy/secrets.sh", folder], check=True, capture_output=True)
    made = {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()}
    assert set(made) == set(compose()["secrets"])
    assert len(set(made.values())) == len(made)
    assert folder.stat().st_mode & 0o077 == 0
    subprocess.run([ROOT / "deploy/secrets.sh", folder], check=True, capture_output=True)
    assert {path.name: path.read_text(encoding="utf-8") for path in folder.iterdir()} == made


def test_secrets_never_enter_version_control() -> None:
    for name, secret in compose()["secrets"].items():
        ignored = subprocess.run(["git", "check-ignore", "--quiet", secret["file"]], cwd=ROOT, check=False)
        assert ignored.returncode == 0, f"{name} would be committed"


def test_only_adapters_have_a_way_to_providers_and_the_mesh_none() -> None:
    assert compose()["networks"]["mesh"]["internal"] is True
    for name, each in containers().items():
        assert ("providers" in each["networks"]) == name.startswith("adapter-"), name
        assert ("front" in each["networks"]) == ("ports" in each), name


@pytest.mark.parametrize("name", sorted(ours()))
def test_containers_run_without_privileges_on_a_filesystem_that_they_cannot_write(name: str) -> None:
    each = ours()[name]
    assert each["read_only"] is True
    assert each["cap_drop"] == ["ALL"]
    assert each["security_opt"] == ["no-new-privileges:true"]


def test_what_is_mounted_exists_and_what_is_named_is_declared() -> None:
    declared = compose()
    for name, each in containers().items():
        for volume in each.get("volumes", ()):
            source = volume.split(":")[0]
            known = (ROOT / source).exists() if source.startswith("./") else source in declared["volumes"]
            assert known, f"{name} mounts {source}"
        assert set(each.get("secrets", ())) <= set(declared["secrets"])
        assert set(each["networks"]) <= set(declared["networks"])
        assert set(each.get("depends_on", ())) <= set(containers())


def test_images_of_others_are_pinned_to_a_version() -> None:
    for name in INFRASTRUCTURE:
        _, _, tag = containers()[name]["image"].partition(":")
        assert any(letter.isdigit() for letter in tag), f"{name}: {tag or 'no tag'}"


def test_a_container_gets_longer_to_stop_than_its_service_takes_to_drain() -> None:
    grace = Configuration.read({}).load(MeshSettings).value.grace.total_seconds()
    for name in MESH:
        assert float(ours()[name]["stop_grace_period"].removesuffix("s")) > grace, name
