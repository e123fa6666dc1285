"""What a request only refers to has a bound, fills the context window, or is refused; never does it count as nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_router.domain.references import References

COUNTS = st.integers(0, 5)
TOKENS = st.integers(0, 10_000)
profiles = st.builds(router_pb2.RequestProfile, images=COUNTS, audio_references=COUNTS, file_references=COUNTS, unbounded_references=COUNTS)
models = st.builds(
    registry_pb2.Model,
    context_window=st.sampled_from([0, 8_000]),
    image_tokens=TOKENS,
    audio_tokens=TOKENS,
    file_tokens=TOKENS,
    free=st.booleans(),
)


@given(model=models, profile=profiles, strict=st.booleans())
def test_every_reference_has_a_bound_or_is_refused(model: registry_pb2.Model, profile: router_pb2.RequestProfile, *, strict: bool) -> None:
    references = References.of(model, strict=strict)
    unknown = (
        profile.unbounded_references > 0
        or (profile.audio_references > 0 and not model.audio_tokens)
        or (profile.file_references > 0 and not model.file_tokens)
    )
    objection = references.objection(profile)
    if model.free or not unknown:
        assert objection is None
    elif strict or not model.context_window:
        assert objection is not None
        assert objection.rule == "reference_bound"
    else:
        assert objection is None
        assert references.tokens(profile) == model.context_window
    if not unknown:
        bound = profile.images * model.image_tokens + profile.audio_references * model.audio_tokens
        assert references.tokens(profile) == bound + profile.file_references * model.file_tokens
