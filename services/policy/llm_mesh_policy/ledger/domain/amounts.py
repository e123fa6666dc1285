"""What a request asks of its subjects, and what it has used: one vector over metrics by {key, principal, project, domain, tag, model}."""

from collections.abc import Iterable, Sequence

from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_policy.ledger.domain.meters import CONCURRENCY, INPUT_TOKENS, MONEY, OUTPUT_TOKENS, REQUESTS, TOKENS, Amounts
from llm_mesh_policy.ledger.domain.quote import QuoteLine

Vector = dict[str, dict[str, int]]

_ONE = {REQUESTS: 1, CONCURRENCY: 1}


def bound(lines: Sequence[QuoteLine], subjects: Iterable[str]) -> list[str]:
    """Whom limits may bind where lines are asked for: the subjects, and each line's model and payer. The keys of `amounts_of`."""
    return list(dict.fromkeys((*subjects, *[f"model:{line.model}" for line in lines], *[line.payer for line in lines])))


def amounts_of(lines: Sequence[QuoteLine], subjects: Iterable[str], *, beyond: Sequence[QuoteLine] = ()) -> Amounts:
    """The worst case of the lines. Where they extend a reservation, `beyond` has its lines: the request itself is counted already."""
    whole = _tokens(lines) | ({} if beyond else _ONE)
    vector: Vector = dict.fromkeys(subjects, whole)
    counted = {line.model for line in beyond}
    for model in {line.model for line in lines}:
        own = _tokens([line for line in lines if line.model == model])
        vector[f"model:{model}"] = own | ({} if model in counted else _ONE)
    for payer in {line.payer for line in lines}:
        vector[payer] = {**vector.get(payer, {}), MONEY: sum(line.reserved for line in lines if line.payer == payer)}
    for domain in {_domain_of(line.payer) for line in lines}:
        vector[domain] = {**vector.get(domain, {}), MONEY: sum(line.reserved for line in lines if pays(line.payer, domain))}
    return vector


def used(charges: Sequence[usage_pb2.ChargeLine], subjects: Iterable[str]) -> Amounts:
    """The truth, as it was charged. A request counts as one, whatever became of its attempts."""
    whole = _spent(charges) | {REQUESTS: 1}
    vector: Vector = dict.fromkeys(subjects, whole)
    for model in {charge.model for charge in charges}:
        sent = [charge for charge in charges if charge.model == model and charge.usage.outcome != usage_pb2.ATTEMPT_OUTCOME_NOT_SENT]
        vector[f"model:{model}"] = _spent(sent) | {REQUESTS: 1 if sent else 0}
    for payer in {charge.charge_to for charge in charges}:
        nanos = sum(charge.charge.nanos for charge in charges if charge.charge_to == payer)
        vector[payer] = {**vector.get(payer, {}), MONEY: nanos}
    for domain in {_domain_of(charge.charge_to) for charge in charges}:
        nanos = sum(charge.charge.nanos for charge in charges if pays(charge.charge_to, domain))
        vector[domain] = {**vector.get(domain, {}), MONEY: nanos}
    return vector


def pays(payer: str, subject: str) -> bool:
    """Whether a project's money is a subject's: the project's own, or its domain's."""
    return payer == subject or payer.startswith(subject + "/")


def _domain_of(payer: str) -> str:
    return payer.partition("/projects/")[0]


def _tokens(lines: Sequence[QuoteLine]) -> dict[str, int]:
    inputs = sum(line.input_tokens for line in lines)
    outputs = sum(line.all_output_tokens for line in lines)
    return {INPUT_TOKENS: inputs, OUTPUT_TOKENS: outputs, TOKENS: inputs + outputs}


def _spent(charges: Sequence[usage_pb2.ChargeLine]) -> dict[str, int]:
    inputs = sum(charge.usage.usage.input_tokens for charge in charges)
    outputs = sum(charge.usage.usage.output_tokens for charge in charges)
    return {INPUT_TOKENS: inputs, OUTPUT_TOKENS: outputs, TOKENS: inputs + outputs}
