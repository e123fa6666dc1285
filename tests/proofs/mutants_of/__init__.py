"""The guards against the attacks, by topic: what takes each one out, and the test that goes red then."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.proofs.mutant import Mutant
from tests.proofs.mutants_of.batches import BATCHES
from tests.proofs.mutants_of.budgets import BUDGETS
from tests.proofs.mutants_of.charging import CHARGING
from tests.proofs.mutants_of.commands import COMMANDS
from tests.proofs.mutants_of.consent import CONSENT
from tests.proofs.mutants_of.executing import EXECUTING
from tests.proofs.mutants_of.failures import FAILURES
from tests.proofs.mutants_of.floor import FLOOR
from tests.proofs.mutants_of.forms import FORMS
from tests.proofs.mutants_of.google import GOOGLE
from tests.proofs.mutants_of.holes import HOLES
from tests.proofs.mutants_of.offers import OFFERS
from tests.proofs.mutants_of.one_address import ONE_ADDRESS
from tests.proofs.mutants_of.other_meshes import OTHER_MESHES
from tests.proofs.mutants_of.overload import OVERLOAD
from tests.proofs.mutants_of.provider_answers import PROVIDER_ANSWERS
from tests.proofs.mutants_of.replay import REPLAY
from tests.proofs.mutants_of.requests import REQUESTS
from tests.proofs.mutants_of.reserving import RESERVING
from tests.proofs.mutants_of.rules import RULES
from tests.proofs.mutants_of.scale import SCALE
from tests.proofs.mutants_of.screening import SCREENING
from tests.proofs.mutants_of.serving import SERVING
from tests.proofs.mutants_of.stored import STORED
from tests.proofs.mutants_of.templates import TEMPLATES
from tests.proofs.mutants_of.vectors import VECTORS
from tests.proofs.mutants_of.watching import WATCHING
from tests.proofs.mutants_of.why import WHY

TOPICS: Sequence[Mapping[str, Mutant]] = (
    BATCHES,
    BUDGETS,
    CHARGING,
    COMMANDS,
    CONSENT,
    EXECUTING,
    FAILURES,
    FLOOR,
    FORMS,
    GOOGLE,
    HOLES,
    OFFERS,
    ONE_ADDRESS,
    OTHER_MESHES,
    OVERLOAD,
    PROVIDER_ANSWERS,
    REPLAY,
    REQUESTS,
    RESERVING,
    RULES,
    SCALE,
    SCREENING,
    SERVING,
    STORED,
    TEMPLATES,
    VECTORS,
    WATCHING,
    WHY,
)
"""A guard stands in one of them."""

MUTANTS: Mapping[str, Mutant] = {guard: mutant for topic in TOPICS for guard, mutant in topic.items()}
