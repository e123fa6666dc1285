"""A check that cannot fail proves nothing: each is shown one sample that breaks its rule and one that keeps it."""

import importlib
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

from tests.architecture.repository import ROOT, members

BIN = Path(sys.executable).parent
CLEAN = '"""A module that says why it exists."""\n'


def run(*command: str | Path, cwd: Path = ROOT, **environment: str) -> subprocess.CompletedProcess[str]:
    """What a checker says."""
    variables = {"PATH": f"{BIN}:/usr/bin:/bin", "HOME": str(Path.home()), **environment}
    return subprocess.run(command, cwd=cwd, env=variables, capture_output=True, text=True, check=False)


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> ModuleType:
    """A script of tools/ as a module."""
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    return importlib.import_module(request.param)


def lint(tmp_path: Path, source: str, folder: str = "services/router/llm_mesh_router") -> subprocess.CompletedProcess[str]:
    """Ruff's findings in a source text, as if it stood in a folder of ours."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    module = tmp_path / folder / "sample.py"
    module.parent.mkdir(parents=True)
    (module.parent / "__init__.py").write_text(CLEAN)
    module.write_text(CLEAN + source)
    return run(BIN / "ruff", "check", "--no-cache", "--output-format=concise", module, cwd=tmp_path)


def test_lint_accepts_a_clean_module(tmp_path: Path) -> None:
    assert lint(tmp_path, "").returncode == 0


@pytest.mark.parametrize(
    ("source", "rule"),
    [
        ('\nimport os\n\nHOME = os.environ["HOME"]\n', "TID251"),
        ('\nimport os\n\nHOME = os.getenv("HOME")\n', "TID251"),
        ('\nimport grpc\n\nCHANNEL = grpc.aio.insecure_channel("policy:50054")\n', "TID251"),
        ('\nfrom grpc.aio import secure_channel\n\nCHANNEL = secure_channel("policy:50054", None)\n', "TID251"),
        ('\nprint("hello")\n', "T201"),
        ("\n# TODO: later\n", "FIX002"),
        ("\n\ndef plan() -> None:\n    try:\n        pass\n    except Exception:\n        pass\n", "BLE001"),
        ("\n\ndef plan(alias):\n    return alias\n", "ANN001"),
        ("\n\nclass Plan:\n    pass\n", "D101"),
    ],
)
def test_lint_refuses(source: str, rule: str, tmp_path: Path) -> None:
    result = lint(tmp_path, source)
    assert result.returncode != 0
    assert rule in result.stdout


@pytest.mark.parametrize("folder", ["services/runtime/llm_mesh_runtime/links", "services/runtime/llm_mesh_runtime/settings"])
def test_lint_lets_the_runtime_do_what_it_offers(folder: str, tmp_path: Path) -> None:
    assert "TID251" not in lint(tmp_path, '\nimport os\n\nHOME = os.environ["HOME"]\n', folder).stdout


def packages_in_contracts() -> list[str]:
    """The rooms and slices of ours that contracts name, outer ones first: the checker wants them to be there."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    lists = ("containers", "source_modules", "forbidden_modules", "protected_modules", "allowed_importers")
    named = {name for contract in settings for key in lists for name in contract.get(key, ()) if "." in name and "*" not in name}
    return sorted(name for name in named if name.partition(".")[0] in {member.package for member in members()})


