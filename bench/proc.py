"""What the kernel knows of processes: CPU by thread in nanoseconds, memory that is their own, children."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

_PROC = Path("/proc")
_NANOS = 1e9
_KIB_PER_MB = 1024


def thread_seconds(pid: int) -> dict[int, float]:
    """CPU so far by thread id; threads that ended are not in it."""
    usage = {}
    for task in (_PROC / str(pid) / "task").iterdir():
        try:
            usage[int(task.name)] = int((task / "schedstat").read_text().split()[0]) / _NANOS
        except OSError:  # it ended meanwhile
            continue
    return usage


def thread_name(pid: int, thread: int) -> str:
    """What the kernel calls it; Python gives its threads no names there."""
    try:
        return (_PROC / str(pid) / "task" / str(thread) / "comm").read_text().strip()
    except OSError:
        return "ended"


def tree(pid: int) -> list[int]:
    """The process and all that it started."""
    parents: dict[int, list[int]] = {}
    for folder in _PROC.iterdir():
        if folder.name.isdigit():
            try:
                parent = int((folder / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            except OSError:
                continue
            parents.setdefault(parent, []).append(int(folder.name))
    pids = [pid]
    for each in pids:
        pids += parents.get(each, [])
    return pids


def memory_mb(pids: Iterable[int]) -> float:
    """The memory that is their own, and their share of what others use too (PSS)."""
    return sum(_rollup_kib(pid, "Pss:") for pid in pids) / _KIB_PER_MB


def allocated_mb(pids: Iterable[int]) -> float:
    """What they have allocated. Without files and libraries, whose share moves by megabytes as other processes use them too or end."""
    return sum(_rollup_kib(pid, "Pss_Anon:") for pid in pids) / _KIB_PER_MB


def _rollup_kib(pid: int, name: str) -> int:
    rollup = (_PROC / str(pid) / "smaps_rollup").read_text()
    return int(next(line.split()[1] for line in rollup.splitlines() if line.startswith(name)))
