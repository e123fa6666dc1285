"""What a plan may cost at most: computed here, from the registry's prices, never taken from the plan.

A quote is kept with its reservation: it is what attempts are charged by, and what the grant allows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from llm_mesh.policy.v1 import admission_pb2, errors_pb2
from llm_mesh_figures.money import MAX_AMOUNT, text
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.ledger.domain.offers import Offer, Tariff
from llm_mesh_policy.ledger.domain.plan_tree import PlannedAttempt
from llm_mesh_policy.ledger.domain.rates import FREE, Rates
from llm_mesh_policy.ledger.domain.units import COUNTED, NO_UNITS, Units
from llm_mesh_runtime.errors import invalid
from llm_mesh_runtime.resources import is_named

_MOST_TOKENS = 10**9
_MOST_CANDIDATES = 128
_DEFAULT_DATA_CLASS = "internal"
WITHOUT_OUTPUT = frozenset({"embed", "rerank", "moderate"})
"""Operations whose answers have no tokens that are billed."""
UNLIMITED = frozenset({"assess", "generate_image", "speak", "transcribe"})
"""Operations whose output tokens no request can limit."""


@dataclass(slots=True)  # frozen would triple what a line costs to make, and each request makes some
class QuoteLine:
    """One attempt: whom it calls, what it may use, what is held for it. Never changed."""

    id: str
    adapter: str
    endpoint: str
    upstream_model: str
    credential: str
    region: str
    model: str
    price: str
    payer: str
    input_tokens: int
    output_tokens: int
    candidates: int
    reserved: int
    rates: Rates
    strict: bool = False
    """An unfinished attempt is charged what is reserved."""
    reasons: bool = False
    """Its output may have reasoning that nobody sees."""
    speaks: bool = False
    """Its output may have sound, whose tokens cannot be counted."""
    units: Units = NO_UNITS
    """What else than tokens it may be billed for."""

    @property
    def hides_output(self) -> bool:
        """Whether its output may have tokens that cannot be counted in what arrives."""
        return self.reasons or self.speaks

    @property
    def all_output_tokens(self) -> int:
        """Over all choices."""
        return self.output_tokens * self.candidates

    def with_candidates(self, candidates: int) -> "QuoteLine":
        """The same attempt, asked for as many choices."""
        worst = self.rates.worst(self.input_tokens, self.output_tokens * candidates, self.units) if self.price else 0
        return replace(self, candidates=candidates, reserved=within_bounds(worst))


class Terms(NamedTuple):
    """What the registry says about the models of a plan."""

    offers: Mapping[str, Offer]
    tariffs: Mapping[str, Tariff]
    currency: str


class Admitted(NamedTuple):
    """What an admission says of attempts: within which bounds they stay, and who pays."""

    bounds: admission_pb2.Constraints
    operation: str
    domain: str
    project: str


def quote(attempts: Sequence[PlannedAttempt], admitted: Admitted, terms: Terms, candidates: int) -> tuple[QuoteLine, ...]:
    """One line per attempt. PLAN_NOT_ADMITTED where the plan differs from the admission, PRICE_UNKNOWN without a price."""
    if not 0 <= candidates <= _MOST_CANDIDATES:
        raise invalid("candidate_count", f"0 to {_MOST_CANDIDATES}")
    if admitted.operation in WITHOUT_OUTPUT:
        candidates = 1
    lines = tuple([_line(attempt, admitted, terms, candidates or 1) for attempt in attempts])
    if len(lines) > 1:
        within_bounds(sum([line.reserved for line in lines]))
    return lines


def within_bounds(worst: int) -> int:
    """A worst case that the ledger can hold; INVALID_FIELD where it is larger."""
    if worst > MAX_AMOUNT:
        raise invalid(
            "input.max_output_tokens", f"fewer tokens or choices: at its price the request may cost more than {text(MAX_AMOUNT, '')}"
        )
    return worst


def _line(attempt: PlannedAttempt, admitted: Admitted, terms: Terms, candidates: int) -> QuoteLine:
    adapter, endpoint, upstream_model, credential = attempt.target
    if not (adapter and endpoint and upstream_model and attempt.model):
        named = {"adapter": adapter, "endpoint": endpoint, "upstream_model": upstream_model, "model": attempt.model}
        raise invalid(f"plan.attempt[{attempt.id}].{next(name for name, value in named.items() if not value)}", "a value")
    offer = terms.offers.get(attempt.model)
    cap = admitted.bounds.max_output_tokens
    why = f"{admitted.domain} is not served by its model" if offer is None else _difference(attempt, admitted.bounds, cap, offer)
    if why is not None:  # the router decides among what policy admitted; here is where that is made sure
        raise _differs(attempt, why)
    if offer is not None and not offer.covers(terms.tariffs.get(attempt.price)):
        raise _differs(attempt, f"{attempt.price} is above the price that {admitted.domain} accepted")
    rates = _rates(attempt, offer, terms)
    inputs, outputs = _tokens(attempt, admitted.operation, cap, rates)
    units = _units(attempt)
    return QuoteLine(
        id=attempt.id,
        adapter=adapter,
        endpoint=endpoint,
        upstream_model=upstream_model,
        credential=credential,
        region=attempt.region,
        model=attempt.model,
        price=attempt.price,
        payer=_payer(attempt, admitted),
        input_tokens=inputs,
        output_tokens=outputs,
        candidates=candidates,
        reserved=within_bounds(rates.worst(inputs, outputs * candidates, units)) if attempt.price else 0,
        rates=rates,
        strict=admitted.bounds.strict_charging,
        reasons=offer is not None and offer.reasons,
        speaks=offer is not None and offer.speaks,
        units=units,
    )


def _difference(attempt: PlannedAttempt, bounds: admission_pb2.Constraints, cap: int, offer: Offer) -> str | None:
    """The first rule that an attempt breaks, as a sentence."""
    if attempt.target != offer.target:
        return "its target is not the registry's"
    if attempt.region not in {"", offer.region}:
        return "its region is not the registry's"
    if attempt.max_output_tokens > cap:
        return f"more than {cap} output tokens are not admitted"
    return _whereabouts(bounds, offer) or _admitted(attempt, bounds) or _callable(attempt, bounds, offer)


def _whereabouts(bounds: admission_pb2.Constraints, offer: Offer) -> str | None:
    """Why data of this kind must not go to a model's provider."""
    regions = bounds.regions
    if regions and offer.region not in regions:
        return f"its region {offer.region or '(unknown)'} is not admitted"
    for data_class in (bounds.data_class or _DEFAULT_DATA_CLASS, *bounds.further_data_classes[:]):
        if data_class not in offer.data_classes:
            return f"the model {offer.name} is not cleared for {data_class} data"
    if bounds.zero_retention and not offer.zero_retention:
        return f"the provider of {offer.name} keeps data"
    return None


