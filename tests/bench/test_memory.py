"""Growth is judged by what a process allocates itself; files that it maps are others' too."""

from __future__ import annotations

import mmap
import os
from pathlib import Path

from bench.proc import allocated_mb

_MB = 1024 * 1024
_SIZE = 64 * _MB


def test_what_is_allocated_counts_and_what_is_mapped_from_a_file_does_not(tmp_path: Path) -> None:
    before = allocated_mb([os.getpid()])
    held = bytearray(b"x") * _SIZE
    grown = allocated_mb([os.getpid()]) - before
    assert _SIZE / _MB - 1 < grown < _SIZE / _MB * 1.5
    del held

    file = tmp_path / "mapped"
    file.write_bytes(bytes(_SIZE))
    before = allocated_mb([os.getpid()])
    with file.open("rb") as opened, mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert mapped.find(b"x") == -1  # so that every page of it is there
        assert allocated_mb([os.getpid()]) - before < 1
