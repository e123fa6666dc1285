"""What a plan may cost at most: computed here, from the registry's prices, never taken from the plan.

A quote is kept with its reservation: it is what attempts are charged by, and what the grant allows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from llm_mesh.policy.v1 import admission_pb2, errors_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_policy.domain.errors import PolicyError
from llm_mesh_policy.domain.ledger.rates import FREE, Rates
from llm_mesh_runtime.errors import invalid

_MOST_TOKENS = 10**9
_MOST_CANDIDATES = 128
_DEFAULT_DATA_CLASS = "internal"
_DEFAULT_CLEARANCE = ("public", "internal")


@dataclass(slots=True)  # frozen would triple what a line costs to make, and each request makes some
class Line:
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

    @property
    def all_output_tokens(self) -> int:
        """Over all choices."""
        return self.output_tokens * self.candidates

    def with_candidates(self, candidates: int) -> "Line":
        """The same attempt, asked for as many choices."""
        worst = self.rates.worst(self.input_tokens, self.output_tokens * candidates) if self.price else 0
        return replace(self, candidates=candidates, reserved=worst)


class Terms(NamedTuple):
    """What the registry says about the models of a plan."""

    models: Mapping[str, registry_pb2.Model]
    prices: Mapping[str, registry_pb2.Price]
    currency: str
    rates: Callable[[registry_pb2.Price], Rates] = Rates.of


def quote(attempts: Sequence[plan_pb2.Attempt], admission: admission_pb2.Admission, terms: Terms, candidates: int) -> tuple[Line, ...]:
    """One line per attempt. PLAN_NOT_ADMITTED where the plan differs from the admission, PRICE_UNKNOWN without a price."""
    if not 0 <= candidates <= _MOST_CANDIDATES:
        raise invalid("candidate_count", f"0 to {_MOST_CANDIDATES}")
    return tuple([_line(attempt, admission, terms, candidates or 1) for attempt in attempts])


def _line(attempt: plan_pb2.Attempt, admission: admission_pb2.Admission, terms: Terms, candidates: int) -> Line:
    if not (attempt.adapter and attempt.endpoint and attempt.upstream_model and attempt.model):
        field = next(name for name in ("adapter", "endpoint", "upstream_model", "model") if not getattr(attempt, name))
        raise invalid(f"plan.attempt[{attempt.id}].{field}", "a value")
    model = terms.models.get(attempt.model)
    _agrees(attempt, admission.constraints, model)
    rates = _rates(attempt, model, terms)
    inputs, outputs = _tokens(attempt, admission, rates)
    embeds = admission.operation == "embed"
    return Line(
        id=attempt.id,
        adapter=attempt.adapter,
        endpoint=attempt.endpoint,
        upstream_model=attempt.upstream_model,
        credential=attempt.credential,
        region=attempt.region,
        model=attempt.model,
        price=attempt.price,
        payer=_payer(attempt, admission.caller),
        input_tokens=inputs,
        output_tokens=outputs,
        candidates=1 if embeds else candidates,
        reserved=rates.worst(inputs, outputs * (1 if embeds else candidates)) if attempt.price else 0,
        rates=rates,
    )


def _agrees(attempt: plan_pb2.Attempt, bounds: admission_pb2.Constraints, model: registry_pb2.Model | None) -> None:
    """The router decides among what policy admitted; here is where that is made sure."""
    if model is None:
        raise _differs(attempt, "its model is not in the registry")
    why = _difference(attempt, bounds, model)
    if why is not None:
        raise _differs(attempt, why)


def _difference(attempt: plan_pb2.Attempt, bounds: admission_pb2.Constraints, model: registry_pb2.Model) -> str | None:
    """The first rule that an attempt breaks, as a sentence."""
    target = (attempt.adapter, attempt.endpoint, attempt.upstream_model, attempt.credential)
    if target != (model.adapter, model.endpoint, model.upstream_model, model.credential):
        return "its target is not the registry's"
    if attempt.region not in {"", model.region}:
        return "its region is not the registry's"
    if attempt.max_output_tokens > bounds.max_output_tokens:
        return f"more than {bounds.max_output_tokens} output tokens are not admitted"
    return _whereabouts(bounds, model) or _admitted(attempt, bounds)


def _whereabouts(bounds: admission_pb2.Constraints, model: registry_pb2.Model) -> str | None:
    """Why data of this kind must not go to a model's provider."""
    if bounds.regions and model.region not in bounds.regions:
        return f"its region {model.region or '(unknown)'} is not admitted"
    data_class = bounds.data_class or _DEFAULT_DATA_CLASS
    if data_class not in (model.data_classes or _DEFAULT_CLEARANCE):
        return f"the model {model.name} is not cleared for {data_class} data"
    if bounds.zero_retention and not model.zero_retention:
        return f"the provider of {model.name} keeps data"
    return None


