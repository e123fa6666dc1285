"""Guards are taken out one by one, and a test must go red for each: what shows that the tests can fail.

A mutant is one change of one file of the services. It is made in a copy, which the interpreter finds before the installed services.
"""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.evidence import ROOT
from tests.proofs.mutants_of import MUTANTS
from tests.proofs.proof import Measures, group_of

_SERVICES = ROOT / "services"
_RED = 1
"""What pytest ends with where a test has failed. Ended by a signal, it used all memory that it may; anything else is no verdict."""
_MEMORY = 8 << 30
_SECONDS = 600


@dataclass(frozen=True)
class Copy:
    """A copy of the services, in which one file at a time is changed."""

    folder: Path

    def run(self, tests: Sequence[str]) -> subprocess.CompletedProcess[str]:
        """Run tests of the repository against the copy."""
        packages = sorted({str(init.parent.parent) for init in self.folder.glob("**/llm_mesh_*/__init__.py")})
        command = [sys.executable, "-m", "pytest", "-q", "-x", "--no-header", "-p", "no:cacheprovider", *tests]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(packages), "PYTHONDONTWRITEBYTECODE": "1"}
        limited = ["prlimit", f"--as={_MEMORY}", "--", *command]
        return subprocess.run(limited, cwd=ROOT, env=env, capture_output=True, text=True, timeout=_SECONDS, check=False)

    @contextmanager
    def without(self, guard: str) -> Iterator[None]:
        """The copy without a guard."""
        mutant = MUTANTS[guard]
        file = self.folder / mutant.file
        text = file.read_text(encoding="utf-8")
        assert text.count(mutant.guard) == 1, f"{guard}: {mutant.file} must hold the guard's text once"
        file.write_text(text.replace(mutant.guard, mutant.instead), encoding="utf-8")
        try:
            yield
        finally:
            file.write_text(text, encoding="utf-8")


class Mutants:
    """The claim."""

    name = "mutants"
    claim = (
        "Each guard against the attacks has a test that goes red when the guard is taken out. The guards, the changes that take them out "
        "and the tests stand in `tests/proofs/mutants_of/`."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Every guard once."""
        del full
        return [f"{guard}/0" for guard in MUTANTS]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Copy]:
        """A copy of the services."""
        del cases
        target = folder / "services"
        shutil.copytree(_SERVICES, target, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        yield Copy(target)

    def show(self, stand: Copy, case: str, rng: random.Random) -> Measures:
        """Take one guard out."""
        del rng
        guard = group_of(case)
        with stand.without(guard):
            done = stand.run([MUTANTS[guard].test])
        assert done.returncode == _RED or done.returncode < 0, (
            f"{guard}: {MUTANTS[guard].test} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-500:]}"
        )
        return {}
