"""Installs a lock: by uv, which takes seconds; where it cannot, by pip, which takes minutes and has settings of its own.

python tools/installing.py LOCK PIP-ARGUMENT…    installs LOCK; where pip does it, with a line at each fifth and each new step
"""

from __future__ import annotations

import re
import subprocess
import sys
import threading
import time
from pathlib import Path

_LOOK = 1.0
_LONGEST_SILENCE = 30.0
_PARTS = 5
_PIN = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._-]*(?:\[[^\]]*\])?==", re.MULTILINE)
_TOOLS = Path(__file__).parent / "requirements.lock"
"""Has the pinned uv."""
_PIP = (sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--require-hashes")
_STEP = re.compile(r"(Collecting|Requirement already satisfied:|Installing collected packages)")


class Progress:
    """Counts what pip has looked at, and says so now and then; also while pip says nothing."""

    def __init__(self, lock: Path) -> None:
        self.total = len(_PIN.findall(lock.read_text(encoding="utf-8")))
        self.seen = 0
        self.stage = "collecting"
        self._begun = time.monotonic()
        self._ended = threading.Event()

    def read(self, line: str) -> None:
        """One line of pip's."""
        step = _STEP.match(line)
        if step is None:
            return
        if step[1].startswith("Installing"):
            self.stage = "installing"
            return
        self.seen += 1

    def text(self) -> str:
        """How far it is."""
        seconds = time.monotonic() - self._begun
        how = f"{self.seen} of {self.total} packages collected" if self.stage == "collecting" else f"installing {self.total} packages"
        return f"  {how} ({seconds:.0f} s)"

    def tell(self) -> None:
        """Say it whenever a fifth more is collected or a step begins, and when nothing was said for long, until the end."""
        before, last = self.step, time.monotonic()
        while not self._ended.wait(_LOOK):
            now = time.monotonic()
            if self.step != before or now - last >= _LONGEST_SILENCE:
                before, last = self.step, now
                print(self.text(), flush=True)

    @property
    def step(self) -> tuple[str, int]:
        """Which fifth of which stage: told once."""
        return self.stage, self.seen * _PARTS // max(self.total, 1)

    def end(self) -> None:
        """Stop saying it."""
        self._ended.set()


def by_uv(lock: Path) -> bool:
    """Whether uv installed the lock. It knows neither pip's settings nor the indexes that they name."""
    fetched = subprocess.run([*_PIP, "--quiet", "--requirement", str(_TOOLS)], check=False)
    if fetched.returncode:
        return False
    command = [sys.executable, "-m", "uv", "pip", "install", "--python", sys.executable, "--require-hashes", "--requirement", str(lock)]
    done = subprocess.run([*command, "--quiet"], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"uv could not install them, so pip does:\n{done.stderr}", flush=True)
    return not done.returncode


def by_pip(lock: Path, arguments: list[str]) -> int:
    """Install, and answer with pip's exit code."""
    progress = Progress(lock)
    teller = threading.Thread(target=progress.tell, daemon=True)
    teller.start()
    with subprocess.Popen(
        [*_PIP, "--progress-bar", "off", *arguments, "--requirement", str(lock)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        lines = []
        for line in process.stdout or ():
            progress.read(line)
            lines.append(line)
    progress.end()
    if process.returncode:
        sys.stderr.write("".join(lines[-40:]))
    return process.returncode


def main() -> int:
    """Install, and answer with an exit code."""
    lock, arguments = Path(sys.argv[1]), sys.argv[2:]
    print(f"Installing {len(_PIN.findall(lock.read_text(encoding='utf-8')))} pinned packages.", flush=True)
    return 0 if not arguments and by_uv(lock) else by_pip(lock, arguments)


if __name__ == "__main__":
    raise SystemExit(main())
