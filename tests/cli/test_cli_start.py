"""`up` starts once per data directory, says in one line why it cannot, and leaves a running mesh alone."""

from __future__ import annotations

import inspect
import json
import os
import socket
import stat
import subprocess
import sys
from dataclasses import fields
from pathlib import Path

import pytest

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli import serving
from llm_mesh_cli.commands.serve import serve
from llm_mesh_cli.commands.up import up
from llm_mesh_cli.files import DataFiles, readable_by_others
from llm_mesh_cli.naming import named
from llm_mesh_cli.up.arguments import UpArguments, parsed
from llm_mesh_cli.up.first_start import SetUp
from llm_mesh_cli.up.panel import panel
from tests.e2e.running import RunningMesh, environment, llm_mesh


def test_help_and_the_quick_start_know_the_same_options() -> None:
    assert list(inspect.signature(up).parameters) == [field.name for field in fields(UpArguments)]
    given = parsed(["--http", "a:1", "--grpc", "b:2", "--data-dir", "c", "--workers", "3", "--ready-file", "d", "--quiet"])
    assert given == UpArguments("a:1", "b:2", Path("c"), 3, Path("d"), quiet=True)


def test_the_panel_says_where_the_data_are_unless_every_terminal_in_the_folder_finds_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    addresses = {"http": "127.0.0.1:1", "grpc": "127.0.0.1:2"}
    for usual in (Path(".llm-mesh"), tmp_path / ".llm-mesh"):
        assert "LLM_MESH_DATA_DIR" not in panel(addresses, DataFiles(usual), SetUp())
    for other in (Path("my data"), tmp_path / "my data"):
        assert f"  export LLM_MESH_DATA_DIR='{tmp_path}/my data'\n" in panel(addresses, DataFiles(other), SetUp())


def test_help_and_the_quick_start_of_services_know_the_same_arguments() -> None:
    assert list(inspect.signature(serve).parameters) == [field.name for field in fields(serving.ServeArguments)]
    assert serving.parsed(["policy", "--ready-file", "d", "gateway"]) == serving.ServeArguments(["policy", "gateway"], Path("d"))


def test_only_the_owner_may_look_into_the_data_directory(cli_mesh: RunningMesh) -> None:
    assert stat.S_IMODE(cli_mesh.data_dir.stat().st_mode) == 0o700
    assert "others may look into" not in cli_mesh.cli("doctor").stdout
    cli_mesh.data_dir.chmod(0o755)
    try:
        assert "others may look into" in cli_mesh.cli("doctor").stdout
    finally:
        cli_mesh.data_dir.chmod(0o700)


@pytest.mark.parametrize("words", [(), ("policy", "--no-such-option"), ("policy", "--ready", "x")])
def test_services_are_not_served_with_wrong_arguments(words: tuple[str, ...]) -> None:
    done = llm_mesh("serve", *words, env=environment({}))
    assert done.returncode == 2
    assert "usage: llm-mesh serve" in done.stderr


@pytest.mark.parametrize("command", ["up", "serve"])
def test_a_start_does_not_load_what_it_does_not_need(command: str, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    words = {"up": ["up", "--data-dir", str(tmp_path / "file" / "data")], "serve": ["serve", "no-such-service"]}[command]
    code = (
        f"import sys; sys.argv[1:] = {words!r}\n"
        "from llm_mesh_cli.__main__ import main\n"
        "try: main()\n"
        "except SystemExit as ended: assert ended.code == 1, ended.code\n"
        "assert 'llm_mesh_runtime.host.host' in sys.modules\n"
        "print([name for name in ('typer', 'pydantic', 'rich', 'pygments') if sys.modules.get(name)])"
    )
    done = subprocess.run([sys.executable, "-c", code], env=environment({}), capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    ("whose", "setting"), [("gRPC of all services", "LLM_MESH_GRPC (`up --grpc`)"), ("the simulator's HTTP", "LLM_MESH_SIMULATOR_ADDRESS")]
)
def test_each_listener_says_whose_port_it_wants_and_which_setting_moves_it(tmp_path: Path, whose: str, setting: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        simulator, grpc = (address, "127.0.0.1:0") if "simulator" in whose else ("127.0.0.1:0", address)
        env = environment({"LLM_MESH_SIMULATOR_ADDRESS": simulator})
        done = llm_mesh("up", "--grpc", grpc, "--http", "127.0.0.1:0", "--data-dir", str(tmp_path / "data"), env=env)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("llm-mesh: cannot listen on"), done.stderr
    assert f"cannot listen on {address} ({whose}): Address already in use, process {os.getpid()} (" in done.stderr
    assert f"; {setting} names another address" in done.stderr


def test_a_taken_port_is_told_in_one_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        env = environment({"LLM_MESH_SIMULATOR_ADDRESS": "127.0.0.1:0"})
        done = llm_mesh("up", "--grpc", "127.0.0.1:0", "--http", address, "--data-dir", str(tmp_path / "data"), env=env)
    assert done.returncode == 1
    told = done.stderr.strip().splitlines()[-1]
    assert f"cannot listen on {address} (the edge's HTTP): Address already in use, process {os.getpid()} (" in told
    assert told.endswith(" has it; LLM_MESH_HTTP (`up --http`) names another address")
    assert "Traceback" not in done.stderr


def test_a_second_mesh_on_the_same_data_is_refused_and_harms_nothing(cli_mesh: RunningMesh) -> None:
    words = ("up", "--grpc", "127.0.0.1:0", "--http", "127.0.0.1:0", "--data-dir", str(cli_mesh.data_dir))
    done = llm_mesh(*words, env={**cli_mesh.env, "LLM_MESH_SIMULATOR_ADDRESS": "127.0.0.1:0"})
    assert done.returncode == 1
    assert "is in use by another llm-mesh" in done.stderr
    assert json.loads((cli_mesh.data_dir / "addresses.json").read_text()) == cli_mesh.addresses
    assert cli_mesh.cli("health").returncode == 0


def test_a_key_is_kept_privately_and_never_over_a_file(tmp_path: Path) -> None:
    files = DataFiles(tmp_path)
    files.keep_key(files.admin_key, "mk_first")
    assert not readable_by_others(files.admin_key)
    with pytest.raises(FileExistsError):
        files.keep_key(files.admin_key, "mk_new")
    assert files.key(files.admin_key).reveal() == "mk_first"


@pytest.mark.parametrize("content", ["", "[]", "{", "\x00"])
def test_files_that_were_broken_off_read_as_absent(tmp_path: Path, content: str) -> None:
    (tmp_path / "addresses.json").write_text(content)
    assert DataFiles(tmp_path).addresses() == {}


def model(endpoint: str, upstream: str, alias: str) -> registry_pb2.Model:
    return registry_pb2.Model(adapter="openai", endpoint=endpoint, upstream_model=upstream, alias=alias)


def test_models_registered_in_bulk_never_take_a_name_or_alias_twice() -> None:
    first = named([model("openai", "gpt-4.1", "gpt-4.1"), model("azure", "gpt-4.1", "gpt-4.1"), model("x", "gpt-4-1", "gpt-4-1")], [])
    assert [each.alias for each in first] == ["gpt-4.1", "azure/gpt-4.1", "gpt-4-1"]
    assert len({each.name for each in first}) == 3
    assert named([model("openai", "gpt-4.1", "gpt-4.1")], first) == []
