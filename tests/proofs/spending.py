"""Sixty-four clients spend from one budget at once: it is never overspent, and when they rest nothing is held."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from llm_mesh.policy.v1 import identity_pb2, rules_pb2, usage_pb2
from tests.proofs.load import Asked, chat_body, load
from tests.proofs.proof import Measures, words
from tests.proofs.stand import Stand, model, provider, request_of, route, stand, until
from tests.proofs.wires import ADAPTERS, model_at, settings_of_wires

_CLIENTS = 64
_EACH = 6
_DOMAIN = "domains/spenders"
PRINCIPAL = f"{_DOMAIN}/principals/many"
_ALIASES = ("spend-quick", "spend-paced", "spend-failing", "spend-moved", "spend-broken", *(f"spend-{adapter}" for adapter in ADAPTERS))


@dataclass
class Spending:
    """The claim."""

    name = "concurrent-spending"
    claim = (
        "64 clients spend from one budget at once, over every wire, with answers that come, stream, move on to a "
        "second target, fail and break off. Always "
        "spent + held ≤ amount; at rest nothing is held, and spent is the sum of the ledger's charges. Who is refused is told "
        "`budget_exceeded` (429, `x-should-retry: false`), reaches no provider and is charged nothing."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Twenty budgets, or one."""
        return [f"64-clients/{number:03}" for number in range(20 if full else 1)]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Stand]:
        """Each case has a project of its own."""
        del cases
        with provider(folder) as simulator, stand(folder, simulator, settings_of_wires(simulator)) as made:
            put_models(made)
            yield made

    def show(self, stand: Stand, case: str, rng: random.Random) -> Measures:
        """One budget, spent."""
        name = f"spend-{rng.getrandbits(64):x}"
        project = f"{_DOMAIN}/projects/{name}"
        stand.apply_policy(projects=[identity_pb2.Project(name=project)])
        amount = rng.randint(800_000, 2_400_000)
        stand.put_budget(amount, project)
        key = stand.new_key(project, PRINCIPAL).secret
        with _Watch(stand, project) as watch, load(stand, _CLIENTS, name, _question, rng, most=_CLIENTS * _EACH, key=key) as run:
            pass
        until(lambda: not stand.budget(project).held.nanos, "nothing is held at rest")
        budget = stand.budget(project)
        assert budget.amount.nanos == amount
        entries = {entry.request_id: entry for entry in stand.entries(parent=project)}
        assert budget.spent.nanos == sum(entry.charged.nanos for entry in entries.values()) <= amount
        assert not [entry for entry in entries.values() if entry.state == usage_pb2.RESERVATION_STATE_HELD]
        assert watch.most <= amount, f"spent and held {watch.most} of {amount}"
        refused = [each for each in run.asked if each.reply is not None and each.reply.code == "budget_exceeded"]
        _check_refusals(stand, refused, entries)
        answered = [each for each in run.asked if each.answered]
        assert answered, "the budget pays for some"
        assert {each.request for each in answered} <= entries.keys()
        return {
            "requests": len(run.asked),
            "answered": len(answered),
            "refused by the budget": len(refused),
            "most spent and held, % of the budget": round(100 * watch.most / amount, 1),
            "spent, % of the budget": round(100 * budget.spent.nanos / amount, 1),
        }


def put_models(made: Stand) -> None:
    """What is asked for."""
    models = [
        model("spend-quick", "sim-echo"),
        model("spend-paced", "sim-words/tokens:20/rate:400/ttft_ms:20"),
        model("spend-failing", "sim-echo/status:429/tokens:9"),
        model("spend-broken", "sim-echo/fault:mid-hangup/rate:900"),
        *(model_at(adapter, f"spend-{adapter}", "sim-echo") for adapter in ADAPTERS),
    ]
    made.put_models(models, [route("spend-moved", "spend-failing", "spend-quick")])
    binding = rules_pb2.Binding(name=f"{_DOMAIN}/bindings/many", principal=PRINCIPAL, role="roles/application")
    made.apply_policy(domains=[identity_pb2.Domain(name=_DOMAIN)], principals=[identity_pb2.Principal(name=PRINCIPAL)], bindings=[binding])


def _question(rng: random.Random) -> dict[str, Any]:
    most = rng.randint(10, 200)
    return chat_body(rng.choice(_ALIASES), words(rng, rng.randint(1, 40)), stream=rng.random() < 0.5, max_tokens=most)


def _check_refusals(stand: Stand, refused: Sequence[Asked], entries: dict[str, usage_pb2.LedgerEntry]) -> None:
    assert refused, "the budget ends before the requests do"
    reached = {request_of(line) for line in stand.provider.log(event="received")}
    for each in refused:
        assert each.reply is not None
        assert each.reply.status == 429
        assert each.reply.error["type"] == "insufficient_quota"
        assert each.reply.headers.get("x-should-retry") == "false"
        assert each.request not in reached, f"{each.request} was refused, and reached the provider"
        assert each.request not in entries, f"{each.request} was refused, and is in the ledger"


@dataclass
class _Watch:
    """Looks at the budget all the while."""

    stand: Stand
    project: str
    most: int = 0
    _ended: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        assert self._thread is not None
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(0.02):
            budget = self.stand.budget(self.project)
            self.most = max(self.most, budget.spent.nanos + budget.held.nanos)
