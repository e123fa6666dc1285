"""What is known of an alias's targets before a request's own numbers are looked at, kept until one of what it follows from changes.

Requests of one domain under one set of constraints mostly differ in nothing that the rules read. For them the alias is resolved, the
rules are asked and the attempts are written once; what is left is the size of the request, how targets have done, and the draw.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_router.domain.eligibility import (
    AFTER_SIZE,
    BEFORE_SIZE,
    BY_ITEM,
    WITHOUT_OUTPUT,
    EligibilityRequest,
    Objection,
    objection,
    size,
)
from llm_mesh_router.domain.references import References
from llm_mesh_router.domain.resolution import Located, Resolution

_DEFAULT_ATTEMPTS = 3
_MOST_KEPT = 4096
Key = tuple[object, ...]


class Target:
    """One target of an alias, for requests of one kind."""

    __slots__ = (
        "_after",
        "_audio_milliseconds",
        "_before",
        "_limit",
        "_most_output",
        "_references",
        "_template",
        "_window",
        "name",
        "place",
        "priority",
        "share",
    )

    def __init__(
        self,
        target: router_pb2.RouteTarget,
        located: Located,
        limits: plan_pb2.AttemptLimits | None,
        question: EligibilityRequest,
    ) -> None:
        model = located.model
        self.name = target.model
        self.priority = target.priority
        self.share = 1.0 / (target.weight or 1)
        known = model if model is not None else registry_pb2.Model()
        self._before = Objection(located.rule) if model is None else objection(BEFORE_SIZE, model, question)
        self._after = objection(AFTER_SIZE, known, question)
        self._window = 0 if question.admission.operation in BY_ITEM else known.context_window
        self._audio_milliseconds = 1000 * known.audio_seconds
        self._limit = known.max_output_tokens
        self._references = References.of(known, strict=question.constraints.strict_charging)
        self._most_output = _most_output(known, question)
        self._template = _attempt(known, limits, question)
        self.place = (known.adapter, known.endpoint)

    def excluded(self, profile: router_pb2.RequestProfile) -> Objection | None:
        """The first rule that excludes the target, in the order of all rules."""
        return self._before or size(self._limit, self._window, profile) or self._references.objection(profile) or self._after

    def write(self, attempt: plan_pb2.Attempt, number: int, profile: router_pb2.RequestProfile) -> None:
        """The target as the plan's attempt of that number."""
        attempt.CopyFrom(self._template)
        attempt.id = f"a{number}"
        most_input, estimate, window = profile.input_bytes, profile.estimated_input_tokens, self._window
        if media := self._references.tokens(profile):
            most_input += media
            estimate += media
            attempt.media_tokens = min(media, window) if window else media
        if window and most_input > window:
            most_input, estimate = window, min(estimate, window)
        attempt.max_input_tokens = most_input
        attempt.estimated_input_tokens = estimate
        output_tokens = profile.max_output_tokens
        if 0 < output_tokens < self._most_output:
            attempt.max_output_tokens = output_tokens
        if profile.HasField("units"):
            attempt.units.CopyFrom(profile.units)
            if self._audio_milliseconds:
                attempt.units.audio_input_milliseconds = min(profile.units.audio_input_milliseconds, self._audio_milliseconds)


class Shortlist:
    """All targets of an alias. `until` is when a rule may say something else by itself; None: never."""

    __slots__ = ("attempts", "targets", "until")

    def __init__(self, targets: list[Target], attempts: int, until: datetime | None) -> None:
        self.targets = targets
        self.attempts = attempts
        self.until = until

    def write(self, root: plan_pb2.PlanNode, places: Sequence[int], profile: router_pb2.RequestProfile) -> None:
        """Targets as the attempts of a plan, in the order of trying."""
        if len(places) == 1:
            self.targets[places[0]].write(root.attempt, 1, profile)
        else:
            for number, place in enumerate(places, start=1):
                self.targets[place].write(root.failover.children.add().attempt, number, profile)


class Shortlists:
    """Finds the shortlist of a request, by everything that the rules read of it."""

    def __init__(self, resolution: Resolution) -> None:
        self._resolution = resolution
        self._shortlists: dict[Key, Shortlist] = {}
        self._revision = (-1, -1, -1)

    def of(self, question: EligibilityRequest) -> Shortlist:
        """The shortlist. MODEL_NOT_FOUND where the alias means nothing in the domain."""
        revision = self._resolution.revision
        if revision != self._revision:
            self._shortlists.clear()
            self._revision = revision
        profile = question.profile
        key: Key = (
            question.alias,
            question.domain,
            question.admission.operation,
            question.constraints.SerializeToString(),
            tuple(profile.capabilities[:]),  # the end of a loop over the field itself would be an exception with a text
            tuple(profile.input_modalities[:]),
            profile.images > 0,
        )
        shortlist = self._shortlists.get(key)
        if shortlist is None or (shortlist.until is not None and shortlist.until <= question.now):
            shortlist = self._made(question)
            if len(self._shortlists) >= _MOST_KEPT:
                self._shortlists.clear()
            self._shortlists[key] = shortlist
        return shortlist

    def _made(self, question: EligibilityRequest) -> Shortlist:
        route = self._resolution.meaning(question.alias, question.domain).route
        limits = route.limits if route.HasField("limits") else None
        located = [self._resolution.located(target.model, question.domain) for target in route.targets]
        targets = [Target(target, model, limits, question) for target, model in zip(route.targets, located, strict=True)]
        until = _until([one.model for one in located if one.model is not None], question.now)
        return Shortlist(targets, route.max_attempts or _DEFAULT_ATTEMPTS, until)


def _until(models: Iterable[registry_pb2.Model], now: datetime) -> datetime | None:
    """The next retire time."""
    times = [model.retire_time.ToDatetime(now.tzinfo) for model in models if model.HasField("retire_time")]
    return min((time for time in times if time > now), default=None)


def _attempt(model: registry_pb2.Model, limits: plan_pb2.AttemptLimits | None, question: EligibilityRequest) -> plan_pb2.Attempt:
    return plan_pb2.Attempt(
        adapter=model.adapter,
        endpoint=model.endpoint,
        upstream_model=model.upstream_model,
        model=model.name,
        price="" if model.free else model.price.name,
        credential=model.credential,
        region=model.region,
        limits=limits,
        max_output_tokens=_most_output(model, question),
        dialect=model.dialect or model.adapter,
        model_output_limit=model.max_output_tokens,
        image_tokens=model.image_tokens if question.profile.images else 0,
    )


def _most_output(model: registry_pb2.Model, question: EligibilityRequest) -> int:
    """The least of what policy allows and what the model can; nothing where an answer has no tokens. A request may ask for less."""
    if question.admission.operation in WITHOUT_OUTPUT:
        return 0
    bounds = (question.constraints.max_output_tokens, model.max_output_tokens)
    return min(bound for bound in bounds if bound > 0)
