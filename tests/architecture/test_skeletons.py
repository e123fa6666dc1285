"""`make new-service` and `make new-dialect` make parts that pass every check by themselves: both are made in a copy of the repository."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import sysconfig
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_mesh.services import SERVICES
from tests import engines
from tests.architecture.repository import ROOT, files, relative
from tests.e2e.running import free_port
from tests.operations import pages
from tools.skeletons import __main__ as skeletons
from tools.skeletons.__main__ import SkeletonError

SERVICE, DIALECT = "sampling", "sampler"
NEW = (
    "services/sampling",
    "tests/sampling",
    "services/adapters/sampler",
    "services/dialects/llm_mesh_dialects/sampler",
    "tests/adapter_sampler",
)
MEMBERS = ("services/sampling", "services/adapters/sampler")
BIN = Path(sys.executable).parent
ONLY_NEW = f"{SERVICE} or {DIALECT} or (not llm_mesh and not files_stay_short)"
"""Of tests that there are for each member, those of the new ones."""
EITHER = f"{SERVICE} or {DIALECT}"
SUITES = ("contracts", "declarations", "dependencies", "glossary", "rooms", "servicers", "committed_files")
CHECKS: dict[str, Sequence[Sequence[str]]] = {
    "format": [["ruff", "format", "--check"], ["buf", "format", "--diff", "--exit-code"]],
    "style": [["ruff", "check"], ["buf", "lint"]],
    "import contracts": [["python", str(BIN / "lint-imports"), "--no-cache", "--no-logo"]],
    "types": [["python", "-m", "mypy", *NEW]],
    "generated files": [["python", "-m", "tools.gen", "--check"], ["python", "-m", "tools.services", "--check"]],
    "pages": [["python", "-m", "tools.docs", "--check"], ["python", "tools/operations.py", "--check"]],
    "suites of its own": [["python", "-m", "pytest", *(folder for folder in NEW if folder.startswith("tests/"))]],
    "architecture": [["python", "-m", "pytest", *(f"tests/architecture/test_{name}.py" for name in SUITES), "-k", ONLY_NEW]],
    "what enumerates members": [
        ["python", "-m", "pytest", "tests/architecture/test_imports_are_inert.py", "tests/deploy/test_compose.py", "-k", EITHER],
        ["python", "-m", "pytest", "tests/operations/test_documented_things_exist.py", "-k", EITHER],
        ["python", "-m", "pytest", "tests/cli/test_cli_reach.py", "-k", "each_public_method"],
        ["python", "-m", "pytest", "tests/operations/test_site.py", "-k", "every_page or llms or links_of_the_pages"],
    ],
}
UP_SECONDS = 90


@dataclass(frozen=True)
class Copy:
    """A copy of the repository, with an environment that finds our packages in it."""

    folder: Path
    bin: Path

    def run(self, *words: str) -> str:
        """Run a command in it; it must succeed."""
        done = subprocess.run(self._command(words), cwd=self.folder, env=self.environment(), capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout[-5000:]}{done.stderr[-5000:]}"
        return done.stdout

    def environment(self, **more: str) -> dict[str, str]:
        plain = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_MESH_", "PYTEST_", "COV_"))}
        return plain | {"PATH": f"{self.bin}:{os.environ['PATH']}"} | more

    def _command(self, words: Sequence[str]) -> list[str]:
        more = ["-q", "-p", "no:cacheprovider", "-p", "no:xdist"] if words[:3] == ("python", "-m", "pytest") else []
        return [str(self.bin / words[0]), *words[1:], *more]


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """A copy with a new service and a new dialect, made by the steps of the Makefile that need no registry."""
    for plugin, missing in (("protoc-gen-go", BIN / "protoc-gen-go"), ("protoc-gen-es", ROOT / "tools/typescript/node_modules")):
        if not missing.exists():
            engines.absent(plugin, "make engines")
    folder = tmp_path_factory.mktemp("grown")
    copy = Copy(folder / "repository", folder / "venv/bin")
    for path in files():
        target = copy.folder / relative(path)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
    (copy.folder / "tools/typescript/node_modules").symlink_to(ROOT / "tools/typescript/node_modules")
    _environment(folder / "venv", copy.folder, folder / "installed")
    _known_types(copy.folder)
    subprocess.run(["git", "init", "--quiet"], cwd=copy.folder, check=True)
    copy.run("python", "-m", "tools.skeletons", "service", SERVICE)
    copy.run("python", "-m", "tools.skeletons", "dialect", DIALECT)
    copy.run("python", "-m", "tools.services")
    copy.run("python", "-m", "tools.gen")
    members = [f"./{name}" for name in MEMBERS]
    offline = (
        "--quiet",
        "--offline",
        "--no-deps",
        "--no-build-isolation",
        f"--python={BIN / 'python'}",
        f"--target={folder / 'installed'}",
    )
    copy.run("python", "-m", "uv", "pip", "install", *offline, *members)
    copy.run("python", "-m", "tools.docs")
    copy.run("python", "tools/operations.py")
    return copy


def _known_types(repository: Path) -> None:
    """What mypy knows of the files that the copy has too; where it has not looked yet, it takes a minute more."""
    for source in ROOT.glob(".mypy_cache/*/*.db"):
        target = repository / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        with closing(sqlite3.connect(source)) as known, closing(sqlite3.connect(target)) as copied:
            known.backup(copied)


def _environment(venv: Path, repository: Path, installed: Path) -> None:
    """What others publish comes from the environment of this test; ours comes from the copy, entry points of new members besides."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", "--symlinks", venv], check=True)
    for tool in BIN.iterdir():
        if not (venv / "bin" / tool.name).exists():
            (venv / "bin" / tool.name).symlink_to(tool)
    folders = [repository / "gen/python", *(path.parent for path in repository.glob("services/**/pyproject.toml"))]
    new = [repository / name for name in MEMBERS]
    for folder in (*new, installed):
        folder.mkdir(parents=True, exist_ok=True)  # Python leaves out what is not there when it starts
    lines = [*folders, *new, installed, Path(sysconfig.get_path("purelib"))]
    (site,) = venv.glob("lib/python*/site-packages")
    (site / "copy.pth").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