def _admitted(attempt: PlannedAttempt, bounds: admission_pb2.Constraints) -> str | None:
    """Why an adapter or a model by its name is not among those that were admitted."""
    adapters, models, denied = bounds.allowed_adapters, bounds.allowed_models, bounds.denied_models
    if adapters and attempt.target.adapter not in adapters:
        return f"the adapter {attempt.target.adapter} is not admitted"
    if models and not is_named(models, attempt.model):
        return f"the model {attempt.model} is not admitted"
    if denied and is_named(
        denied, attempt.model, f"upstream:{attempt.target.adapter}/{attempt.target.endpoint}/{attempt.target.upstream_model}"
    ):
        return f"the model {attempt.model} is denied"
    return None


def _callable(attempt: PlannedAttempt, bounds: admission_pb2.Constraints, offer: Offer) -> str | None:
    """Why the endpoint, or the model by the lists of project and key, is not among those that were admitted."""
    endpoints, lists = bounds.allowed_endpoints, bounds.callable_models
    if endpoints and f"{attempt.target.adapter}/{attempt.target.endpoint}" not in endpoints:
        return f"the endpoint {attempt.target.adapter}/{attempt.target.endpoint} is not admitted"
    if lists and not all(is_named(listed.patterns, offer.name, offer.alias) for listed in lists):
        return f"the model {attempt.model} is not one that project and key allow"
    return None


