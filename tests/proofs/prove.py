"""`make prove`: every proof with all its cases. Interrupted, it goes on where it was; done, it writes docs/evidence."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path

from tests.proofs import neighbours, start
from tests.proofs.evidence import ROOT, Progress, Tried, commit, page, write
from tests.proofs.failover import Failover
from tests.proofs.floors import Floors
from tests.proofs.gone import Gone
from tests.proofs.hostile_links import HostileLinks
from tests.proofs.killed import Killed
from tests.proofs.killed_batches import KilledBatches
from tests.proofs.killed_methods import KilledMethods
from tests.proofs.mutants import Mutants
from tests.proofs.proof import FIXED_SEED, FULL, Proof, rng_of
from tests.proofs.spending import Spending
from tests.proofs.topology import TOPOLOGIES, VARIABLE
from tests.proofs.workers import Workers

PROOFS: tuple[Proof, ...] = (
    Failover(),
    Floors(),
    Gone(),
    HostileLinks(),
    Killed(),
    KilledBatches(),
    KilledMethods(),
    Mutants(),
    Spending(),
    Workers(),
)
_EVERY_RPC = (
    "Every RPC, enumerated from the committed descriptors: PUBLIC ones refuse a missing, a garbled, a revoked and a foreign credential, "
    "MESH ones refuse every key, a platform administrator's too, and are absent from the public listener, embedded and alone."
)
_BAD_INPUT = (
    "Bad input gets its documented status, reason and field, over gRPC and HTTP alike, and charges nothing: ledger and provider's log stay "
    "as they were. No turn of an event loop uses more than 250 ms of the processor."
)
_ATTACKS = (
    "What one tenant, one template or one stranger tries against everybody, on a running mesh: embedded, with workers, and each service in "
    "a process of its own. What each test tries is told by its name."
)
_LLAMA = (
    "Through the mesh, OpenAI's SDK is served well by a model server that this project did not write: llama-cpp-python's, with a tiny "
    "model of random weights. Real tokens, usage, stop, log-probabilities, streams, cancellation. `make e2e-llama` makes the server's "
    "environment."
)
SUITES = {
    "every-rpc": ("tests/proofs/test_every_rpc.py", _EVERY_RPC),
    "attacks": ("tests/proofs/attacks", _ATTACKS),
    "bad-input": ("tests/proofs/test_bad_input.py", _BAD_INPUT),
    "e2e-llama": ("tests/e2e/llama/cases.py", _LLAMA),
}
_IN_EVERY_TOPOLOGY = {"attacks"}
_UNLESS_NAMED = {"e2e-llama"}
"""Wants an environment that takes minutes to compile."""
_AT_ONCE = 200
"""Cases on one stand: a new one now and then, so that a run does not depend on what has piled up."""


def prove(proof: Proof, seed: int) -> bool:
    """Try what has not been tried yet, and write the evidence."""
    progress = Progress(proof.name)
    begun, now = time.monotonic(), commit()
    done = {each.case for each in progress.tried}
    left = [case for case in proof.cases(full=True) if case not in done]
    if done:
        print(f"{proof.name}: {len(done)} cases were tried before, {len(left)} are left")
    while left:
        some, left = left[:_AT_ONCE], left[_AT_ONCE:]
        with tempfile.TemporaryDirectory(prefix="prove-") as folder, proof.stand(Path(folder), some) as stand:
            for case in some:
                try:
                    progress.note(Tried(case, now, dict(proof.show(stand, case, rng_of(seed, case)))))
                except Exception as error:  # noqa: BLE001 (whatever goes wrong refutes the case, and is told)
                    progress.note(Tried(case, now, {}, failure=f"{type(error).__name__}: {str(error)[:400]}"))
                    print(f"{proof.name}: {case} FAILED: {error}")
        print(f"{proof.name}: {len(progress.tried)} tried", flush=True)
    text = page(
        proof.name, proof.claim, progress.tried, seed=seed, seconds=time.monotonic() - begun, command=f"make prove PROOF={proof.name}"
    )
    failed = any(each.failure for each in progress.tried)
    print(f"{proof.name}: {'FAILED' if failed else 'shown'}, {write(proof.name, text)}")
    progress.forget()
    return not failed


def suite(name: str) -> bool:
    """Run tests, and write what they showed."""
    file, claim = SUITES[name]
    begun = time.monotonic()
    tried: list[Tried] = []
    held = True
    for where in TOPOLOGIES if name in _IN_EVERY_TOPOLOGY else ("",):
        code, some = _tested(file, where)
        tried += some
        held = held and code == 0
    text = page(name, claim, tried, seed=None, seconds=time.monotonic() - begun, command=f"make prove PROOF={name}")
    print(f"{name}: {'shown' if held else 'FAILED'}, {write(name, text)}")
    return held


def _tested(file: str, where: str) -> tuple[int, list[Tried]]:
    """Run tests in full, in a topology where one is named."""
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "--no-header", f"--junitxml={report}", "--timeout=0", file]
        env = {**os.environ, FULL: "1", **({VARIABLE: where} if where else {})}
        code = subprocess.run(command, cwd=ROOT, env=env, check=False).returncode
        cases = ET.parse(report).getroot().iter("testcase") if report.exists() else iter(())  # noqa: S314 (written by pytest just now)
        return code, [Tried(_case(case, where), commit(), {}, failure=_failure(case)) for case in cases]


def _case(case: ET.Element, where: str) -> str:
    name, _, parameter = case.get("name", "").partition("[")
    parameters = ", ".join(filter(None, (where, parameter.rstrip("]").replace("/", "."))))
    return f"{name}/{parameters}"


def _failure(case: ET.Element) -> str:
    found = case.find("failure") if case.find("failure") is not None else case.find("error")
    return "" if found is None else (found.get("message") or "failed").splitlines()[0][:400]


def main() -> int:
    """Prove everything, or what is named."""
    known: dict[str, Callable[[int], bool]] = {proof.name: lambda seed, proof=proof: prove(proof, seed) for proof in PROOFS}  # type: ignore[misc]
    known |= {name: lambda _seed, name=name: suite(name) for name in SUITES}  # type: ignore[misc]
    known[start.NAME] = lambda _seed: start.measure()
    known[neighbours.NAME] = lambda _seed: neighbours.measure(given.count)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("proof", nargs="*", help=f"which: {', '.join(known)}; without, all but {', '.join(_UNLESS_NAMED)}")
    parser.add_argument("--seed", type=int, default=FIXED_SEED, help="choices follow it")
    parser.add_argument("--restart", action="store_true", help="forget what an interrupted run has tried")
    parser.add_argument("--count", type=int, default=1, help="how often neighbours tries each attack")
    given = parser.parse_args()
    if unknown := [name for name in given.proof if name not in known]:
        parser.error(f"there is no proof {', '.join(unknown)}")
    wanted = given.proof or [name for name in known if name not in _UNLESS_NAMED]
    if given.restart:
        for name in wanted:
            Progress(name).forget()
    held = [known[name](given.seed) for name in wanted]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