@pytest.mark.parametrize("check", CHECKS)
def test_new_parts_pass_every_check(grown: Copy, check: str) -> None:
    for words in CHECKS[check]:
        grown.run(*words)


def test_new_parts_use_plain_words_and_names_of_their_own(grown: Copy) -> None:
    additions = json.loads(grown.run("python", "-c", WORDS))
    assert [line for line in additions if line.split(" ")[1].startswith(NEW)] == []


WORDS = """
import json
from tools.house import words
print(json.dumps([line for name, check in words.CHECKS.items() for line in check() - words.remaining(name)]))
"""


def test_new_parts_touch_nothing_by_hand(grown: Copy) -> None:
    """Besides its own folders only generated files and regions differ."""
    before = {relative(path): path.read_bytes() for path in files()}
    listed = subprocess.run(["git", "ls-files", "-z", "--others", "--exclude-standard"], cwd=grown.folder, capture_output=True, check=True)
    names = [name for name in listed.stdout.decode().split("\0") if (grown.folder / name).is_file()]
    after = {name: (grown.folder / name).read_bytes() for name in names}
    changed = {name for name, content in after.items() if before.get(name) != content}
    own = tuple(f"{folder}/" for folder in (*NEW, f"protos/llm_mesh/{SERVICE}"))
    elsewhere = {name for name in changed if not name.startswith((*own, "gen/"))}
    assert before.keys() - after.keys() == set()
    assert elsewhere == {
        ".github/ISSUE_TEMPLATE/idea.yml",
        ".github/workflows/release.yml",
        "README.md",
        "deploy/secrets.sh",
        "docker-compose.yml",
        "docs/errors.md",
        "docs/operations.md",
        "docs/tutorials/separate-deployment.md",
        "pyproject.toml",
        "services/README.md",
    }