def _rates(attempt: PlannedAttempt, offer: Offer | None, terms: Terms) -> Rates:
    if not attempt.price:
        if offer is None or not offer.free:
            raise _unpriced(attempt, "the plan names none and the model is not declared free")
        return FREE
    tariff = terms.tariffs.get(attempt.price)
    if tariff is None or not attempt.price.startswith(attempt.model + "/prices/"):
        raise _unpriced(attempt, f"{attempt.price} is not a price of it")
    if tariff.currency != terms.currency:
        raise _unpriced(attempt, f"{attempt.price} is in {tariff.currency}, the ledger in {terms.currency}")
    return tariff.rates


def _tokens(attempt: PlannedAttempt, operation: str, cap: int, rates: Rates) -> tuple[int, int]:
    inputs = attempt.max_input_tokens
    if not 0 <= inputs <= _MOST_TOKENS:
        raise invalid(f"plan.attempt[{attempt.id}].max_input_tokens", f"0 to {_MOST_TOKENS}")
    if inputs == 0 and rates.input > 0:
        raise invalid(f"plan.attempt[{attempt.id}].max_input_tokens", "an upper bound of the input, since the model has a price")
    if operation in WITHOUT_OUTPUT:
        return inputs, 0
    if operation in UNLIMITED:
        return inputs, _model_output(attempt, cap, rates)
    outputs = attempt.max_output_tokens or (min(attempt.model_output_limit, cap) if attempt.model_output_limit > 0 else cap)
    if not 0 < outputs <= _MOST_TOKENS:
        raise invalid(f"plan.attempt[{attempt.id}].max_output_tokens", f"1 to {_MOST_TOKENS}")
    return inputs, outputs


def _model_output(attempt: PlannedAttempt, cap: int, rates: Rates) -> int:
    """The output of an operation whose limit providers do not take: what the model itself can do at most bounds it."""
    bound = max(attempt.model_output_limit, attempt.max_output_tokens)
    if rates.prices_output and not attempt.model_output_limit:
        raise _differs(attempt, f"nothing bounds its output: the most output tokens of {attempt.model} are not known")
    return min(bound or cap, _MOST_TOKENS)


def _units(attempt: PlannedAttempt) -> Units:
    """What the plan says of other units than tokens, within what can be counted at all."""
    units = attempt.units
    if units is not NO_UNITS:
        for name in ("images", *COUNTED):
            if not 0 <= getattr(units, name) <= _MOST_TOKENS:
                raise invalid(f"plan.attempt[{attempt.id}].units.{name}", f"0 to {_MOST_TOKENS}")
    return units


def _payer(attempt: PlannedAttempt, admitted: Admitted) -> str:
    payer = attempt.charge_to or admitted.project
    if not payer.startswith(admitted.domain + "/projects/"):
        raise _differs(attempt, "it would be charged to another domain")
    return payer


def _differs(attempt: PlannedAttempt, why: str) -> PolicyError:
    return PolicyError(errors_pb2.ERROR_REASON_PLAN_NOT_ADMITTED, f"attempt {attempt.id}: {why}", attempt=attempt.id)


def _unpriced(attempt: PlannedAttempt, why: str) -> PolicyError:
    message = f"attempt {attempt.id}: no price for {attempt.model}: {why}"
    return PolicyError(errors_pb2.ERROR_REASON_PRICE_UNKNOWN, message, attempt=attempt.id, model=attempt.model)