def _admitted(attempt: plan_pb2.Attempt, bounds: admission_pb2.Constraints) -> str | None:
    """Why an adapter or a model by its name is not among those that were admitted."""
    if bounds.allowed_adapters and attempt.adapter not in bounds.allowed_adapters:
        return f"the adapter {attempt.adapter} is not admitted"
    if bounds.allowed_models and not _named(attempt.model, bounds.allowed_models):
        return f"the model {attempt.model} is not admitted"
    if bounds.denied_models and _named(attempt.model, bounds.denied_models):
        return f"the model {attempt.model} is denied"
    return None


def _named(model: str, names: Sequence[str]) -> bool:
    return any(model == name or (name.endswith("/") and model.startswith(name)) for name in names)


def _rates(attempt: plan_pb2.Attempt, model: registry_pb2.Model | None, terms: Terms) -> Rates:
    if not attempt.price:
        if model is None or not model.free:
            raise _unpriced(attempt, "the plan names none and the model is not declared free")
        return FREE
    price = terms.prices.get(attempt.price)
    if price is None or not attempt.price.startswith(attempt.model + "/prices/"):
        raise _unpriced(attempt, f"{attempt.price} is not a price of it")
    if price.currency != terms.currency:
        raise _unpriced(attempt, f"{attempt.price} is in {price.currency}, the ledger in {terms.currency}")
    return terms.rates(price)


def _tokens(attempt: plan_pb2.Attempt, admission: admission_pb2.Admission, rates: Rates) -> tuple[int, int]:
    if not 0 <= attempt.max_input_tokens <= _MOST_TOKENS:
        raise invalid(f"plan.attempt[{attempt.id}].max_input_tokens", f"0 to {_MOST_TOKENS}")
    if attempt.max_input_tokens == 0 and rates.input > 0:
        raise invalid(f"plan.attempt[{attempt.id}].max_input_tokens", "an upper bound of the input, since the model has a price")
    if admission.operation == "embed":
        return attempt.max_input_tokens, 0
    cap = admission.constraints.max_output_tokens
    outputs = attempt.max_output_tokens or (min(attempt.model_output_limit, cap) if attempt.model_output_limit > 0 else cap)
    if not 0 < outputs <= _MOST_TOKENS:
        raise invalid(f"plan.attempt[{attempt.id}].max_output_tokens", f"1 to {_MOST_TOKENS}")
    return attempt.max_input_tokens, outputs


def _payer(attempt: plan_pb2.Attempt, caller: admission_pb2.Caller) -> str:
    payer = attempt.charge_to or caller.project
    if not payer.startswith(caller.domain + "/projects/"):
        raise _differs(attempt, "it would be charged to another domain")
    return payer


def _differs(attempt: plan_pb2.Attempt, why: str) -> PolicyError:
    return PolicyError(errors_pb2.ERROR_REASON_PLAN_NOT_ADMITTED, f"attempt {attempt.id}: {why}", attempt=attempt.id)


def _unpriced(attempt: plan_pb2.Attempt, why: str) -> PolicyError:
    message = f"attempt {attempt.id}: no price for {attempt.model}: {why}"
    return PolicyError(errors_pb2.ERROR_REASON_PRICE_UNKNOWN, message, attempt=attempt.id, model=attempt.model)
