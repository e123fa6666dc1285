"""Bounds that a request sets for itself narrow what policy sets, and never widen it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.policy.v1 import admission_pb2, floors_pb2
from llm_mesh_policy.rules.domain.stricter import NOTHING, narrow
from tests.policy.ledger_world import DOMAIN
from tests.policy.test_admission import Admission, refused

CLASSES = ["public", "internal", "confidential", "restricted"]
Bounds = admission_pb2.RequestBounds
lists = st.lists(st.sampled_from(["eu", "us", "ch"]), unique=True)
classes = st.lists(st.sampled_from([*CLASSES, "health"]), unique=True)


async def constraints(admission: Admission, bounds: Bounds | None) -> admission_pb2.Constraints:
    request = admission.request()
    if bounds is not None:
        request.bounds.CopyFrom(bounds)
    return admission.opened(await admission.admitting.admit(request)).constraints


async def test_a_request_raises_its_class_and_narrows_its_regions() -> None:
    admission = Admission()
    admission.world.identity.domains[DOMAIN].regions.extend(["eu", "ch"])
    bound = await constraints(admission, Bounds(data_classes=["confidential", "health"], regions=["ch", "us"], zero_retention=True))
    assert (bound.data_class, list(bound.further_data_classes)) == ("confidential", ["health"])
    assert list(bound.regions) == ["ch"]
    assert bound.zero_retention
    assert list((await constraints(admission, None)).regions) == ["eu", "ch"], "the next request has bounds of its own"


async def test_a_request_lowers_nothing() -> None:
    admission = Admission()
    admission.world.identity.domains[DOMAIN].default_data_class = "restricted"
    assert (await constraints(admission, Bounds(data_classes=["public"]))).data_class == "restricted"


async def test_regions_that_have_nothing_in_common_leave_none() -> None:
    admission = Admission()
    admission.world.identity.domains[DOMAIN].regions.append("eu")
    assert list((await constraints(admission, Bounds(regions=["us"]))).regions) == NOTHING


async def test_data_that_the_domain_may_not_process_is_refused() -> None:
    admission = Admission()
    admission.world.identity.floors["domains/platform/floors/-"] = floors_pb2.Floor(data_classes=["public", "internal"])
    request = admission.request()
    request.bounds.data_classes.append("restricted")
    assert (await refused(admission, request)).reason_name == "FLOOR_CONFLICT"


@given(own=classes, regions=lists, retention=st.booleans(), asked=classes, wished=lists, demanded=st.booleans())
def test_what_is_narrowed_allows_no_more_than_either(
    *, own: list[str], regions: list[str], retention: bool, asked: list[str], wished: list[str], demanded: bool
) -> None:
    before = admission_pb2.Constraints(
        data_class=own[0] if own else "internal", further_data_classes=own[1:], regions=regions, zero_retention=retention
    )
    after = admission_pb2.Constraints()
    after.CopyFrom(before)
    narrow(after, Bounds(data_classes=asked, regions=wished, zero_retention=demanded))
    demands = {after.data_class, *after.further_data_classes}
    assert max(map(rank, demands)) >= max(map(rank, [before.data_class, *before.further_data_classes, *asked]))
    assert ("health" in demands) == ("health" in [*own, *asked])
    allowed = set(after.regions)
    for bound in filter(None, (regions, wished)):
        assert allowed <= {*bound, *NOTHING}
    assert bool(allowed) == bool(regions or wished)
    assert after.zero_retention == (retention or demanded)


def rank(name: str) -> int:
    return CLASSES.index(name) if name in CLASSES else -1
