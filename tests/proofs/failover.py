"""A provider that fails before the commit point is passed over; one that fails after it ends the answer, once and honestly."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from tests.proofs.load import chat_body
from tests.proofs.proof import Measures, words
from tests.proofs.stand import Stand, charge, model, provider, route, stand
from tests.proofs.wires import ADAPTERS, model_at, settings_of_wires, turns

BEFORE = {
    "refused": ("", "PROVIDER_UNREACHABLE"),
    "reset": ("fault:reset", "PROVIDER_RESET"),
    "hangup": ("fault:hangup", "PROVIDER_RESET"),
    "stalled": ("fault:stall", "PROVIDER_TIMEOUT"),
    "429": ("status:429", "PROVIDER_RATE_LIMITED"),
    "500": ("status:500", "PROVIDER_ERROR"),
    "html": ("fault:html", "PROVIDER_ERROR"),
    "malformed": ("fault:malformed/after:0", "PROVIDER_MALFORMED"),
    "200-then-stall": ("fault:ok-stall", "PROVIDER_TIMEOUT"),
}
AFTER = {
    "stalled": ("fault:mid-stall", "PROVIDER_TIMEOUT"),
    "reset": ("fault:mid-reset", "PROVIDER_RESET"),
    "hangup": ("fault:mid-hangup", "PROVIDER_RESET"),
    "error-event": ("fault:mid-error", ""),
    "truncated": ("fault:truncate", "PROVIDER_RESET"),
    "malformed": ("fault:malformed", "PROVIDER_MALFORMED"),
}
_SHARED_BY = 4
"""Cases that share an upstream model: fewer than the failures in a row that open its breaker, so that each case reaches the provider."""
_RELEASED = 3
_PHASE = 0.3


@dataclass
class Failover:
    """The claim."""

    name = "failover"
    claim = (
        "A provider that fails before the first content (connection refused, reset or closed, stalled, 429, 500, a proxy's error page, "
        "malformed JSON, 200 and then silence), over whichever wire, costs the caller nothing but time: the next "
        "target answers, streamed and not. After it the "
        "stream ends with a typed error, no byte is repeated, the next target is not asked, and the ledger has the receipt."
    )

    def cases(self, *, full: bool) -> Sequence[str]:
        """Sixteen of each kind over each wire, or one of each kind, over one wire after the other."""
        before = [f"before/{kind}/{way}" for kind in BEFORE for way in ("whole", "streamed")]
        after = [f"after/{kind}/streamed" for kind in AFTER]
        groups = list(enumerate((*before, *after)))
        if not full:
            return [f"{group}/{_wire(group, turns(number))}/000" for number, group in groups]
        wires = [f"{group}/{adapter}" for _, group in groups for adapter in dict.fromkeys(_wire(group, each) for each in ADAPTERS)]
        return [f"{wire}/{number:03}" for wire in wires for number in range(16)]

    @contextmanager
    def stand(self, folder: Path, cases: Sequence[str]) -> Iterator[Stand]:
        """A route per upstream model: the failing one first, a good one second."""
        with provider(folder) as simulator, stand(folder, simulator, settings_of_wires(simulator)) as made:
            failing = {_alias(case): _failing(case) for case in cases}
            routes = [route(alias, f"{alias}-first", "good", first_token=_PHASE, idle=_PHASE) for alias in failing]
            made.put_models([*failing.values(), model("good", "sim-echo")], routes)
            assert made.ask(chat_body("good", "hi")).status == 200  # the first call of a process opens what later ones use
            yield made

    def show(self, stand: Stand, case: str, rng: random.Random) -> Measures:
        """One request."""
        moment, kind, way, _, _ = case.split("/")
        request = f"{case.replace('/', '-')}-{rng.getrandbits(64):x}"
        said = words(rng, rng.randint(8, 40))
        answer = stand.ask(chat_body(_alias(case), said, stream=way == "streamed"), headers={"x-request-id": request})
        if moment == "before":
            return _passed_over(stand, request, kind, said, answer)
        return _interrupted(stand, request, kind, said, answer)


def _passed_over(stand: Stand, request: str, kind: str, said: str, answer: Any) -> Measures:
    assert answer.status == 200, answer.body
    assert answer.text == said
    asked = stand.provider.received(request)
    assert [line["model"] for line in asked][-1] == "sim-echo"
    assert len(asked) == (1 if kind == "refused" else 2), "the failing target was asked once"
    entry = stand.entry(request)
    assert entry.state == usage_pb2.RESERVATION_STATE_SETTLED
    first, second = entry.lines
    assert first.usage.error_reason == BEFORE[kind][1]
    assert first.usage.outcome in {usage_pb2.ATTEMPT_OUTCOME_FAILED, usage_pb2.ATTEMPT_OUTCOME_NOT_SENT}
    assert second.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_COMPLETED
    assert second.charge.nanos == charge(asked[-1]["usage"]["prompt"], asked[-1]["usage"]["completion"])
    assert entry.charged.nanos == first.charge.nanos + second.charge.nanos <= entry.reserved.nanos
    return {"moved on after, ms": first.usage.duration_us / 1000}


def _interrupted(stand: Stand, request: str, kind: str, said: str, answer: Any) -> Measures:
    assert answer.status == 200, answer.body
    failures = [event["error"] for event in answer.events() if "error" in event]
    assert [failure["code"] for failure in failures] == ["answer_interrupted"]
    assert b"[DONE]" not in answer.body
    content = [event["choices"][0]["delta"].get("content") for event in answer.events() if event.get("choices")]
    released = "".join(text or "" for text in content)
    assert released, "it broke off after content"
    assert said.startswith(released), "nothing is repeated, nothing is made up"
    assert len(released.split()) <= _RELEASED
    assert len(stand.provider.received(request)) == 1, "no other target was asked"
    entry = stand.entry(request)
    assert entry.state == usage_pb2.RESERVATION_STATE_SETTLED
    (line,) = entry.lines
    assert line.usage.outcome == usage_pb2.ATTEMPT_OUTCOME_INTERRUPTED
    assert AFTER[kind][1] in {"", line.usage.error_reason}, line.usage.error_reason
    assert 0 < entry.charged.nanos <= entry.reserved.nanos
    return {"released tokens": len(released.split())}


def _alias(case: str) -> str:
    moment, kind, way, adapter, number = case.split("/")
    return f"{moment}-{kind}-{way}-{adapter}-{int(number) // _SHARED_BY}"


def _wire(group: str, adapter: str) -> str:
    """Connections are refused below all wires: one shows it."""
    return "openai" if "/refused/" in group else adapter


def _failing(case: str) -> registry_pb2.Model:
    moment, kind, way, adapter, number = case.split("/")
    alias = _alias(case)
    if kind == "refused":
        return model(f"{alias}-first", alias, endpoint="nobody")
    script = (BEFORE if moment == "before" else AFTER)[kind][0]
    pace = "" if moment == "before" else f"/rate:{1000 if way == 'streamed' else 0}"
    distinct = 1000 + int(number) // _SHARED_BY + (500 if way == "streamed" else 0)  # an echo does not mind `tokens`; the id is another
    return model_at(adapter, f"{alias}-first", f"sim-echo/{script}{pace}/tokens:{distinct}")
