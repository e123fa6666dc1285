"""What operators set for policy."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from llm_mesh_runtime.resources import Quotas
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.service_secret import weakness
from llm_mesh_runtime.settings import setting

_TOKEN_CHARACTERS = 24


def _token(token: Secret) -> str:
    text = token.reveal()
    weak = text and not (text.startswith("mb_") and text.isascii() and len(text) >= _TOKEN_CHARACTERS)
    return f"expected `mb_` and at least {_TOKEN_CHARACTERS - 3} random characters" if weak else ""


def _projects_without_budget(value: str) -> str:
    return "" if value in {"unlimited", "refused"} else "expected `unlimited` or `refused`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Settings of policy."""

    database_url: Secret = setting(
        default=Secret(""),
        help="Where keys, rules and the ledger are kept, such as postgresql://…; embedded: a file in the data directory.",
    )
    key_pepper: Secret = setting(
        default=Secret(""),
        help="Secret that keys are hashed with, not in the database, the same for all instances. Embedded: a file in the data directory.",
        check=weakness,
    )
    bootstrap_token: Secret = setting(
        default=Secret(""), help="One-time token (`mb_…`) by which the first administrator is made. Empty: none can be.", check=_token
    )
    refresh: timedelta = setting(
        default=timedelta(milliseconds=250),
        help="How often an instance looks for changes that another instance made.",
        minimum=0.01,
        maximum=0.5,
    )
    staleness: timedelta = setting(
        default=timedelta(seconds=2),
        help="How long decisions are made from memory while the store does not answer; then they are refused as UNAVAILABLE.",
        minimum=0.5,
        maximum=10,
    )
    most_domains: int = setting(default=10_000, help="How many domains there may be.", minimum=1, maximum=100_000)
    most_projects: int = setting(default=1_000, help="How many projects a domain may have.", minimum=1, maximum=100_000)
    most_principals: int = setting(default=10_000, help="How many principals a domain may have.", minimum=1, maximum=100_000)
    most_keys: int = setting(default=10_000, help="How many keys a domain may have; revoked ones do not count.", minimum=1, maximum=100_000)
    most_roles: int = setting(default=1_000, help="How many roles of its own a domain may have.", minimum=1, maximum=10_000)
    most_bindings: int = setting(default=20_000, help="How many bindings a domain may have.", minimum=1, maximum=200_000)
    most_principal_bindings: int = setting(
        default=100, help="How many bindings one principal may have; each is looked at when a decision is new.", minimum=10, maximum=1_000
    )
    most_budgets: int = setting(
        default=10_000, help="How many budgets the projects of a domain, or the platform, may have.", minimum=1, maximum=100_000
    )
    most_limits: int = setting(default=1_000, help="How many limits a domain may have.", minimum=1, maximum=100_000)
    # The ledger's.
    default_output_tokens: int = setting(
        default=4096, help="Most output tokens per choice of a request that names no limit, where its project says nothing.", minimum=1
    )
    most_output_tokens: int = setting(
        default=131072, help="Most output tokens per choice that a request may name, where its project says nothing.", minimum=1
    )
    grant_valid_for: timedelta = setting(
        default=timedelta(minutes=10), help="How long after `Reserve` an attempt of its plan may start.", minimum=1, maximum=3600
    )
    projects_without_budget: str = setting(
        default="unlimited",
        help="What a project may spend that no budget binds: `unlimited`, or `refused`, which serves it free models only.",
        check=_projects_without_budget,
    )
    output_speed: float = setting(
        default=100,
        help="Output tokens per second that a model is taken to produce while nothing is measured; unfinished requests are charged by it.",
        minimum=1,
        maximum=100_000,
    )
    kept_answers_for: timedelta = setting(
        default=timedelta(hours=24),
        help="How long the answer to a request with an idempotency key is kept to be repeated, where its project keeps answers.",
        minimum=60,
        maximum=86_400,
    )
    kept_answer_bytes: int = setting(
        default=1024 * 1024,
        help="Largest answer that is kept to be repeated, in bytes; a streamed one takes about ten times its text.",
        minimum=1024,
        maximum=16 * 1024 * 1024,
    )
    kept_answers_project_bytes: int = setting(
        default=256 * 1024 * 1024,
        help="How much the kept answers of one project may take together, in bytes; beyond it no further ones are kept.",
        minimum=1024 * 1024,
        maximum=64 * 1024**3,
    )
    meter_check_every: timedelta = setting(
        default=timedelta(hours=1),
        help="How often budgets and limits are compared with the sums of their ledger entries.",
        minimum=1,
        maximum=86_400,
    )
    meter_check_entries: int = setting(
        default=1_000_000,
        help="Most entries that are added up for one budget or limit; one with more is not compared, which a metric counts.",
        minimum=1000,
        maximum=100_000_000,
    )
    screening: tuple[str, ...] = setting(
        default=("private_key=mask",),
        help="What screening does: DETECTOR=log|mask|block for all, domains/NAME:DETECTOR=… for one domain, where stricter. "
        "`undecodable`: what nobody can read, such as pictures, sound, references to files, sealed reasoning, token ids.",
    )
    screened_json_values: int = setting(
        default=400_000,
        help="Values in all JSON of one request (arguments, schemas, extras) that are screened one by one; with more it is refused.",
        minimum=1_000,
        maximum=4_000_000,
    )
    screen_output: bool = setting(default=False, help="Whether answers are screened too, which delays streams by a word or so.")

    @property
    def quotas(self) -> Quotas:
        """How many resources of each kind there may be. Each domain may have one floor, and there is one for all of them."""
        collections = ("domains", "projects", "principals", "keys", "roles", "bindings", "principal_bindings", "budgets", "limits")
        return Quotas("policy", {name: getattr(self, f"most_{name}") for name in collections} | {"floors": self.most_domains + 1})
