"""Installs services alone, each with nothing but its own lock and its own members, and proves that they run so.

The steps are those of services/Dockerfile: third parties from the service's requirements.lock by hash, then our wheels without an
index, which fails where the lock lacks something. Then every module is imported, and the service must be the only one installed.
With --tests the service's own suite runs there too, with the test tools that the root has pinned.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = ("pytest", "pytest-asyncio", "pytest-timeout", "hypothesis")
UV = (sys.executable, "-m", "uv")
IMPORT_ALL = """
import importlib, pkgutil, sys
from llm_mesh_runtime.host import installed, load
package, service = sys.argv[1], sys.argv[2]
if service:
    assert installed() == (service,), installed()
    assert load([service])[0].name == service
names = [module.name for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + ".")]
for name in names:
    if not name.endswith("__main__"):
        importlib.import_module(name)
print(f"{package}: {len(names)} modules")
"""


def libraries() -> list[Path]:
    """The members that others install: they have nothing to run."""
    present = [ROOT / "gen/python", *(path.parent for path in (ROOT / "services").rglob("pyproject.toml"))]
    return [folder for folder in present if not any(folder.glob("*/__main__.py"))]


def is_default(folder: Path) -> bool:
    """Whether the default installation has it: the others are large, and proven where they are named."""
    declared = folder / "service.toml"
    return not declared.exists() or not tomllib.loads(declared.read_text()).get("optional")


def folders() -> dict[str, Path]:
    """Everything that installs alone, by its folder below services/: what has a lock of its own."""
    services = ROOT / "services"
    return {lock.parent.relative_to(services).as_posix(): lock.parent for lock in sorted(services.rglob("requirements.lock"))}


def run(*command: str | Path, cwd: Path = ROOT) -> None:
    """Run one step; its output is shown when it fails."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("LLM_MESH_", "PYTHON"))}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"alone: {' '.join(map(str, command))}\n{done.stdout}{done.stderr}")


def wheels(members: list[Path], into: Path) -> None:
    """Build members with the pinned build tools."""
    for member in members:
        run(*UV, "build", "--wheel", "--quiet", "--no-build-isolation", "--python", sys.executable, "--out-dir", into, member)


def install(folder: Path, shared: Path, work: Path) -> Path:
    """An environment with one service; answers with its Python."""
    python = work / "venv/bin/python"
    run(*UV, "venv", "--quiet", "--python", sys.executable, work / "venv")
    run(*UV, "pip", "install", "--quiet", "--python", python, "--require-hashes", "--requirement", folder / "requirements.lock")
    wheels([folder], work)
    (wheel,) = work.glob("*.whl")
    run(*UV, "pip", "install", "--quiet", "--python", python, "--no-index", "--find-links", shared, wheel)
    run(*UV, "pip", "check", "--quiet", "--python", python)
    return python


def prove(name: str, folder: Path, shared: Path, *, tests: bool) -> None:
    """Install one service alone, import all of it, and run its suite where that is wanted."""
    project = tomllib.loads((folder / "pyproject.toml").read_text())
    (package,) = project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    points = project["project"].get("entry-points", {}).get("llm_mesh.services", {})
    service = next(iter(points), "").replace("adapter-", "adapter/", 1)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        python = install(folder, shared, work)
        run(python, "-I", "-c", IMPORT_ALL, package, service, cwd=work)
        if tests:
            constraint = ("--constraint", ROOT / "requirements.lock")
            run(*UV, "pip", "install", "--quiet", "--python", python, *constraint, *TOOLS)
            suite = ROOT / "tests" / name.replace("adapters/", "adapter_")
            subprocess.run([python, "-m", "pytest", "-q", "-p", "no:cacheprovider", suite], cwd=ROOT, check=True)
    print(f"alone: {name} installs and imports with its own dependencies only{', and its tests pass' if tests else ''}", flush=True)


def main() -> None:
    """Prove the named services, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "services", nargs="*", help="folders below services/, such as policy or adapters/openai; default: all but the optional ones"
    )
    parser.add_argument("--tests", action="store_true", help="run each service's own suite in its environment")
    arguments = parser.parse_args()
    known = folders()
    unknown = set(arguments.services) - known.keys()
    if unknown:
        sys.exit(f"alone: no such service: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    with tempfile.TemporaryDirectory() as temporary:
        shared = Path(temporary)
        wheels(libraries(), shared)
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            chosen = arguments.services or [name for name, folder in known.items() if is_default(folder)]
            for proven in [pool.submit(prove, name, known[name], shared, tests=arguments.tests) for name in chosen]:
                proven.result()


if __name__ == "__main__":
    main()
