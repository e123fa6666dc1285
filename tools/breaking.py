"""Compares the contracts with the released ones: clients that exist must keep working.

`gen/released.binpb` is moved only at a tag. Until the first tag a break is allowed when a line of the section
"Unreleased" of protos/CHANGELOG.md that begins with `- Breaking:` names the file, or buf's rule where one decision
changed all files; afterwards nothing allows one.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CHANGELOG = ROOT / "protos/CHANGELOG.md"


def breaks(root: Path, against: Path) -> list[dict[str, str]]:
    """What buf finds between the contracts below a root and an image, one object per break."""
    command = [str(Path(sys.executable).parent / "buf"), "breaking", f"--against={against}", "--error-format=json"]
    result = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if result.returncode and not result.stdout:
        sys.exit(result.stderr)
    return [json.loads(line) for line in result.stdout.splitlines()]


def allowed(changelog: str) -> str:
    """The lines that admit a break; none once a version was released."""
    if re.search(r"^## \[?\d", changelog, re.MULTILINE):
        return ""
    return "\n".join(line for line in changelog.splitlines() if line.startswith("- Breaking:"))


def admits(admitted: str, item: dict[str, str]) -> bool:
    """Whether the changelog's lines name the file of a break, or its rule."""
    return item["path"].removeprefix("protos/") in admitted or bool(re.search(rf"\b{re.escape(item['type'])}\b", admitted))


def main() -> None:
    """Fail on every break that nothing allows."""
    admitted = allowed(CHANGELOG.read_text())
    broken = breaks(ROOT, ROOT / "gen/released.binpb")
    refused = [item for item in broken if not admits(admitted, item)]
    for item in refused:
        print(f"{item['path']}:{item.get('start_line', 0)}: {item['message']}")
    if refused:
        sys.exit("breaking: keep the contract, or before the first tag name the file in a line `- Breaking: …` of protos/CHANGELOG.md")
    print(f"breaking: none refused, {len(broken)} admitted by protos/CHANGELOG.md")


if __name__ == "__main__":
    main()
