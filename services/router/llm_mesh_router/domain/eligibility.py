"""Which targets a request may go to: rules in a fixed order, of which the first that objects is named.

They are asked of models as the domain is served by them; what it is not served by at all, `resolution` keeps away before.

Only `size` depends on the numbers of a single request. What the rules before and after it say holds for every request of the same
features until a model changes or reaches its retire time, and `shortlists` keeps it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from llm_mesh.policy.v1 import admission_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_runtime.resources import domain_of, is_named

_UNDECLARED_DATA_CLASSES = ("public", "internal")
_DEFAULT_DATA_CLASS = "internal"
_MODALITIES = {"image": "image_input", "audio": "audio_input", "file": "file_input"}
_CANNOT = {
    "generate": "cannot generate",
    "embeddings": "cannot embed",
    "rerank": "cannot rerank",
    "moderate": "cannot moderate",
    "assess": "cannot assess",
    "generate_image": "cannot make images",
    "speak": "cannot speak",
    "transcribe": "cannot transcribe",
    "translate": "cannot translate speech into English",
    "tools": "cannot call tools",
    "parallel_tool_calls": "cannot call several tools at once",
    "json_schema": "cannot keep to a JSON schema",
    "logprobs": "cannot report log-probabilities",
    "reasoning": "has no reasoning",
    "streaming": "cannot stream",
    "multiple_candidates": "cannot give several choices",
    "seed": "cannot take a seed",
    "image_input": "cannot read images",
    "audio_input": "cannot read sound",
    "file_input": "cannot read files",
}
"""Capabilities that a model lacks, in words that follow its name."""
PRICE = "price"
"""The rule that only an operator can satisfy."""
_CAPABILITIES = {"embed": "embeddings"}
"""The capability that an operation needs, where it has another name."""
WITHOUT_OUTPUT = frozenset({"embed", "rerank", "moderate"})
"""Operations whose answers have no tokens that are billed."""
UNLIMITED = frozenset({"assess", "generate_image", "speak", "transcribe"})
"""Operations whose output tokens no request can limit: what the model can do at most bounds them."""
BY_ITEM = frozenset({"rerank", "moderate"})
"""Operations that read each of their items by itself: the context window bounds none of the sums."""


@dataclass(slots=True)
class EligibilityRequest:
    """One request, as the rules see it."""

    admission: admission_pb2.Admission
    profile: router_pb2.RequestProfile
    now: datetime
    request_id: str = ""
    domain: str = field(init=False)
    """The caller's domain."""
    alias: str = field(init=False)
    """The alias that the request names."""
    constraints: admission_pb2.Constraints = field(init=False)
    """Within which bounds."""

    def __post_init__(self) -> None:
        admission = self.admission
        self.domain = admission.caller.domain
        self.alias = admission.alias
        self.constraints = admission.constraints


@dataclass(frozen=True, slots=True)
class Objection:
    """Why a target is excluded: the rule, and a note for people."""

    rule: str
    note: str = ""

    @property
    def words(self) -> str:
        """The reason, for people."""
        kind, _, capability = self.rule.partition(":")
        if kind == "capability" and not self.note:
            return _CANNOT.get(capability) or f"lacks the capability {capability}"
        return self.note or self.rule.replace("_", " ")


Rule = Callable[[registry_pb2.Model, EligibilityRequest], Objection | None]


