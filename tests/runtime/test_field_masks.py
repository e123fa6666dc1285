"""A field mask is taken at its word: what it names is written, unset fields too, and nothing else is."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask
from hypothesis import given, settings
from hypothesis import strategies as st

from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import applied, check_masks, masked_update

FIELDS = ("alias", "capabilities", "max_output_tokens", "service_level", "retire_time", "free")


@st.composite
def models(draw: st.DrawFn) -> registry_pb2.Model:
    model = registry_pb2.Model(
        name="domains/a/models/m",
        alias=draw(st.sampled_from(["", "one", "two"])),
        capabilities=draw(st.lists(st.sampled_from(["tools", "seed"]), max_size=2)),
        max_output_tokens=draw(st.integers(0, 2)),
        free=draw(st.booleans()),
    )
    if draw(st.booleans()):
        model.service_level.contact = draw(st.sampled_from(["", "ops"]))
        model.service_level.first_token_p90_ms = draw(st.integers(0, 2))
    if draw(st.booleans()):
        model.retire_time.FromSeconds(draw(st.integers(0, 2)))
    return model


def without(model: registry_pb2.Model, fields: set[str]) -> registry_pb2.Model:
    rest = registry_pb2.Model()
    rest.CopyFrom(model)
    for field in fields:
        rest.ClearField(field)
    return rest


@settings(deadline=None)
@given(current=models(), wanted=models(), paths=st.sets(st.sampled_from(FIELDS), min_size=1))
def test_named_fields_become_as_wanted_and_others_stay(current: registry_pb2.Model, wanted: registry_pb2.Model, paths: set[str]) -> None:
    updated = masked_update(current, wanted, FieldMask(paths=sorted(paths)), mutable=FIELDS)
    assert without(updated, paths) == without(current, paths)
    others = {field.name for field in updated.DESCRIPTOR.fields} - paths
    assert without(updated, others) == without(wanted, others)


@settings(deadline=None)
@given(current=models(), wanted=models())
def test_without_a_mask_only_what_is_set_changes(current: registry_pb2.Model, wanted: registry_pb2.Model) -> None:
    updated = masked_update(current, wanted, FieldMask(), mutable=FIELDS)
    given_fields = {field.name for field, _ in wanted.ListFields()} & set(FIELDS)
    assert without(updated, given_fields) == without(current, given_fields)


@settings(deadline=None)
@given(current=models(), wanted=models())
def test_a_star_names_every_mutable_field(current: registry_pb2.Model, wanted: registry_pb2.Model) -> None:
    star, whole = (masked_update(current, wanted, FieldMask(paths=paths), mutable=FIELDS) for paths in (["*"], FIELDS))
    assert star == whole


def test_a_path_leads_into_a_message() -> None:
    current = registry_pb2.Model(service_level=registry_pb2.ServiceLevel(contact="ops", first_token_p90_ms=5))
    updated = masked_update(current, registry_pb2.Model(), FieldMask(paths=["service_level.contact"]), mutable=FIELDS)
    assert updated.service_level == registry_pb2.ServiceLevel(first_token_p90_ms=5)


@pytest.mark.parametrize("path", ["name", "nothing", "service_level.nothing", "retire_time.seconds", "alias.x", ""])
def test_a_path_that_leads_nowhere_is_refused(path: str) -> None:
    with pytest.raises(MeshError) as refused:
        masked_update(registry_pb2.Model(), registry_pb2.Model(), FieldMask(paths=[path]), mutable=FIELDS)
    assert (refused.value.reason_name, refused.value.field) == ("INVALID_FIELD", "update_mask")


def test_a_new_resource_has_all_that_its_entry_sets() -> None:
    wanted = registry_pb2.Model(name="domains/a/models/m", alias="default", free=True)
    masks = {wanted.name: FieldMask(paths=["free"])}
    assert applied(None, wanted, masks, mutable=FIELDS) == wanted
    assert applied(registry_pb2.Model(alias="own"), wanted, masks, mutable=FIELDS).alias == "own"


def test_a_mask_of_nothing_that_is_named_is_refused() -> None:
    with pytest.raises(MeshError, match="domains/a/models/x"):
        check_masks({"domains/a/models/x": FieldMask()}, {"domains/a/models/y"})
