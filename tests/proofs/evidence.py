"""What a proof leaves behind: progress while it runs, a page of evidence when it is done."""

from __future__ import annotations

import json
import platform
import statistics
import subprocess
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tests.proofs.proof import group_of

ROOT = Path(__file__).resolve().parents[2]
EVIDENCE = ROOT / "docs" / "evidence"
_PROGRESS = ROOT / "build" / "prove"
_LIBRARIES = ("grpcio", "protobuf", "sqlalchemy", "httptools", "openai")
_MOST_FAILURES = 20


@dataclass(frozen=True)
class Tried:
    """One case that was tried."""

    case: str
    commit: str
    measures: Mapping[str, float]
    failure: str = ""


class Progress:
    """What was tried so far, in a file, so that an interrupted run goes on."""

    def __init__(self, name: str) -> None:
        self._path = _PROGRESS / f"{name}.jsonl"
        lines = self._path.read_text().splitlines() if self._path.exists() else []
        self.tried = [Tried(**json.loads(line)) for line in lines]

    def note(self, tried: Tried) -> None:
        """One more."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._path.open("a") as written:
            written.write(json.dumps(vars(tried)) + "\n")
        self.tried.append(tried)

    def forget(self) -> None:
        """Begin anew."""
        self._path.unlink(missing_ok=True)
        self.tried.clear()


def commit() -> str:
    """The commit, and whether the services differ from it."""
    head = _git("rev-parse", "--short=10", "HEAD")
    return head + (" + uncommitted changes" if _git("status", "--porcelain", "--", "services", "gen", "protos") else "")


def page(title: str, claim: str, tried: Sequence[Tried], *, seed: int | None, seconds: float, command: str) -> str:
    """The evidence, as Markdown."""
    failed = [each for each in tried if each.failure]
    held = f"**{len(tried) - len(failed)} of {len(tried)} cases show it.**"
    groups: defaultdict[str, list[Tried]] = defaultdict(list)
    for each in tried:
        groups[group_of(each.case)].append(each)
    lines = [f"# {title}", "", claim, "", held, "", *conditions({each.commit for each in tried}, seconds, command, seed), ""]
    names = list(dict.fromkeys(name for each in tried for name in each.measures))
    lines += [_row("case", "tried", "held", *names), _row("---", "---:", "---:", *("---" for _ in names))]
    lines += [
        _row(f"`{group}`", len(some), sum(not each.failure for each in some), *(_range(some, name) for name in names))
        for group, some in groups.items()
    ]
    if names:
        lines += ["", "Measures: least / median / most of a group."]
    if failed:
        lines += ["", "## What failed", "", *(f"- `{each.case}`: {each.failure}" for each in failed[:_MOST_FAILURES])]
    return "\n".join(lines) + "\n"


def conditions(commits: set[str], seconds: float, command: str, seed: int | None = None) -> list[str]:
    """When, of what, on what."""
    rows = {
        "date": time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime()),
        "commit": ", ".join(sorted(commits)),
        "command": f"`{command}`",
        "machine": f"{_processor()}, {platform.system()} {platform.release()}",
        "versions": f"Python {platform.python_version()}, " + ", ".join(f"{name} {version(name)}" for name in _LIBRARIES),
        "took": f"{seconds:.0f} s",
    } | ({} if seed is None else {"seed": str(seed)})
    return ["| | |", "|---|---|", *(_row(name, value) for name, value in rows.items())]


def write(name: str, text: str) -> Path:
    """Put the page where it belongs."""
    EVIDENCE.mkdir(parents=True, exist_ok=True)
    path = EVIDENCE / f"{name}.md"
    path.write_text(text)
    return path


def _range(tried: Sequence[Tried], name: str) -> str:
    values = [each.measures[name] for each in tried if name in each.measures]
    if not values:
        return ""
    return " / ".join(f"{value:.4g}" for value in (min(values), statistics.median(values), max(values)))


def _row(*cells: Any) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def _processor() -> str:
    facts = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in facts if line.startswith("model name")]
    return f"{len(names)} of {names[0]}" if names else platform.processor()


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout.strip()