def lifecycle(model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:
    """Retired models answer nobody, previews their own domain only."""
    if model.lifecycle == registry_pb2.LIFECYCLE_RETIRED:
        return Objection("lifecycle", "retired")
    if model.HasField("retire_time") and model.retire_time.ToDatetime(question.now.tzinfo) <= question.now:
        return Objection("lifecycle", "its retire time has passed")
    if model.lifecycle == registry_pb2.LIFECYCLE_PREVIEW and domain_of(model.name) != question.domain:
        return Objection("lifecycle", "a preview of another domain")
    return None


def constraints(model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:
    """The models, adapters and endpoints that policy allows."""
    allowed = question.constraints
    upstream = f"upstream:{model.adapter}/{model.endpoint}/{model.upstream_model}"
    if is_named(allowed.denied_models, model.name, upstream) or (
        allowed.allowed_models and not is_named(allowed.allowed_models, model.name)
    ):
        return Objection("not_allowed", "policy does not allow the model")
    if not all(is_named(listed.patterns, model.name, model.alias) for listed in allowed.callable_models):
        return Objection("not_allowed", "the models that project and key allow do not include it")
    if allowed.allowed_adapters and model.adapter not in allowed.allowed_adapters:
        return Objection("not_allowed", "policy does not allow the adapter")
    if allowed.allowed_endpoints and f"{model.adapter}/{model.endpoint}" not in allowed.allowed_endpoints:
        return Objection("not_allowed", "policy does not allow the endpoint")
    return None


def whereabouts(model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:
    """Where policy lets data be processed, of which class, and whether it may be kept."""
    allowed = question.constraints
    if allowed.regions and model.region not in allowed.regions:
        return Objection("region", f"processed in {model.region or 'an unknown region'}, allowed are {', '.join(allowed.regions)}")
    for data_class in (allowed.data_class or _DEFAULT_DATA_CLASS, *allowed.further_data_classes):
        if data_class not in (model.data_classes or _UNDECLARED_DATA_CLASSES):
            return Objection("data_class", f"not cleared for {data_class}")
    if allowed.zero_retention and not model.zero_retention:
        return Objection("retention", "its provider keeps data")
    return None


def capabilities(model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:
    """What the request needs the model must declare."""
    profile = question.profile
    operation = question.admission.operation
    needed = [_CAPABILITIES.get(operation, operation)] if operation else []  # first: what cannot answer at all is not said to lack a detail
    needed += [*profile.capabilities, *(_MODALITIES[kind] for kind in profile.input_modalities if kind in _MODALITIES)]
    for capability in needed:
        if capability not in model.capabilities:
            return Objection(f"capability:{capability}")
    if profile.images and not model.image_tokens and not model.free:
        return Objection("capability:image_input", "the tokens of an image have no known bound")
    return None


def size(most_output: int, window: int, profile: router_pb2.RequestProfile) -> Objection | None:
    """The request must fit the context window, by the estimate: the strict bound of bytes would exclude too much. 0: no bound."""
    output_tokens = profile.max_output_tokens
    if most_output and output_tokens > most_output:
        return Objection("max_output_tokens", f"at most {most_output} output tokens")
    if window and profile.estimated_input_tokens + output_tokens > window:
        return Objection("context_window", f"at most {window} tokens of input and output")
    return None


def price(model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:  # noqa: ARG001 - every rule has the same form
    """A model without a price is refused, unless an operator declared it free."""
    return None if model.free or model.HasField("price") else Objection(PRICE, "it has no price that holds now")


def output(model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:
    """What is billed by output tokens that nothing bounds cannot be reserved."""
    if question.admission.operation not in UNLIMITED or model.free or model.max_output_tokens:
        return None
    if not any(getattr(each, rate) for each in (model.price, *model.price.variants) for rate in _OUTPUT_RATES):
        return None
    return Objection("max_output_tokens", "its most output tokens are not known, so that nothing bounds what they cost")


_OUTPUT_RATES = tuple(f"{name}_nanos_per_million" for name in ("output", "reasoning", "audio_output", "image_output"))

BEFORE_SIZE: Sequence[Rule] = (lifecycle, constraints, whereabouts, capabilities, output)
AFTER_SIZE: Sequence[Rule] = (price,)


def objection(rules: Sequence[Rule], model: registry_pb2.Model, question: EligibilityRequest) -> Objection | None:
    """The first of the rules that excludes the model, or None."""
    for rule in rules:
        objection = rule(model, question)
        if objection is not None:
            return objection
    return None