@pytest.fixture
def serving(grown: Copy, tmp_path: Path) -> Iterator[str]:
    """`llm-mesh up` of the copy; the address of its gRPC listener."""
    grpc, ready = f"127.0.0.1:{free_port()}", tmp_path / "ready"
    words = ["up", "--data-dir", str(tmp_path / "data"), "--http", f"127.0.0.1:{free_port()}", "--grpc", grpc, "--ready-file", str(ready)]
    environment = grown.environment(LLM_MESH_SIMULATOR_ADDRESS=f"127.0.0.1:{free_port()}")
    with (tmp_path / "log").open("w+") as log:
        command = [str(grown.bin / "python"), "-m", "llm_mesh_cli", *words, "--quiet"]
        process = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=log, stderr=log)
        try:
            until = time.monotonic() + UP_SECONDS
            while not ready.exists():
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < until, (tmp_path / "log").read_text()
                time.sleep(0.05)  # another process has no event of ours
            yield grpc
        finally:
            process.terminate()
            assert process.wait(30) == 0, (tmp_path / "log").read_text()


def test_the_mesh_serves_them_and_answers_health_and_reflection(grown: Copy, serving: str) -> None:
    told = json.loads(grown.run("python", "-c", ASKING, serving))
    assert told["health"] == {f"llm_mesh.{SERVICE}.v1.{SERVICE.capitalize()}Service": "SERVING", f"adapter/{DIALECT}": "SERVING"}
    assert f"llm_mesh.{SERVICE}.v1.{SERVICE.capitalize()}Service" in told["reflection"]


def test_the_tutorial_of_a_first_adapter_is_as_the_new_dialect_is(grown: Copy, serving: str) -> None:
    """The fixtures have done what its two calls of make do."""
    steps = pages.steps(ROOT / "docs/tutorials/first-adapter.md")
    assert [step.commands for step in steps if step.commands.startswith("make ")] == [f"make new-dialect NAME={DIALECT}\n", "make up\n"]
    environment = grown.environment(LLM_MESH_ADDRESS=serving)
    for step in steps:
        if not step.commands.startswith("make "):
            command = [grown.bin / "python", "-c"] if step.language == "python" else ["/bin/sh", "-euc"]
            done = subprocess.run([*command, step.commands], cwd=grown.folder, env=environment, capture_output=True, text=True, check=False)
            assert step.is_as_shown(done.stdout), f"{step.commands}\n{done.stdout[-5000:]}{done.stderr[-5000:]}"


ASKING = f"""
import json, sys
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc
channel = grpc.insecure_channel(sys.argv[1])
call = getattr(health_pb2_grpc.HealthStub(channel), "List")(health_pb2.HealthListRequest(), timeout=10)
named = {{name: health_pb2.HealthCheckResponse.ServingStatus.Name(each.status) for name, each in call.statuses.items()}}
listing = reflection_pb2.ServerReflectionRequest(list_services="")
answers = reflection_pb2_grpc.ServerReflectionStub(channel).ServerReflectionInfo(iter([listing]), timeout=10)
services = [service.name for answer in answers for service in answer.list_services_response.service]
new = {{name: state for name, state in named.items() if {SERVICE!r} in name or {DIALECT!r} in name}}
print(json.dumps({{"health": new, "reflection": services}}))
"""


@pytest.mark.parametrize("name", ["", "a", "Upper", "two_words", "x" * 33, "policy", "mesh", "../x"])
def test_a_name_that_is_taken_or_of_a_wrong_form_is_refused(name: str) -> None:
    with pytest.raises(SkeletonError, match=f"NAME={name!r}"):
        skeletons.made("service", name)


@pytest.mark.parametrize("name", ["openai", "Anthropic", "anthropic"])
def test_a_dialect_that_there_is_already_is_refused(name: str) -> None:
    with pytest.raises(SkeletonError, match=f"NAME={name!r}"):
        skeletons.made("dialect", name)


def test_a_new_service_has_a_port_that_nobody_has() -> None:
    declared = next(text for path, text in skeletons.made("service", SERVICE).items() if path.name == "service.toml")
    port = int(declared.partition("port = ")[2].partition("\n")[0])
    assert port not in {each.port for each in SERVICES}