def contracts(tmp_path: Path, package: str, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The verdict of import-linter when a package of ours had these modules, and all others none."""
    for member in members():
        (tmp_path / member.package).mkdir()
        (tmp_path / member.package / "__init__.py").touch()
    for name in packages_in_contracts():
        (tmp_path / name.replace(".", "/")).mkdir(exist_ok=True)
        (tmp_path / name.replace(".", "/") / "__init__.py").touch()
    for name, source in {"__init__.py": "", **modules}.items():
        module = tmp_path / package / name
        module.parent.mkdir(parents=True, exist_ok=True)
        for folder in module.parents:
            if folder.is_relative_to(tmp_path / package):
                (folder / "__init__.py").touch()
        module.write_text(CLEAN + source)
    return run(BIN / "lint-imports", "--no-cache", "--no-logo", f"--config={ROOT}/pyproject.toml", PYTHONPATH=str(tmp_path))


def test_import_contracts_accept_the_order_of_rooms(tmp_path: Path) -> None:
    modules = {
        "wiring.py": "from llm_mesh_router import servicer",
        "servicer.py": "from llm_mesh_router import domain",
        "domain/__init__.py": "",
    }
    result = contracts(tmp_path, "llm_mesh_router", modules)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("modules", "contract"),
    [
        ({"wiring.py": "import llm_mesh_policy"}, "Services are independent of each other"),
        ({"domain/plan.py": "from llm_mesh_router import wiring", "wiring.py": ""}, "Rooms know only the rooms below"),
        ({"servicer.py": "from llm_mesh_router import store", "store/__init__.py": ""}, "Rooms know only the rooms below"),
        ({"helpers.py": ""}, "Rooms know only the rooms below"),
        ({"domain/plan.py": "import grpc"}, "Domains are pure"),
        ({"domain/plan.py": "from sqlalchemy import select"}, "Domains are pure"),
        ({"domain/deep/plan.py": "import aiohttp"}, "Domains are pure"),
    ],
)
def test_import_contracts_refuse(modules: dict[str, str], contract: str, tmp_path: Path) -> None:
    result = contracts(tmp_path, "llm_mesh_router", modules)
    assert f"{contract} BROKEN" in result.stdout
    assert result.returncode != 0


@pytest.mark.parametrize(
    ("modules", "contract"),
    [
        ({"somewhere.py": ""}, "Policy's slices know only the slices below"),
        ({"domain/actor.py": "from llm_mesh_policy import identity"}, "Policy's slices know only the slices below"),
        ({"store/schema.py": "from llm_mesh_policy import ledger"}, "Policy's slices know only the slices below"),
        ({"rules/ports.py": "", "audit/domain/a.py": "from llm_mesh_policy.rules import ports"}, "slices know only the slices below"),
        ({"ledger/wiring.py": ""}, "Rooms of policy's slices know only the rooms below"),
        ({"audit/domain/a.py": "from llm_mesh_policy.audit import store", "audit/store/b.py": ""}, "slices know only the rooms below"),
        ({"rules/domain/a.py": "", "ledger/domain/b.py": "from llm_mesh_policy.rules.domain import a"}, "other slices know only its ports"),
        ({"store/a.py": "", "screening/domain/b.py": "from llm_mesh_policy.store import a"}, "Screening knows nothing of policy"),
        ({"rules/domain/plan.py": "import sqlalchemy"}, "Domains are pure"),
    ],
)
def test_import_contracts_keep_the_slices_of_policy_apart(modules: dict[str, str], contract: str, tmp_path: Path) -> None:
    result = contracts(tmp_path, "llm_mesh_policy", modules)
    assert f"{contract} BROKEN" in result.stdout
    assert result.stdout.count(" BROKEN") == 1


def test_import_contracts_keep_services_out_of_the_runtime(tmp_path: Path) -> None:
    result = contracts(tmp_path, "llm_mesh_runtime", {"sample.py": "import llm_mesh_policy"})
    assert "The runtime knows no service BROKEN" in result.stdout


@pytest.mark.parametrize(
    ("modules", "contract"),
    [
        ({"somewhere.py": ""}, "The runtime's packages know only the packages below"),
        ({"errors.py": "from llm_mesh_runtime import telemetry", "telemetry/__init__.py": ""}, "know only the packages below"),
        ({"telemetry/host.py": "from llm_mesh_runtime import links", "links/__init__.py": ""}, "know only the packages below"),
        ({"database/writer.py": "from llm_mesh_runtime import links", "links/__init__.py": ""}, "know only the packages below"),
        ({"links/fabric.py": "from llm_mesh_runtime import http", "http/__init__.py": ""}, "know only the packages below"),
        ({"http/listener.py": "from llm_mesh_runtime import host", "host/__init__.py": ""}, "know only the packages below"),
        ({"links/fabric.py": "import httptools"}, "Of the runtime only http knows the HTTP server"),
        ({"pipeline/stages.py": "import sqlalchemy"}, "Of the runtime only database, outbox and trail know SQL"),
    ],
)
def test_import_contracts_keep_the_packages_of_the_runtime_in_their_order(modules: dict[str, str], contract: str, tmp_path: Path) -> None:
    result = contracts(tmp_path, "llm_mesh_runtime", modules)
    assert f"{contract} BROKEN" in result.stdout
    assert result.stdout.count(" BROKEN") == 1


def test_import_contracts_accept_the_order_of_the_runtimes_packages(tmp_path: Path) -> None:
    modules = {
        "host/__init__.py": "from llm_mesh_runtime import links",
        "http/listener.py": "import httptools",
        "links/__init__.py": "from llm_mesh_runtime import telemetry",
        "telemetry/__init__.py": "from llm_mesh_runtime import errors",
        "database/engines.py": "import sqlalchemy",
        "errors.py": "",
    }
    result = contracts(tmp_path, "llm_mesh_runtime", modules)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("def plan(alias):\n    return alias\n", "no-untyped-def"),
        ('def plan() -> int:\n    return "x"\n', "return-value"),
        ("def plan(routes: list) -> None: ...\n", "type-arg"),
        ("x: int = 'y'  # type: ignore\n", "ignore-without-code"),
    ],
)
def test_types_refuse(source: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(source)
    config = ROOT / "pyproject.toml"
    result = run(BIN / "mypy", f"--config-file={config}", f"--cache-dir={tmp_path}/cache", tmp_path / "sample.py", MYPYPATH=str(tmp_path))
    assert result.returncode != 0
    assert code in result.stdout


@pytest.mark.parametrize("tool", ["gen"], indirect=True)
def test_stale_missing_and_left_over_stubs_are_found(tool: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fresh, committed = tmp_path / "fresh", tmp_path / "committed"
    for folder, files in ((fresh, {"same": "1", "stale": "1", "missing": "1"}), (committed, {"same": "1", "stale": "2", "left_over": "1"})):
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
    monkeypatch.setattr(tool, "GEN", committed)
    assert tool.differences(fresh) == ["left_over", "missing", "stale"]


def sample(tmp_path: Path, contract: str) -> Path:
    """A tree that holds buf's settings of ours and one contract."""
    shutil.copy(ROOT / "buf.yaml", tmp_path)
    path = tmp_path / "protos/llm_mesh/sample/v1/sample.proto"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(contract)
    return tmp_path


GOOD = 'syntax = "proto3";\n\npackage llm_mesh.sample.v1;\n\n// A sample.\nmessage Sample {\n  // Its name.\n  string name = 1;\n}\n'


def test_contract_lint_refuses_an_undocumented_field(tmp_path: Path) -> None:
    buf = (BIN / "buf", "lint")
    assert run(*buf, cwd=sample(tmp_path, GOOD)).returncode == 0
    assert "COMMENT_FIELD" in run(*buf, "--error-format=json", cwd=sample(tmp_path, GOOD.replace("  // Its name.\n", ""))).stdout


@pytest.mark.parametrize("tool", ["breaking"], indirect=True)
def test_a_contract_that_breaks_clients_is_found(tool: ModuleType, tmp_path: Path) -> None:
    image = tmp_path / "released.binpb"
    assert run(BIN / "buf", "build", "-o", image, cwd=sample(tmp_path, GOOD)).returncode == 0
    assert tool.breaks(tmp_path, image) == []
    (found,) = tool.breaks(sample(tmp_path, GOOD.replace("string name", "int64 name")), image)
    assert found["path"] == "protos/llm_mesh/sample/v1/sample.proto"


@pytest.mark.parametrize("tool", ["breaking"], indirect=True)
def test_only_an_unreleased_changelog_admits_a_break(tool: ModuleType) -> None:
    line = "- Breaking: llm_mesh/policy/v1/policy.proto: renamed a field\n"
    assert "policy.proto" in tool.allowed(f"# Changelog\n\n## Unreleased\n\n{line}")
    assert tool.allowed(f"# Changelog\n\n## Unreleased\n\n{line}\n## 0.1.0\n\n- First.\n") == ""


@pytest.mark.parametrize("tool", ["breaking"], indirect=True)
def test_a_line_admits_the_breaks_of_its_file_and_of_its_rule_alone(tool: ModuleType) -> None:
    item = {"path": "protos/llm_mesh/policy/v1/policy.proto", "type": "FILE_SAME_JAVA_PACKAGE"}
    assert tool.admits("- Breaking: llm_mesh/policy/v1/policy.proto: renamed a field", item)
    assert tool.admits("- Breaking: FILE_SAME_JAVA_PACKAGE: Java's classes have names", item)
    assert not tool.admits("- Breaking: FILE_SAME_JAVA_PACKAGE_PREFIX, llm_mesh/policy/v1/rules.proto: renamed", item)
    assert not tool.admits("", item)


@pytest.mark.parametrize("tool", ["lock"], indirect=True)
@pytest.mark.parametrize("line", ["--index-url https://registry.invalid/simple", "-f /wheels", "x @ https://registry.invalid/x.whl"])
def test_a_lock_that_names_a_registry_is_found(tool: ModuleType, line: str) -> None:
    assert tool.HOST.search(f"aiohttp==3.14.5\n{line}\n")


def test_a_warning_fails_a_test(tmp_path: Path) -> None:
    (tmp_path / "test_sample.py").write_text("import warnings\n\ndef test_sample():\n    warnings.warn('old', DeprecationWarning)\n")
    result = run(
        BIN / "pytest", f"--config-file={ROOT}/pyproject.toml", f"--rootdir={tmp_path}", "-p", "no:cacheprovider", tmp_path, cwd=tmp_path
    )
    assert "DeprecationWarning: old" in result.stdout
    assert result.returncode == 1


def test_an_absent_engine_is_skipped_here_and_fails_in_ci(tmp_path: Path) -> None:
    source = "from tests.engines import program\n\ndef test_sample():\n    program('no-such-engine', 'install it')\n"
    (tmp_path / "test_sample.py").write_text(source)
    command = (BIN / "pytest", f"--config-file={ROOT}/pyproject.toml", f"--rootdir={tmp_path}", "-p", "no:cacheprovider", tmp_path)
    here = run(*command, cwd=tmp_path, PYTHONPATH=str(ROOT))
    assert "no-such-engine is absent: install it" in here.stdout
    assert here.returncode == 0
    assert run(*command, cwd=tmp_path, PYTHONPATH=str(ROOT), LLM_MESH_REQUIRE_ENGINES="1").returncode == 1
