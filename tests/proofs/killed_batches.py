"""A batch whose mesh is killed again and again has each line answered and charged once, or a failure that tells the charge."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_mesh.policy.v1 import identity_pb2, usage_pb2
from tests.proofs.proof import Measures, words
from tests.proofs.stand import PROJECT, Provider, Stand, model, provider, request_of, stand, until

_MODEL = "batch-paced"
_PACED = "sim-words/tokens:20/rate:400/ttft_ms:20"
_ENVIRONMENT = {"LLM_MESH_BATCHES_AT_ONCE": "8", "LLM_MESH_BATCHES_PROJECT_AT_ONCE": "8"}
_LONGEST = 600.0


@dataclass(frozen=True)
class Ground:
    """What outlives the mesh."""

    folder: Path
    provider: Provider


@dataclass
class KilledBatches:
    """The claim."""

    name = "batches"
    claim = (
        "`kill -9` of the embedded process at random points of a batch, and further starts on the same data: each line has one result. "
        "It is an answer, or the failure `idempotency_completed` of a line whose answer was lost with the process. No line reached the "
        "provider twice or has two charges in the ledger, and the batch's own sum of charges is the ledger's. The project keeps answers."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """2,000 lines and fifty kills, or few lines and one."""
        return ["2000-lines/50-kills/000"] if full else ["40-lines/1-kills/000"]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Ground]:
        """A provider of its own process, and a data directory that all starts share."""
        del cases
        with provider(folder) as simulator:
            yield Ground(folder, simulator)

    def show(self, stand: Ground, case: str, rng: random.Random) -> Measures:
        """One batch."""
        lines, kills = (int(part.partition("-")[0]) for part in case.split("/")[:2])
        batch = ""
        for _ in range(kills):
            batch = _until_killed(stand, batch, lines, rng)
        with _mesh(stand) as made:
            return _checked(made, batch, lines) | {"kills": kills}


@contextmanager
def _mesh(ground: Ground) -> Iterator[Stand]:
    (ground.folder / "ready").unlink(missing_ok=True)
    with stand(ground.folder, ground.provider, _ENVIRONMENT) as made:
        yield made


def _until_killed(ground: Ground, batch: str, lines: int, rng: random.Random) -> str:
    with _mesh(ground) as made:
        if not batch:
            made.put_models([model(_MODEL, _PACED)])
            made.apply_policy(projects=[identity_pb2.Project(name=PROJECT, keep_answers=True)])
            batch = _begun(made, lines, rng)
        time.sleep(rng.uniform(0.0, 0.6))  # the moment of the kill is the point
        made.mesh.kill()
    return batch


def _begun(made: Stand, lines: int, rng: random.Random) -> str:
    content = b"\n".join(_line(number, words(rng, rng.randint(1, 20))) for number in range(lines))
    file = made.client().files.create(file=("lines.jsonl", content), purpose="batch")
    return made.client().batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h").id


def _line(number: int, said: str) -> bytes:
    body = {"model": _MODEL, "max_tokens": 40, "messages": [{"role": "user", "content": said}]}
    return json.dumps({"custom_id": f"line-{number}", "method": "POST", "url": "/v1/chat/completions", "body": body}).encode()


def _checked(made: Stand, batch: str, lines: int) -> dict[str, float]:
    """Whether each line has its one result and its one charge; what there is."""
    client = made.client()
    until(lambda: client.batches.retrieve(batch).completed_at, "the batch ends", time_limit=_LONGEST, pause=0.1)
    until(lambda: not made.entries(state=usage_pb2.RESERVATION_STATE_HELD), "nothing is held any more")
    ended = client.batches.retrieve(batch)
    results = [
        json.loads(line)
        for name in (ended.output_file_id, ended.error_file_id)
        if name is not None
        for line in client.files.content(name).text.splitlines()
    ]
    assert Counter(each["custom_id"] for each in results) == Counter(f"line-{number}" for number in range(lines))
    failed = [each["response"]["body"]["error"] for each in results if each["response"]["status_code"] != 200]
    assert {each["code"] for each in failed} <= {"idempotency_completed"}, failed
    prefix = batch.replace("batch_", "batch-")
    entries = [entry for entry in made.entries() if entry.request_id.startswith(prefix)]
    charged = Counter(entry.request_id for entry in entries if entry.charged.nanos)
    assert sorted(charged) == sorted(f"{prefix}-{number}" for number in range(1, lines + 1))
    assert set(charged.values()) == {1}, "one charge per line"
    received = Counter(request_of(each) for each in made.provider.log(event="received") if request_of(each).startswith(prefix))
    assert max(received.values()) == 1, "no line reached the provider twice"
    usage: Any = ended.usage
    total = round(float(usage.llm_mesh["charged"]["USD"]) * 1e9)
    assert total == sum(entry.charged.nanos for entry in entries), "the batch's sum is the ledger's"
    return {"lines": lines, "answered": lines - len(failed), "lost with their charge": len(failed)}
