"""Builds the documentation as a site, strictly and offline: a broken link, or a page that loads something from elsewhere, fails.

python -m tools.pages --generator PATH/TO/zensical
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from pathlib import Path

from tools.pages.built import external_loads, publish_markdown
from tools.pages.navigation import ROOT, SiteError, read_site
from tools.pages.staging import stage

FOLDER = ROOT / "build" / "site"
_COLOUR = re.compile(r"\x1b\[[\d;]*m")


def build(generator: Path, root: Path, folder: Path) -> None:
    """Stage the pages, build them, add llms.txt, look at the result."""
    site = read_site(root)
    config = stage(site, root, folder)
    done = subprocess.run(
        [generator, "build", "--strict", "--clean", "-f", config], cwd=folder, text=True, capture_output=True, check=False
    )
    if done.returncode:
        raise SiteError(_COLOUR.sub("", done.stdout + done.stderr))
    publish_markdown(site, folder / "html")
    if external := list(external_loads(folder / "html")):
        raise SiteError("\n".join(["pages load from elsewhere:", *external]))


def main() -> None:
    """Build, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--generator", type=Path, required=True, help="the program zensical")
    try:
        build(parser.parse_args().generator.absolute(), ROOT, FOLDER)
    except SiteError as error:
        sys.exit(f"site: {error}")
    print(f"{(FOLDER / 'html').relative_to(ROOT)}/index.html")


if __name__ == "__main__":
    main()
