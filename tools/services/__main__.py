"""Writes what services are, from their declarations, wherever it is repeated; or checks that what is committed is fresh.

python -m tools.services [--check] [--list]
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tools.services import module
from tools.services.declaration import ROOT, DeclarationError, declarations
from tools.services.places import places


def texts(root: Path = ROOT) -> dict[Path, str]:
    """Each file that repeats the declarations, as it should be."""
    declared = declarations(root)
    fresh = {root / "gen" / module.PATH: module.module(declared, root / "protos")}
    for place in places(declared, root):
        path = root / place.file
        fresh[path] = place.applied(fresh.get(path) or path.read_text(encoding="utf-8"))
    return fresh


def stale(fresh: dict[Path, str]) -> list[Path]:
    """Those files that are not as they should be."""
    return [path for path, text in fresh.items() if not path.exists() or path.read_text(encoding="utf-8") != text]


def main() -> None:
    """Write, or with --check compare only."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; fail where a file is not fresh")
    parser.add_argument("--list", action="store_true", help="print the places that are written")
    arguments = parser.parse_args()
    try:
        fresh = texts()
    except (DeclarationError, LookupError) as error:
        sys.exit(f"services: {error}")
    changed = [path.relative_to(ROOT).as_posix() for path in stale(fresh)]
    if arguments.check and changed:
        sys.exit(f"services: not fresh, run `make services`: {', '.join(changed)}")
    for name in changed:
        (ROOT / name).write_text(fresh[ROOT / name], encoding="utf-8")
    if arguments.list:
        print(f"gen/{module.PATH}", *(f"{place.file}: {place[1]}" for place in places(declarations())), sep="\n")
    print(f"services: {len(fresh)} files, {len(changed)} changed")


if __name__ == "__main__":
    main()
