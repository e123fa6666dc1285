"""`make conformance`: run the suite, and write the page."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.conformance.page import PAGE, page
from tests.conformance.suite import look, losses, standing


def main() -> int:
    """0 where nothing was lost."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder, standing(Path(folder)) as mesh:
        findings = look(mesh)
    PAGE.write_text(page(findings))
    lost = losses(findings)
    print(f"{PAGE}: {len(lost)} losses", *lost, sep="\n")
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
