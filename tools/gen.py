"""Generates stubs, descriptor sets and the table of services, or checks that what is committed is fresh.

Everything is made in a temporary folder first and then compared with `gen/`: a contract that does not compile changes
nothing, an unchanged file keeps its time, and a file that is no longer generated is removed. All plugins are pinned:
Python's by requirements.lock, Go's by tools/go/go.sum, TypeScript's by tools/typescript/package-lock.json.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

from tools.services import module
from tools.services.declaration import declarations

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
GEN = ROOT / "gen"
BIN = Path(sys.executable).parent  # of the environment: here stand all plugins
NODE_BIN = ROOT / "tools/typescript/node_modules/.bin"
# Written by hand, or moved by a release; everything else in these folders is generated.
HAND_WRITTEN = ("python/pyproject.toml", "go/go.mod", "go/go.sum", "typescript/package.json", "README.md", "released.binpb")
# Made on the side by those who use the folders.
CONTEXT = re.compile(r"_aio\.ServicerContext\[.*\],$", re.MULTILINE)
ABC = "from collections import abc as _abc"
FOREIGN = ("__pycache__", "node_modules", ".mypy_cache", "egg-info")


def sources() -> list[str]:
    """Every contract there is, by its path below protos/."""
    return sorted(path.relative_to(PROTOS).as_posix() for path in PROTOS.rglob("*.proto"))


def generate(out: Path) -> None:
    """Fill `out` with what `gen/` should hold."""
    for folder in ("python", "go", "typescript"):
        (out / folder).mkdir(parents=True)
    options = [
        f"--python_out={out}/python",
        f"--pyi_out={out}/python",
        f"--grpc_python_out={out}/python",
        f"--mypy_grpc_out={out}/python",
        # Async alone, as everything of ours is: a stub then has one name, at run time as in annotations. Concrete, so that a
        # fake may implement a part; tests/architecture asks of our own servicers that they implement all.
        "--mypy_grpc_opt=quiet,only_async,generate_concrete_servicer_stubs",
        f"--go_out={out}/go",
        "--go_opt=module=llm-mesh.dev/gen",
        f"--go-grpc_out={out}/go",
        "--go-grpc_opt=module=llm-mesh.dev/gen",
        f"--es_out={out}/typescript",
        "--es_opt=target=js+dts,import_extension=js,json_types=false",
        f"--descriptor_set_out={out}/llm_mesh.binpb",
        "--include_imports",
        "--include_source_info",
    ]
    include = [f"--proto_path={PROTOS}", f"--proto_path={files('grpc_tools')}/_proto"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *include, *options, *sources()]
    environment = {**os.environ, "PATH": os.pathsep.join([str(BIN), str(NODE_BIN), os.environ.get("PATH", "")])}
    if subprocess.run(command, env=environment, check=False).returncode:
        sys.exit("gen: the contracts do not compile; gen/ is as it was")
    make_packages(out / "python")
    (out / module.PATH).write_text(module.module(declarations()))


def make_packages(python: Path) -> None:
    """Turn the folders of modules into typed packages, without the stub modules of contracts that have no service."""
    for stub in python.rglob("*_pb2_grpc.py"):
        if "class " not in stub.read_text():
            stub.unlink()
            stub.with_suffix(".pyi").unlink()
            continue
        # A handler's context is declared by what it can do; its type parameters say nothing and differ per method.
        typed = stub.with_suffix(".pyi")
        typed.write_text(
            CONTEXT.sub("_aio.ServicerContext[_Any, _Any],", typed.read_text()).replace(ABC, f"{ABC}\nfrom typing import Any as _Any")
        )
    (python / "llm_mesh/py.typed").touch()
    for folder in [python / "llm_mesh", *(path for path in (python / "llm_mesh").rglob("*") if path.is_dir())]:
        name = folder.relative_to(python).as_posix().replace("/", ".")
        (folder / "__init__.py").write_text(f'"""Generated from the contracts: {name}."""\n')


def tree(folder: Path) -> Iterator[str]:
    """Every file below a folder that the generators answer for."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_file() and name not in HAND_WRITTEN and not any(part in name for part in FOREIGN):
            yield name


def differences(fresh: Path) -> list[str]:
    """Names of the files that are missing, stale or left over in gen/."""
    generated, present = set(tree(fresh)), set(tree(GEN))
    stale = {name for name in generated & present if (fresh / name).read_bytes() != (GEN / name).read_bytes()}
    return sorted(stale | (generated ^ present))


def main() -> None:
    """Regenerate, or with --check compare only."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; fail when gen/ is not fresh")
    check = parser.parse_args().check
    with tempfile.TemporaryDirectory() as temporary:
        fresh = Path(temporary)
        generate(fresh)
        changed = differences(fresh)
        if check and changed:
            sys.exit("gen: not fresh, run `make gen`: " + ", ".join(changed))
        for name in changed:
            target = GEN / name
            if (fresh / name).exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes((fresh / name).read_bytes())
            else:
                target.unlink()
    print(f"gen: {len(sources())} contracts, {len(changed)} files changed")


if __name__ == "__main__":
    main()
