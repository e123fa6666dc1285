"""Domains, projects and principals."""

from __future__ import annotations

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_runtime.resources import page_of
from tests.policy.conftest import ADMIN, World
from tests.policy.refusals import refusal


async def test_what_was_created_is_got_as_it_was(world: World) -> None:
    directory = world.half.directory
    wanted = identity_pb2.Project(name="ignored", display_name="Häuser", allowed_models=["gpt-*"], max_output_tokens=100, etag="ignored")
    created = await directory.create_project(ADMIN, "domains/claims", "houses", wanted)
    assert created.name == "domains/claims/projects/houses"
    assert (created.display_name, list(created.allowed_models), created.max_output_tokens) == ("Häuser", ["gpt-*"], 100)
    assert created.etag
    assert created.create_time == created.update_time
    assert await directory.project(created.name) == created


async def test_a_name_is_taken_once(world: World) -> None:
    error = await refusal(world.half.directory.create_domain(ADMIN, "claims", identity_pb2.Domain()))
    assert (error.reason_name, error.metadata["resource"]) == ("ALREADY_EXISTS", "domains/claims")


async def test_a_parent_must_exist(world: World) -> None:
    error = await refusal(world.half.directory.create_project(ADMIN, "domains/none", "p", identity_pb2.Project()))
    assert error.reason_name == "NOT_FOUND"


@pytest.mark.parametrize("bad", ["", "-", "A", "a b", "a" * 64, "ü", "a/b", "a\n"])
async def test_ids_are_of_their_form(world: World, bad: str) -> None:
    error = await refusal(world.half.directory.create_project(ADMIN, "domains/claims", bad, identity_pb2.Project()))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "project_id")


@pytest.mark.parametrize(
    ("message", "field"),
    [
        (identity_pb2.Project(display_name="ä" * 128), "project.display_name"),
        (identity_pb2.Project(allowed_models=["gpt*4"]), "project.allowed_models[0]"),
        (identity_pb2.Project(allowed_models=["ok", "no space"]), "project.allowed_models[1]"),
        (identity_pb2.Project(allowed_models=[""]), "project.allowed_models[0]"),
        (identity_pb2.Project(allowed_models=["m"] * 257), "project.allowed_models"),
        (identity_pb2.Project(max_output_tokens=-1), "project.max_output_tokens"),
    ],
)
async def test_a_field_that_is_not_valid_is_named(world: World, message: identity_pb2.Project, field: str) -> None:
    error = await refusal(world.half.directory.create_project(ADMIN, "domains/claims", "p", message))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


async def test_an_update_changes_the_masked_fields_only(world: World) -> None:
    directory, name = world.half.directory, "domains/claims"
    wanted = identity_pb2.Domain(name=name, display_name="Other", regions=["eu-west"])
    updated = await directory.update_domain(ADMIN, wanted, FieldMask(paths=["regions"]))
    assert (updated.display_name, list(updated.regions)) == ("Claims", ["eu-west"])
    cleared = await directory.update_domain(ADMIN, identity_pb2.Domain(name=name), FieldMask(paths=["regions"]))
    assert list(cleared.regions) == []
    assert cleared.update_time.ToMicroseconds() > cleared.create_time.ToMicroseconds()


async def test_an_update_against_an_older_state_is_refused(world: World) -> None:
    directory = world.half.directory
    read = await directory.domain("domains/claims")
    won = await directory.update_domain(ADMIN, identity_pb2.Domain(name=read.name, display_name="First", etag=read.etag), FieldMask())
    late = identity_pb2.Domain(name=read.name, display_name="Second", etag=read.etag)
    assert (await refusal(directory.update_domain(ADMIN, late, FieldMask()))).reason_name == "ETAG_MISMATCH"
    late.etag = won.etag
    assert (await directory.update_domain(ADMIN, late, FieldMask())).display_name == "Second"


@pytest.mark.parametrize("path", ["name", "etag", "create_time", "nonsense", "regions.x"])
async def test_a_mask_names_fields_that_may_change(world: World, path: str) -> None:
    wanted = identity_pb2.Domain(name="domains/claims", display_name="x")
    error = await refusal(world.half.directory.update_domain(ADMIN, wanted, FieldMask(paths=[path])))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "update_mask")


async def test_an_update_that_changes_nothing_makes_no_revision(world: World) -> None:
    before = world.half.live.snapshot().revision
    await world.half.directory.update_domain(ADMIN, identity_pb2.Domain(name="domains/claims", display_name="Claims"), FieldMask())
    assert (await world.half.live.refresh()).revision == before


async def test_lists_come_in_pages_by_name(world: World) -> None:
    directory, found, token = world.half.directory, [], ""
    for number in range(5):
        await directory.create_project(ADMIN, "domains/claims", f"x-{number}", identity_pb2.Project())
    while True:
        request = identity_pb2.ListProjectsRequest(parent="domains/claims", page_size=3, page_token=token)
        shown, token = await directory.projects(request.parent, page_of(request, "projects", request.parent))
        found += [project.name for project in shown]
        assert len(shown) == 3 or not token
        if not token:
            break
    assert found == sorted(found)
    assert len(found) == len(set(found)) == 7


async def test_everyone_sees_the_domains_that_they_may_get(world: World) -> None:
    async def listed(who: str, size: int = 50) -> list[str]:
        names, token = [], ""
        while True:
            request = identity_pb2.ListDomainsRequest(page_size=size, page_token=token)
            shown, token = await world.half.directory.domains(world.actor(who), page_of(request, "domains"))
            names += [domain.name for domain in shown]
            if not token:
                return names

    assert await listed("admin") == ["domains/claims", "domains/platform", "domains/sales"]
    assert await listed("admin", 1) == ["domains/claims", "domains/platform", "domains/sales"]
    assert await listed("claims/owner", 1) == ["domains/claims"]
    assert await listed("claims/nobody") == []


async def test_nobody_disables_who_may_do_more(world: World) -> None:
    wanted = identity_pb2.Principal(name="domains/claims/principals/owner", disabled=True)
    error = await refusal(world.half.directory.update_principal(world.actor("claims/dev"), wanted, FieldMask(paths=["disabled"])))
    assert error.reason_name == "ESCALATION_DENIED"
