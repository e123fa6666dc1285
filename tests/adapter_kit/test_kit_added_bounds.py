"""What operators allow of endpoints that were added: which credentials and files they may refer to, and where they may lead."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_adapter_kit.added.bounds import CREDENTIAL, AddedEndpointBounds, OutOfBoundsError
from llm_mesh_adapter_kit.added.settings import PREFIX, AddedEndpointSettings
from llm_mesh_adapter_kit.endpoints import Endpoint, EndpointTable
from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_runtime.secret import Secret

ORIGIN = "https://gpu.acme.example"


def added(**fields: Any) -> registry_pb2.Endpoint:
    connection = registry_pb2.EndpointConnection(**({"base_url": f"{ORIGIN}/v1"} | fields))
    return registry_pb2.Endpoint(name="adapters/openai/endpoints/gpu", connection=connection)


def by_file(path: Path | str) -> dict[str, Any]:
    return {"credential": {"origin": ORIGIN, "file": str(path)}}


def by_variable(name: str) -> dict[str, Any]:
    return {"credential": {"origin": ORIGIN, "environment_variable": name}}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The operator's directory, beside what nobody may refer to."""
    (tmp_path / "outside").write_text("of the operator alone")
    allowed = tmp_path / "allowed"
    (allowed / "..data").mkdir(parents=True)
    (allowed / "..data" / "gpu").write_text("sk-of-a-file\n")
    (allowed / "gpu").symlink_to(allowed / "..data" / "gpu")  # as Kubernetes mounts secrets
    (allowed / "leads-out").symlink_to(tmp_path / "outside")
    (allowed / "folder-out").symlink_to(tmp_path)
    return allowed


def bounds(folder: Path | str = "", *, embedded: bool = False, ranges: tuple[str, ...] = ()) -> AddedEndpointBounds:
    credentials = {"gpu": Secret("sk-of-a-variable"), "empty": Secret()}
    settings = AddedEndpointSettings(added_credentials=credentials, added_files=str(folder), added_ranges=ranges)
    return AddedEndpointBounds(settings, one_machine=embedded)


def test_references_within_the_bounds_are_read(folder: Path) -> None:
    assert bounds(folder).setting(added(**by_file(folder / "gpu"))).credentials == {CREDENTIAL: Secret("sk-of-a-file")}
    setting = bounds().setting(added(**by_variable(f"{PREFIX}GPU")))
    assert setting.credentials == {CREDENTIAL: Secret("sk-of-a-variable")}
    assert "sk-of" not in setting.text
    assert json.loads(setting.text) == {"base_url": f"{ORIGIN}/v1", "credential": CREDENTIAL}


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("/etc/passwd", "outside of the directory"),
        ("{}/../outside", "outside of the directory"),
        ("{}/leads-out", "outside of the directory"),
        ("{}/folder-out/outside", "outside of the directory"),
        ("{}-sibling/key", "outside of the directory"),
        ("{}/none", "cannot be read"),
        ("{}/..data", "cannot be read|is no file"),
        ("/proc/self/environ", "outside of the directory"),
    ],
)
def test_a_file_elsewhere_is_not_read_whatever_leads_there(folder: Path, path: str, why: str) -> None:
    with pytest.raises(OutOfBoundsError, match=why) as caught:
        bounds(folder).setting(added(**by_file(path.format(folder))))
    assert "of the operator alone" not in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"  \n", b"two\nlines", b"x" * 70_000, b"\xff\xfe", b"a\0b"])
def test_a_file_without_one_line_of_text_is_no_credential(folder: Path, content: bytes) -> None:
    (folder / "odd").write_bytes(content)
    with pytest.raises(OutOfBoundsError, match=r"connection\.credential\.file"):
        bounds(folder).setting(added(**by_file(folder / "odd")))


@pytest.mark.parametrize("name", ["OPENAI_API_KEY", "LLM_MESH_SECRET", f"X{PREFIX}GPU", f"{PREFIX}OTHER", f"{PREFIX}EMPTY", "PATH"])
def test_a_variable_without_the_prefix_or_a_value_is_no_credential(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "sk-of-somebody-else")
    with pytest.raises(OutOfBoundsError, match=r"connection\.credential\.environment_variable"):
        bounds().setting(added(**by_variable(name)))


@pytest.mark.parametrize("key", ["client_certificate_file", "client_key_file", "authorities_file"])
def test_files_of_certificates_have_the_same_bound(folder: Path, key: str) -> None:
    with pytest.raises(OutOfBoundsError, match=f"connection.{key}: lies outside"):
        bounds(folder).setting(added(**{key: str(folder / "leads-out")}))
    with pytest.raises(OutOfBoundsError, match=f"connection.{key}: .* allows no files"):
        bounds().setting(added(**{key: str(folder / "gpu")}))


@pytest.mark.parametrize("each", ["169.254.169.254/32", "10.0.0.0/7", "10.2.0.0/16", "127.0.0.0/8", "0.0.0.0/0", "::/0", "fd00::/8"])
def test_address_ranges_beyond_the_operators_are_not_used(each: str) -> None:
    with pytest.raises(OutOfBoundsError, match=r"connection\.allowed_ranges\[0\]"):
        bounds(ranges=("10.1.0.0/16",)).setting(added(allowed_ranges=[each]))
    bounds(ranges=("10.1.0.0/16",)).setting(added(allowed_ranges=["10.1.2.0/24"]))


def test_loopback_is_for_meshes_of_one_process_or_by_the_operators_word() -> None:
    local = added(base_url="http://127.0.0.1:8000", local=True)
    with pytest.raises(OutOfBoundsError, match=r"connection\.local"):
        bounds().setting(local)
    bounds(embedded=True).setting(local)
    bounds(ranges=("127.0.0.0/8",)).setting(local)


def an_endpoint(url: str = ORIGIN, key: str = "sk-a", *, name: str = "gpu") -> Endpoint:
    return Endpoint(name=name, provider="GPU", base_url=url, credential=Secret(key), added=True)


def test_the_table_keeps_what_did_not_change_and_names_what_did() -> None:
    configured = Endpoint(name="openai", provider="OpenAI", base_url="https://api.openai.com/v1")
    table, told = EndpointTable([configured]), []
    table.changed = lambda names: told.append(sorted(names))
    table.replace_added([an_endpoint()], {})
    first = table.of("gpu")
    table.replace_added([an_endpoint(), an_endpoint(name="other")], {})
    assert table.of("gpu") is first, "calls and connections of it go on"
    table.replace_added([an_endpoint(key="sk-b")], {"other": "the operator does not allow it"})
    assert table.of("gpu") is not first
    assert told == [["gpu"], ["other"], ["gpu", "other"]]
    assert [each.name for each in table] == ["gpu", "openai"]
    with pytest.raises(AdapterError, match="endpoint other is not used: the operator does not allow it"):
        table.of("other")
    table.replace_added([an_endpoint(name="openai")], {})
    assert table.of("openai") is configured, "settings of the operator stay"
