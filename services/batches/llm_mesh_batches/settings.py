"""What operators set for batches."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service_secret import weakness
from llm_mesh_runtime.settings import setting

_MIB = 1024 * 1024
_DAY = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of batches."""

    database_url: Secret = setting(
        default=Secret(""), help="Where files and batches are kept, such as postgresql://…; embedded: a file in the data directory."
    )
    sealing_key: Secret = setting(
        default=Secret(""),
        help="Secret that content is encrypted and ids are signed with, not in the database, the same for all instances. Embedded: a file "
        "in the data directory.",
        check=weakness,
    )
    file_bytes: int = setting(default=200 * _MIB, help="Bytes that a file may have.", minimum=1024, maximum=1024 * _MIB)
    line_bytes: int = setting(default=8 * _MIB, help="Bytes that one line of a batch may have.", minimum=1024, maximum=30 * _MIB)
    project_bytes: int = setting(
        default=2048 * _MIB,
        help="Bytes of files, lines and results of a project above which it can store nothing more. Results of lines are always stored.",
        minimum=1024,
    )
    most_files: int = setting(default=1_000, help="How many uploaded files a project may have.", minimum=1, maximum=100_000)
    most_batches: int = setting(default=100, help="How many batches of a project may be under way.", minimum=1, maximum=10_000)
    most_lines: int = setting(default=50_000, help="How many lines a batch may have.", minimum=1, maximum=100_000)
    keep_files: timedelta = setting(
        default=timedelta(days=30), help="How long an uploaded file is kept at most.", minimum=3600, maximum=365 * _DAY
    )
    keep_results: timedelta = setting(
        default=timedelta(days=29), help="How long a batch and its results are kept after its end.", minimum=60, maximum=365 * _DAY
    )
    window: timedelta = setting(
        default=timedelta(hours=24), help="How long after its creation lines of a batch begin.", minimum=1, maximum=_DAY
    )
    at_once: int = setting(
        default=8, help="Lines that this instance has under way at once, shared fairly between projects.", minimum=1, maximum=1_000
    )
    project_at_once: int = setting(
        default=4, help="Lines of one project that this instance has under way at once.", minimum=1, maximum=1_000
    )
    attempts: int = setting(
        default=5,
        help="How often a line is tried that a provider fails without a charge. While limits or load refuse it, it waits without counting.",
        minimum=1,
        maximum=100,
    )
    line_deadline: timedelta = setting(default=timedelta(seconds=600), help="How long one line may take.", minimum=1, maximum=3600)
    lease: timedelta = setting(
        default=timedelta(seconds=30),
        help="After how long without a sign of life the lines of an instance are another's. Embedded: at once on restart.",
        minimum=0.5,
        maximum=600,
    )

    def __post_init__(self) -> None:
        """Refuses lines that no file could have."""
        if self.line_bytes > self.file_bytes:
            raise ValueError("line_bytes must be at most file_bytes")

    @property
    def quotas(self) -> Quotas:
        """How many resources of each kind a project may have."""
        return Quotas("batches", {"files": self.most_files, "batches": self.most_batches, "lines": self.most_lines})
