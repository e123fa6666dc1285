"""Takes the addresses of sponsors out of the lock beside it: no lock of this repository holds an address."""

from __future__ import annotations

import json
from pathlib import Path


def main() -> None:
    """In place."""
    path = Path(__file__).with_name("package-lock.json")
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
