"""Methods with one input and one output, such as `Rerank`, from the grant to the report: the same for every dialect.

A dialect gives a `DialectMethod` for each method that its providers have. Others answer UNSUPPORTED, before anything is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

from llm_mesh.inference.v1 import generate_image_pb2, generate_pb2
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh.router.v1 import plan_pb2
from llm_mesh_adapter_kit.answer_bounds import of_method
from llm_mesh_adapter_kit.asking import Asking, ProviderAnswer
from llm_mesh_adapter_kit.dialect import Ask, Call
from llm_mesh_adapter_kit.endpoints import Endpoint
from llm_mesh_adapter_kit.errors import fidelity_lost, unsupported
from llm_mesh_adapter_kit.grants import Job
from llm_mesh_adapter_kit.limits import AttemptLimits, Timers
from llm_mesh_adapter_kit.values import LARGE, MOST_VALUES, check_values
from llm_mesh_runtime.heavy import HeavyWork

T = TypeVar("T")
_LOSSY = (generate_pb2.TRANSLATION_ACTION_DROPPED, generate_pb2.TRANSLATION_ACTION_APPROXIMATED)
_BINARY = ("audio/", "application/octet-stream", "application/grpc")
_PLAN_BOUNDS = ("audio_input_milliseconds", "audio_output_milliseconds", "characters", "search_units")


class AnsweredMethod(NamedTuple):
    """A provider's whole answer to a method."""

    endpoint: Endpoint
    model: str
    """As the provider names it."""
    body: bytes
    content_type: str


class DialectMethod(NamedTuple):
    """How one dialect does one method. Raises `MeshError` only."""

    call: Callable[[Ask, Any], Call]
    """The request for an input; UNSUPPORTED where the endpoint's provider does not have it."""
    read: Callable[[AnsweredMethod, Any, Any], None]
    """Writes the answer to an input into the output; PROVIDER_MALFORMED where it is none."""


DialectMethods = Mapping[str, DialectMethod]
"""By the name of the RPC."""
NO_METHODS: DialectMethods = MappingProxyType({})


class Methods:
    """Makes attempts at endpoints, by one dialect."""

    def __init__(self, methods: DialectMethods, asking: Asking, limits: AttemptLimits, heavy: HeavyWork) -> None:
        self._methods = methods
        self._asking = asking
        self._limits = limits
        self._heavy = heavy

    async def answer(self, rpc: str, job: Job, request: Any, response: Any) -> None:  # noqa: ANN401 (messages of the method)
        """Writes the answer and its report into the response."""
        method = self._methods.get(rpc)
        if method is None:
            raise unsupported(job.endpoint.name, rpc)
        source = request.input
        call = await self._worked(job, source.ByteSize(), partial(method.call, job.ask(0, stream=False), source))
        if request.exact:
            _demand_exact(call)
        limits, wants_first = self._limits.of(job.attempt)
        timers = Timers(limits, wants_first=wants_first)
        output = response.output
        bounds = of_method(rpc, job.attempt, source)
        async with ProviderAnswer(self._asking, job, call, rpc.lower(), timers, bounds) as answer:
            body = await answer.answer.body()
            answered = AnsweredMethod(job.endpoint, job.model, body, answer.answer.header("content-type"))
            await self._worked(job, len(body), partial(_read, method, answered, source, output))
            if len(body) > bounds.content:  # nearly never: what was read has no more than it was read from
                bounds.check(job, output.ByteSize())
            timers.event(content=True)
            output.model = output.model or job.model
            answer.report(MethodMeter(job.attempt, output), response.report)
        output.translations.extend(call.translations)
        if response.report.source != usage_pb2.USAGE_SOURCE_PROVIDER:
            output.usage.CopyFrom(response.report.usage)

    async def _worked(self, job: Job, size: int, work: Callable[[], T]) -> T:
        """What is large is done off the event loop, in turns between domains."""
        return work() if size <= LARGE else await self._heavy.run(job.domain, size, work)


class MethodMeter:
    """What an attempt used: the provider's own figures, or what the plan bounds where it says none."""

    def __init__(self, attempt: plan_pb2.Attempt, output: Any) -> None:  # noqa: ANN401 (any output has usage)
        self._attempt = attempt
        self._output = output

    def report(self) -> tuple[generate_pb2.Usage, usage_pb2.UsageSource]:
        """The usage, and who says so."""
        if self._output.HasField("usage"):
            return self._output.usage, usage_pb2.USAGE_SOURCE_PROVIDER
        usage = generate_pb2.Usage(input_tokens=self._attempt.estimated_input_tokens or self._attempt.max_input_tokens)
        for name in _PLAN_BOUNDS:
            setattr(usage, name, getattr(self._attempt.units, name))
        if isinstance(self._output, generate_image_pb2.GenerateImageOutput):
            usage.images.add(size=self._output.size, quality=self._output.quality, count=len(self._output.images))
        return usage, usage_pb2.USAGE_SOURCE_COUNTED


def _read(method: DialectMethod, answered: AnsweredMethod, source: Any, output: Any) -> None:  # noqa: ANN401 (messages of the method)
    if not answered.content_type.startswith(_BINARY):
        check_values(answered.endpoint.name, answered.body, MOST_VALUES)
    method.read(answered, source, output)


def _demand_exact(call: Call) -> None:
    lost = next((each for each in call.translations if each.action in _LOSSY), None)
    if lost is not None:
        raise fidelity_lost(lost.field, lost.note)
