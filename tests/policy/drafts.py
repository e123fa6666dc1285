"""Reservations as tests ask the ledger for them, without admission and plan."""

from __future__ import annotations

from collections.abc import Sequence

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain.ports import ReservationDraft
from llm_mesh_policy.ledger.domain.quote import QuoteLine
from llm_mesh_policy.ledger.domain.rates import Rates
from llm_mesh_policy.ledger.domain.reservation import HELD, Reservation

DOMAIN = "domains/claims"
PROJECTS = (f"{DOMAIN}/projects/triage", f"{DOMAIN}/projects/letters", f"{DOMAIN}/projects/archive")
PRINCIPAL = f"{DOMAIN}/principals/app"
KEY = f"{PROJECTS[0]}/keys/k"
MODEL = "domains/shared/models/big"
_RATE = 10**9
RATES = Rates(_RATE, _RATE, _RATE, _RATE, _RATE, _RATE, _RATE, request=0)
LATER = 1 << 60


def attempt(name: str, tokens: int, payer: str) -> QuoteLine:
    quoted = QuoteLine(name, "openai", "openai", "big-1", "", "", MODEL, "p", payer, tokens, tokens, 1, 0, RATES)
    return quoted.with_candidates(1)


def draft(
    name: str,
    project: str = PROJECTS[0],
    lines: Sequence[QuoteLine] = (),
    *,
    expires: int = LATER,
    key: str = "",
    digest: bytes = b"d",
) -> ReservationDraft:
    lines = lines or (attempt("a", 10, project),)
    entry = usage_pb2.LedgerEntry(name=f"{project}/reservations/{name}", state=HELD, admission_id=f"admission-{name}")
    entry.reserved.currency, entry.reserved.nanos = "USD", sum(line.reserved for line in lines)
    made = Reservation(name, DOMAIN, project, KEY, PRINCIPAL, f"request-{name}", entry, tuple(lines))
    return ReservationDraft(made, "epoch", expires, key, digest)


def report(name: str, inputs: int, outputs: int) -> usage_pb2.UsageLine:
    return usage_pb2.UsageLine(
        attempt_id=name,
        outcome=usage_pb2.ATTEMPT_OUTCOME_COMPLETED,
        usage=generate_pb2.Usage(input_tokens=inputs, output_tokens=outputs),
        source=usage_pb2.USAGE_SOURCE_PROVIDER,
    )
