"""Names, pages, masks and changes mean the same in every service."""

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.router.v1 import router_pb2
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.resources import NamePattern, change_of, checked_alias, etag_of, is_within, masked_update, page_of

ROUTES = NamePattern("domains/{domain}/routes/{route}")


def test_a_name_gives_its_ids_back() -> None:
    assert ROUTES.parse(ROUTES.format("claims", "main")) == ("claims", "main")


@pytest.mark.parametrize(
    "name", ["", "domains/a", "domains/A/routes/b", "domains/a/routes/b/", "x/domains/a/routes/b", "domains/a/routes/" + "b" * 64]
)
def test_a_name_of_another_form_is_refused_with_its_field(name: str) -> None:
    with pytest.raises(MeshError) as failure:
        ROUTES.parse(name, "route.name")
    assert (failure.value.reason_name, failure.value.field) == ("INVALID_FIELD", "route.name")


def test_an_alias_has_no_spaces() -> None:
    with pytest.raises(MeshError):
        checked_alias("gpt 4", "alias")


def test_a_resource_is_within_its_parent_but_not_within_a_namesake() -> None:
    assert is_within("domains/a/routes/b", "domains/a")
    assert not is_within("domains/ab", "domains/a")


def test_pages_cover_a_list_once() -> None:
    rows = [f"r{n:02}" for n in range(7)]
    seen: list[str] = []
    request = router_pb2.ListRoutesRequest(parent="domains/a", page_size=3)
    while True:
        page = page_of(request, request.parent)
        shown, request.page_token = page.cut([row for row in rows if row > page.after][: page.limit], key=str)
        seen += shown
        if not request.page_token:
            break
    assert seen == rows


def test_a_page_token_of_another_list_is_refused() -> None:
    page = page_of(router_pb2.ListRoutesRequest(page_size=1), "domains/a")
    _, token = page.cut(["x", "y"], key=str)
    for request in (token, "garbage!", "AAAA"):
        with pytest.raises(MeshError, match="page_token"):
            page_of(router_pb2.ListRoutesRequest(page_token=request), "domains/b")


def test_a_page_size_beyond_the_documented_one_is_refused() -> None:
    with pytest.raises(MeshError, match="page_size"):
        page_of(router_pb2.ListRoutesRequest(page_size=1001))


def test_a_mask_changes_only_what_it_names() -> None:
    current = router_pb2.Route(name="n", alias="a", max_attempts=2)
    updated = masked_update(
        current, router_pb2.Route(alias="b", max_attempts=9), FieldMask(paths=["alias"]), mutable={"alias", "max_attempts"}
    )
    assert (updated.alias, updated.max_attempts, updated.name) == ("b", 2, "n")


def test_a_masked_field_that_is_unset_is_cleared() -> None:
    current = router_pb2.Route(max_attempts=2)
    assert masked_update(current, router_pb2.Route(), FieldMask(paths=["max_attempts"]), mutable={"max_attempts"}).max_attempts == 0


def test_a_mask_that_names_an_immutable_field_is_refused() -> None:
    with pytest.raises(MeshError, match="update_mask"):
        masked_update(router_pb2.Route(), router_pb2.Route(), FieldMask(paths=["name"]), mutable={"alias"})


def test_etags_tell_contents_apart_and_not_times() -> None:
    one, other = router_pb2.Route(alias="a", etag="x"), router_pb2.Route(alias="a", etag="y")
    other.update_time.seconds = 5
    assert etag_of(one) == etag_of(other) != etag_of(router_pb2.Route(alias="b"))


def test_a_change_names_the_fields_that_differ() -> None:
    before = router_pb2.Route(alias="a", targets=[router_pb2.RouteTarget(model="m")])
    after = router_pb2.Route(alias="b", targets=[router_pb2.RouteTarget(model="m")])
    change = change_of("domains/d/routes/r", before, after)
    assert change.action == resources_pb2.CHANGE_ACTION_UPDATE
    assert [(field.path, field.before, field.after) for field in change.fields] == [("alias", "a", "b")]
    assert change_of("r", before, before).action == resources_pb2.CHANGE_ACTION_NONE
    assert change_of("r", None, after).action == resources_pb2.CHANGE_ACTION_CREATE
