"""Makes what a release publishes, into `dist/`: wheels, contracts and stubs, bills of materials, notes and checksums.

Nothing is uploaded here: the release workflow does that, after it has attested what this made.
"""

import argparse
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from tools.lock import LOCK, ROOT, members

NOTES = "release-notes.md"
EPOCH = (1980, 1, 1, 0, 0, 0)
"""The first time that a zip can hold: the same contents make the same file."""


def version() -> str:
    """Of the workspace's root; every distribution has the same."""
    match = re.search(r'^version = "([^"]+)"', (ROOT / "pyproject.toml").read_text(), re.MULTILINE)
    if match is None:
        sys.exit("release: the root's pyproject.toml has no version")
    return match[1]


def notes(changelog: str, released: str) -> str:
    """The part of a changelog under the heading of a version."""
    part = re.search(rf"^## \[?{re.escape(released)}\]?[^\n]*\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if part is None or not part[1].strip():
        sys.exit(f"release: CHANGELOG.md has nothing under `## {released}`; move what is under `## Unreleased` there")
    return part[1].strip() + "\n"


def wheels(dist: Path) -> None:
    """One of every distribution of the workspace, and the root's, which installs all."""
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(dist)]
    subprocess.run([*command, *(str(folder) for folder in (*members().values(), ROOT))], check=True)


def bill_of_materials(name: str, folder: Path, dist: Path, tool: Path) -> None:
    """What a service installs besides the workspace's own wheels, by its lock, as CycloneDX."""
    subprocess.run(
        [tool, "requirements", folder / LOCK, "--of", "JSON", "--output-reproducible", "-o", dist / f"{name}-{version()}.cdx.json"],
        check=True,
    )


def contracts(dist: Path) -> None:
    """The protos and the descriptor set, for whoever generates stubs of their own."""
    with tarfile.open(dist / f"llm-mesh-protos-{version()}.tar.gz", "w:gz", format=tarfile.PAX_FORMAT) as archive:
        for path in (ROOT / "protos", ROOT / "gen/llm_mesh.binpb", ROOT / "buf.yaml", ROOT / "LICENSE"):
            archive.add(path, arcname=path.relative_to(ROOT).as_posix())


def go_module(dist: Path) -> None:
    """The Go stubs as a module proxy serves them: https://go.dev/ref/mod#zip-files."""
    root = ROOT / "gen/go"
    with zipfile.ZipFile(dist / f"llm-mesh-gen-go-v{version()}.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            entry = zipfile.ZipInfo(f"llm-mesh.dev/gen@v{version()}/{path.relative_to(root).as_posix()}", EPOCH)
            archive.writestr(entry, path.read_bytes(), zipfile.ZIP_DEFLATED)


def npm_package(dist: Path, npm: str) -> None:
    """The TypeScript stubs as `npm publish` takes them."""
    subprocess.run([npm, "pack", "--silent", "--pack-destination", dist, ROOT / "gen/typescript"], check=True, stdout=subprocess.DEVNULL)


def checksums(dist: Path) -> None:
    """Of every file, in the form that `sha256sum --check` reads."""
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in sorted(dist.iterdir())]
    (dist / "SHA256SUMS").write_text("".join(lines))


def main() -> None:
    """Make everything anew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="where the files go; it is emptied first")
    parser.add_argument("--bom", type=Path, required=True, help="the `cyclonedx-py` to use")
    parser.add_argument("--npm", default="npm", help="the `npm` to use")
    arguments = parser.parse_args()
    dist: Path = arguments.dist.resolve()
    released = notes((ROOT / "CHANGELOG.md").read_text(), version())
    shutil.rmtree(dist, ignore_errors=True)
    dist.mkdir(parents=True)
    wheels(dist)
    for name, folder in members().items():
        if (folder / LOCK).exists():
            bill_of_materials(name, folder, dist, arguments.bom)
    contracts(dist)
    go_module(dist)
    npm_package(dist, arguments.npm)
    (dist / NOTES).write_text(released)
    checksums(dist)
    print(f"release: {len(list(dist.iterdir()))} files of {version()} in {dist}")


if __name__ == "__main__":
    main()
