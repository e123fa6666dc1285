"""Methods with one input and one output, as data: what tells them from each other on their one way through the gateway.

A new method is an entry in `METHODS`, and an RPC of the servicer that names it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2
from llm_mesh.router.v1 import plan_pb2, router_pb2
from llm_mesh_gateway.domain import method_checks
from llm_mesh_gateway.domain import method_profiles as profiles
from llm_mesh_gateway.domain.operation import digest_of
from llm_mesh_gateway.domain.ports import Adapters, AttemptCall
from llm_mesh_runtime.errors import invalid


class ModelMethod(NamedTuple):
    """A method of models: its name in the contracts, and what the router may know of its input."""

    name: str
    """As `AdmitRequest` names its input."""
    profile: Callable[[router_pb2.RequestProfile, Any], None]
    """Writes what is particular to the method."""
    check: Callable[[Any], None] = lambda _: None
    """Raises where the input breaks what no rule of a field can say."""
    candidates: Callable[[Any], int] = lambda _: 0
    """How many answers the provider is asked for. 0: one."""

    @property
    def rpc(self) -> str:
        """The method of the adapter."""
        return "".join(word.capitalize() for word in self.name.split("_"))


METHODS: Final[Mapping[str, ModelMethod]] = {
    each.name: each
    for each in (
        ModelMethod("rerank", profiles.profile_rerank),
        ModelMethod("moderate", profiles.profile_moderate, method_checks.check_moderation),
        ModelMethod("assess", profiles.profile_assess, method_checks.check_assessment),
        ModelMethod(
            "generate_image", profiles.profile_generate_image, method_checks.check_images, candidates=lambda request: request.count
        ),
        ModelMethod("transcribe", profiles.profile_transcribe, method_checks.check_transcription),
        ModelMethod("speak", profiles.profile_speak, method_checks.check_speech),
    )
}


@dataclass(slots=True)
class MethodOperation:
    """One request of a method."""

    method: ModelMethod
    input: Any
    exact: bool

    @property
    def streamed(self) -> bool:
        """The answer comes whole."""
        return False

    @property
    def candidate_count(self) -> int:
        """How many answers."""
        return self.method.candidates(self.input)

    def digest(self, options: gateway_pb2.RequestOptions) -> bytes:
        """See the protocol."""
        return digest_of(self.method.name.encode(), self.input, options)

    def check(self, *, has_prompt: bool) -> None:
        """There is no conversation that a prompt could begin."""
        if has_prompt:
            raise invalid("options.prompt", "must not be set but with conversations")
        self.method.check(self.input)

    def precede(self, messages: list[content_pb2.Message]) -> None:
        """There is no prompt, which `check` has seen to."""

    def ask_admission(self, request: policy_pb2.AdmitRequest) -> None:
        """Policy sees what the model will see."""
        getattr(request, self.method.name).CopyFrom(self.input)

    def mask(self, admitted: policy_pb2.AdmitResponse) -> None:
        """What was masked is what goes on."""
        if admitted.WhichOneof("masked") == self.method.name:
            self.input = getattr(admitted, self.method.name)

    def profile(self, profile: router_pb2.RequestProfile, session: str) -> None:
        """What all methods tell, and what is particular to this one."""
        self.method.profile(profile, self.input)
        profile.source_dialect = self.input.source_dialect
        profile.session = session
        profile.exact = self.exact

    def without_logprobs(self, why: str) -> Sequence[generate_pb2.Translation]:
        """Its answer has none."""
        del why
        return ()

    def dispatch(self, adapters: Adapters, attempt: plan_pb2.Attempt, grant: resources_pb2.Sealed) -> AttemptCall:
        """Call the adapter."""
        request = getattr(adapter_pb2, f"{self.method.rpc}Request")(exact=self.exact)
        request.grant.CopyFrom(grant)
        request.attempt.CopyFrom(attempt)
        request.input.CopyFrom(self.input)
        return adapters.call(attempt.adapter, self.method.rpc, request)
