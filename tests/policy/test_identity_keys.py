"""Keys: shown once, kept as hashes, given by nobody who holds less."""

from __future__ import annotations

import pytest
from google.protobuf.duration_pb2 import Duration

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.domain.keys import StoredKey
from llm_mesh_policy.identity.domain.credentials import Pepper, mint, parse
from llm_mesh_runtime.resources import page_of
from tests.policy.conftest import ADMIN, World
from tests.policy.refusals import refusal

PROJECT = "domains/claims/projects/triage"


def test_a_secret_has_128_bits_at_least_and_is_new_each_time() -> None:
    made = {mint().text for _ in range(100)}
    assert len(made) == 100
    assert all(len(parse(text).secret) == 43 for text in made)  # type: ignore[union-attr]  # a key that parses


def test_another_pepper_makes_another_hash() -> None:
    key = mint()
    assert Pepper(b"a" * 32).matches(key, Pepper(b"a" * 32).digest(key))
    assert not Pepper(b"b" * 32).matches(key, Pepper(b"a" * 32).digest(key))


async def test_the_store_has_no_secret(world: World) -> None:
    made = world.keys["claims/app"]
    stored = await world.half.keyring.get(made.key.name)
    kept = b"".join(value if isinstance(value, bytes) else str(value).encode() for value in vars_of(stored))
    assert made.credential.secret.encode() not in kept
    assert stored.message().hint == made.credential.text[:9]


def vars_of(key: StoredKey) -> list[object]:
    return [getattr(key, name) for name in StoredKey.__slots__]


@pytest.mark.parametrize(
    ("key", "field"),
    [
        (identity_pb2.Key(), "key.principal"),
        (identity_pb2.Key(principal="app"), "key.principal"),
        (identity_pb2.Key(principal="domains/sales/principals/app"), "key.principal"),
        (identity_pb2.Key(principal="domains/claims/principals/none"), "key.principal"),
        (identity_pb2.Key(principal="domains/claims/principals/app", projects=["domains/sales/projects/triage"]), "key.projects[0]"),
        (identity_pb2.Key(principal="domains/claims/principals/app", projects=["domains/claims/projects/none"]), "key.projects[0]"),
        (identity_pb2.Key(principal="domains/claims/principals/app", allowed_models=["a*b"]), "key.allowed_models[0]"),
        (identity_pb2.Key(principal="domains/claims/principals/app", display_name="x" * 256), "key.display_name"),
    ],
)
async def test_a_key_that_is_not_valid_is_refused_by_its_field(world: World, key: identity_pb2.Key, field: str) -> None:
    error = await refusal(world.half.keyring.create(ADMIN, PROJECT, key))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


@pytest.mark.parametrize("seconds", [-62135596800, -1, 1, 253402300799])
async def test_a_key_expires_in_the_future_or_not_at_all(world: World, seconds: int) -> None:
    key = identity_pb2.Key(principal="domains/claims/principals/app")
    key.expire_time.seconds = seconds
    if seconds == 253402300799:
        assert (await world.half.keyring.create(ADMIN, PROJECT, key)).key.message().expire_time == key.expire_time
    else:
        error = await refusal(world.half.keyring.create(ADMIN, PROJECT, key))
        assert (error.reason_name, error.field) == ("INVALID_FIELD", "key.expire_time")


@pytest.mark.parametrize("grace", [Duration(seconds=-1), Duration(seconds=30 * 86400 + 1), Duration(nanos=-1000)])
async def test_a_grace_is_bounded(world: World, grace: Duration) -> None:
    error = await refusal(world.half.keyring.rotate(ADMIN, world.keys["claims/app"].key.name, grace))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "grace")


async def test_a_revoked_key_is_not_rotated_back_to_life(world: World) -> None:
    name = world.keys["claims/app"].key.name
    await world.half.keyring.revoke(ADMIN, name)
    assert (await refusal(world.half.keyring.rotate(ADMIN, name, None))).reason_name == "INVALID_FIELD"


async def test_a_key_that_does_not_exist_is_not_found(world: World) -> None:
    for asking in (world.half.keyring.get, lambda name: world.half.keyring.revoke(ADMIN, name)):
        assert (await refusal(asking(f"{PROJECT}/keys/none"))).reason_name == "NOT_FOUND"


async def test_nobody_makes_a_key_for_somebody_who_may_do_more(world: World) -> None:
    keyring, dev = world.half.keyring, world.actor("claims/dev")
    for more in ("owner",):
        error = await refusal(keyring.create(dev, PROJECT, identity_pb2.Key(principal=f"domains/claims/principals/{more}")))
        assert error.reason_name == "ESCALATION_DENIED"
    for no_more in ("dev", "nobody"):
        await keyring.create(dev, PROJECT, identity_pb2.Key(principal=f"domains/claims/principals/{no_more}"))


async def test_nobody_rotates_a_key_of_somebody_who_may_do_more(world: World) -> None:
    error = await refusal(world.half.keyring.rotate(world.actor("claims/dev"), world.keys["claims/owner"].key.name, None))
    assert error.reason_name == "ESCALATION_DENIED"


async def test_a_key_spans_only_projects_in_which_its_maker_may_make_keys(world: World) -> None:
    wanted = identity_pb2.Key(principal="domains/claims/principals/dev", projects=["domains/claims/projects/intake"])
    error = await refusal(world.half.keyring.create(world.actor("claims/dev"), PROJECT, wanted))
    assert (error.reason_name, error.metadata["resource"]) == ("ACTION_DENIED", "domains/claims/projects/intake/keys")
    await world.half.keyring.create(world.actor("claims/owner"), PROJECT, wanted)


async def test_keys_are_listed_newest_first_over_all_projects_of_a_domain(world: World) -> None:
    keyring, found, token = world.half.keyring, [], ""
    made = [await keyring.create(ADMIN, "domains/claims/projects/intake", identity_pb2.Key(principal="domains/claims/principals/app"))]
    while True:
        request = identity_pb2.ListKeysRequest(parent="domains/claims/projects/-", page_size=2, page_token=token)
        shown, token = await keyring.page(request.parent, page_of(request, "keys", request.parent))
        found += [key.name for key in shown]
        if not token:
            break
    expected = [*reversed([world.keys[f"claims/{who}"].key.name for who in ("owner", "app", "dev", "nobody")])]
    assert found == [made[0].key.name, *expected]


@pytest.mark.parametrize("cursor", ["x/y", "9" * 40 + "/a", "1", "-1/a"])
async def test_a_page_token_made_by_hand_is_refused(world: World, cursor: str) -> None:
    request = identity_pb2.ListKeysRequest(parent=PROJECT)
    page = page_of(request, "keys")
    forged = type(page)(page.size, cursor, page.scope)
    error = await refusal(world.half.keyring.page(PROJECT, forged))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", "page_token")
