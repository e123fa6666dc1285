"""Who a credential is, and what it may."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import grpc
import pytest
from google.protobuf.duration_pb2 import Duration
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import identity_pb2, policy_pb2, rules_pb2
from llm_mesh.services import MESH_ACTIONS
from llm_mesh_policy.domain.resources import Contents
from llm_mesh_policy.identity.domain.authorizer import Authorizer
from llm_mesh_policy.rules.domain.live import Live
from llm_mesh_policy.rules.domain.roles import BUILT_IN
from llm_mesh_runtime.errors import store_unavailable
from tests.policy.conftest import ADMIN, TOKEN, Half, World
from tests.policy.refusals import refusal


async def test_a_key_is_its_principal_in_its_project(world: World) -> None:
    answer = await world.half.ask(world.secret("claims/app"))
    assert answer.caller.principal == "domains/claims/principals/app"
    assert answer.caller.domain == "domains/claims"
    assert answer.caller.project == "domains/claims/projects/triage"
    assert list(answer.caller.roles) == ["roles/application"]
    assert answer.valid_for.ToMilliseconds() == 1000


async def test_policy_has_keys_while_one_is_valid(half: Half) -> None:
    assert not half.live.snapshot().has_keys(half.live.now())
    key = (await half.admin()).key
    assert half.live.snapshot().has_keys(half.live.now())
    await half.keyring.revoke(ADMIN, key.name)
    assert not half.live.snapshot().has_keys(half.live.now())


async def test_the_caller_comes_sealed_for_policy(world: World) -> None:
    answer = await world.half.ask(world.secret("claims/app"))
    assert world.half.seals.opened("policy", "llm_mesh.policy.v1.Caller", answer.sealed_caller) == answer.caller.SerializeToString()


GARBLED: dict[str, Callable[[str], str]] = {
    "empty": lambda _: "",
    "no key": lambda _: "sk-0123",
    "wrong secret": lambda key: key[:-1] + ("a" if key[-1] != "a" else "b"),
    "unknown id": lambda key: "mk_" + "0" * 16 + key[19:],
    "cut": lambda key: key[:-12],
    "spaces": lambda key: f" {key} ",
    "zero byte": lambda key: key + "\x00",
    "not ASCII": lambda key: key[:-1] + "\N{ARABIC-INDIC DIGIT FIVE}",
    "lone surrogate": lambda key: key[:-1] + "\udc80",
    "endless": lambda key: key + "a" * 5000,
    "newline": lambda key: key + "\n",
    "bootstrap token": lambda _: TOKEN,
}


@pytest.mark.parametrize("how", GARBLED)
async def test_what_is_no_key_is_refused_without_telling_why(world: World, how: str) -> None:
    credential = GARBLED[how](world.secret("claims/app"))
    asked = policy_pb2.AuthorizeRequest(method="/m", action="models.generate", resource="models/x")
    request = Stand(credential, asked)
    error = await refusal(world.half.authorizer.authorize(request))  # type: ignore[arg-type]  # protobuf refuses surrogates itself
    assert error.reason_name == "INVALID_CREDENTIAL"
    assert error.code is grpc.StatusCode.UNAUTHENTICATED
    assert error.message == "the credential is not valid"


class Stand:
    """A request whose credential protobuf would not take."""

    def __init__(self, credential: str, request: policy_pb2.AuthorizeRequest) -> None:
        self.credential = credential
        self._request = request

    def __getattr__(self, name: str) -> object:
        return getattr(self._request, name)


async def test_an_action_that_no_role_grants_is_denied_with_its_name(world: World) -> None:
    error = await refusal(world.half.ask(world.secret("claims/app"), "keys.create", "domains/claims/projects/triage/keys"))
    assert error.reason_name == "ACTION_DENIED"
    assert error.metadata == {"action": "keys.create", "resource": "domains/claims/projects/triage/keys"}


async def test_a_principal_without_roles_may_only_ask_who_it_is(world: World) -> None:
    key = world.secret("claims/nobody")
    assert (await world.half.ask(key, "self.get", "self")).caller.principal == "domains/claims/principals/nobody"
    assert (await refusal(world.half.ask(key))).reason_name == "ACTION_DENIED"


async def test_absent_and_forbidden_look_the_same_in_a_foreign_domain(world: World) -> None:
    key = world.secret("claims/owner")
    there = await refusal(world.half.ask(key, "projects.get", "domains/sales/projects/triage"))
    absent = await refusal(world.half.ask(key, "projects.get", "domains/nowhere/projects/triage"))
    assert (there.reason_name, there.code) == (absent.reason_name, absent.code) == ("ACTION_DENIED", grpc.StatusCode.PERMISSION_DENIED)
    assert there.message.replace("sales", "nowhere") == absent.message


async def test_only_the_platform_reads_across_domains(world: World) -> None:
    await world.half.ask(world.secret("admin"), "auditRecords.list", "domains/-/auditRecords")
    error = await refusal(world.half.ask(world.secret("claims/owner"), "auditRecords.list", "domains/-/auditRecords"))
    assert error.reason_name == "ACTION_DENIED"


async def test_everybody_reads_what_is_shared(world: World) -> None:
    key = world.secret("claims/nobody")
    await world.half.ask(key, "models.get", "domains/shared/models/gpt-4-1")
    error = await refusal(world.half.ask(key, "models.update", "domains/shared/models/gpt-4-1"))
    assert error.reason_name == "ACTION_DENIED"


async def test_a_project_is_selected_among_the_credentials_own(world: World) -> None:
    wanted = identity_pb2.Key(principal="domains/claims/principals/app", projects=["domains/claims/projects/intake"])
    key = (await world.half.keyring.create(ADMIN, "domains/claims/projects/triage", wanted)).credential.text
    assert (await world.half.ask(key)).caller.project == "domains/claims/projects/triage"
    assert (await world.half.ask(key, project="intake")).caller.project == "domains/claims/projects/intake"
    assert (await world.half.ask(key, project="domains/claims/projects/intake")).caller.project == "domains/claims/projects/intake"
    for foreign in ("other", "domains/sales/projects/intake", "domains/claims/projects/none"):
        error = await refusal(world.half.ask(key, project=foreign))
        assert (error.reason_name, error.field) == ("PROJECT_NOT_SELECTED", "project")


async def test_a_role_in_one_project_does_not_hold_in_another(world: World) -> None:
    half, name = world.half, "domains/claims/principals/nobody"
    binding = rules_pb2.Binding(principal=name, role="roles/application", scope="domains/claims/projects/intake")
    await half.rules.create_binding(ADMIN, "domains/claims", "", binding)
    wanted = identity_pb2.Key(principal=name, projects=["domains/claims/projects/intake"])
    key = (await half.keyring.create(ADMIN, "domains/claims/projects/triage", wanted)).credential.text
    assert list((await half.ask(key, project="intake")).caller.roles) == ["roles/application"]
    assert (await refusal(half.ask(key, project="triage"))).reason_name == "ACTION_DENIED"


async def test_models_are_bounded_by_the_project_and_the_key(world: World) -> None:
    half = world.half
    project = identity_pb2.Project(name="domains/claims/projects/triage", allowed_models=["gpt-*", "sim-echo"])
    await half.directory.update_project(ADMIN, project, FieldMask(paths=["allowed_models"]))
    wanted = identity_pb2.Key(principal="domains/claims/principals/app", allowed_models=["gpt-4.1"])
    key = (await half.keyring.create(ADMIN, "domains/claims/projects/triage", wanted)).credential.text
    await half.ask(key, resource="models/gpt-4.1")
    await half.ask(world.secret("claims/app"), resource="models/sim-echo")
    for credential, model in ((key, "gpt-4o"), (key, "sim-echo"), (world.secret("claims/app"), "claude-4")):
        assert (await refusal(half.ask(credential, resource=f"models/{model}"))).reason_name == "MODEL_DENIED"


async def test_the_secret_before_a_rotation_holds_for_the_grace_only(world: World) -> None:
    half, made = world.half, world.keys["claims/app"]
    fresh = await half.keyring.rotate(ADMIN, made.key.name, Duration(seconds=60))
    old = await half.ask(made.credential.text)
    new = await half.ask(fresh.credential.text)
    assert old.caller.key == new.caller.key
    assert old.caller.expire_time.ToMicroseconds() <= fresh.key.previous_expire_time
    again = await half.keyring.rotate(ADMIN, made.key.name, Duration())
    assert (await refusal(half.ask(made.credential.text))).reason_name == "INVALID_CREDENTIAL"
    assert (await refusal(half.ask(fresh.credential.text))).reason_name == "INVALID_CREDENTIAL"
    await half.ask(again.credential.text)


async def test_an_expired_secret_is_refused_at_its_moment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    half, made = world.half, world.keys["claims/app"]
    fresh = await half.keyring.rotate(ADMIN, made.key.name, Duration(seconds=60))
    monkeypatch.setattr(half.live, "now", lambda: fresh.key.previous_expire_time - 200_000)
    assert (await half.ask(made.credential.text)).valid_for.ToMilliseconds() == 200
    monkeypatch.setattr(half.live, "now", lambda: fresh.key.previous_expire_time)
    assert (await refusal(half.ask(made.credential.text))).reason_name == "INVALID_CREDENTIAL"


async def test_an_expired_key_is_refused_and_cached_no_longer_than_it_lives(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    half, wanted = world.half, identity_pb2.Key(principal="domains/claims/principals/app")
    wanted.expire_time.FromMicroseconds(half.live.now() + 3_600_000_000)
    made = await half.keyring.create(ADMIN, "domains/claims/projects/triage", wanted)
    monkeypatch.setattr(half.live, "now", lambda: made.key.expire_time - 300_000)
    answer = await half.ask(made.credential.text)
    assert answer.valid_for.ToMilliseconds() == 300
    assert answer.caller.expire_time.ToMicroseconds() == made.key.expire_time
    monkeypatch.setattr(half.live, "now", lambda: made.key.expire_time)
    assert (await refusal(half.ask(made.credential.text))).reason_name == "INVALID_CREDENTIAL"


async def test_a_revoked_key_is_refused_from_the_answer_on(world: World) -> None:
    half, made = world.half, world.keys["claims/app"]
    await half.ask(made.credential.text)
    done = await half.keyring.revoke(ADMIN, made.key.name)
    assert (await refusal(half.ask(made.credential.text))).reason_name == "INVALID_CREDENTIAL"
    assert (await half.keyring.revoke(ADMIN, made.key.name)).revision == done.revision


async def test_a_disabled_principal_has_no_valid_key(world: World) -> None:
    half = world.half
    wanted = identity_pb2.Principal(name="domains/claims/principals/app", disabled=True)
    await half.directory.update_principal(ADMIN, wanted, FieldMask(paths=["disabled"]))
    assert (await refusal(half.ask(world.secret("claims/app")))).reason_name == "INVALID_CREDENTIAL"


@pytest.mark.parametrize("role", sorted(BUILT_IN))
async def test_no_role_reaches_what_serves_the_mesh_only(world: World, role: str) -> None:
    half, name = world.half, "domains/platform/principals/tester"
    wanted = rules_pb2.ApplyPolicyRequest(
        parent="domains/platform",
        principals=[identity_pb2.Principal(name=name)],
        bindings=[rules_pb2.Binding(name="domains/platform/bindings/tester", principal=name, role=role, scope="*")],
    )
    await half.applying.apply(ADMIN, wanted)
    key = (await half.keyring.create(ADMIN, "domains/platform/projects/admin", identity_pb2.Key(principal=name))).credential.text
    for action in MESH_ACTIONS:
        error = await refusal(half.ask(key, action, "policy"))
        assert error.reason_name == "ACTION_DENIED", action


async def test_a_silent_store_is_unavailable_and_never_an_invalid_key(world: World) -> None:
    half, time = world.half, [0.0]
    source = Silent(half)
    live = Live(source, staleness=2.0, monotonic=lambda: time[0])
    await live.refresh()
    authorizer = Authorizer(live, half.pepper, half.seals)
    good = policy_pb2.AuthorizeRequest(credential=world.secret("claims/app"), action="models.generate", resource="models/x")
    unknown = policy_pb2.AuthorizeRequest(credential="mk_" + "0" * 16 + "_" + "a" * 43, action="models.generate", resource="models/x")
    source.silent = True
    time[0] = 1.0
    await authorizer.authorize(good)
    error = await refusal(authorizer.authorize(unknown))
    assert (error.reason_name, error.code) == ("STORE_UNAVAILABLE", grpc.StatusCode.UNAVAILABLE)
    time[0] = 2.5
    for asked in (good, unknown):
        assert (await refusal(authorizer.authorize(asked))).code is grpc.StatusCode.UNAVAILABLE


class Silent:
    """A store that stops to answer."""

    def __init__(self, half: Half) -> None:
        self._half = half
        self.silent = False

    async def contents(self, since: int) -> Contents | None:
        if self.silent:
            raise store_unavailable()
        return await self._half.store.contents(since)


async def test_a_wanted_revision_that_the_store_does_not_have_is_unavailable(world: World) -> None:
    asked = policy_pb2.AuthorizeRequest(
        credential=world.secret("claims/app"), action="models.generate", resource="models/x", minimum_revision=10_000
    )
    assert (await refusal(world.half.authorizer.authorize(asked))).code is grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(("field", "value"), [("action", ""), ("action", "a" * 1025), ("resource", "r" * 1025), ("project", "p" * 1025)])
async def test_fields_out_of_bounds_are_named(world: World, field: str, value: str) -> None:
    asked = policy_pb2.AuthorizeRequest(credential=world.secret("claims/app"), action="models.generate", resource="models/x")
    setattr(asked, field, value)
    error = await refusal(world.half.authorizer.authorize(asked))
    assert (error.reason_name, error.field) == ("INVALID_FIELD", field)


async def test_the_first_administrator_is_made_once_per_token(half: Half) -> None:
    made = await half.admin()
    assert (await half.ask(made.credential.text, "domains.create", "domains/claims")).caller.roles == ["roles/platform-admin"]
    assert (await refusal(half.admin())).reason_name == "INVALID_BOOTSTRAP_TOKEN"


async def test_a_wrong_or_absent_bootstrap_token_is_refused_and_a_key_does_not_do(world: World) -> None:
    for credential in ("mb_wrong", "", world.secret("admin")):
        error = await refusal(world.half.ask(credential, "platform.bootstrap", "platform"))
        assert (error.reason_name, error.code) == ("INVALID_BOOTSTRAP_TOKEN", grpc.StatusCode.UNAUTHENTICATED)
    without = Half(world.half.database, token="")
    await without.live.refresh()
    assert (await refusal(without.ask("mb_", "platform.bootstrap", "platform"))).reason_name == "INVALID_BOOTSTRAP_TOKEN"


async def test_watchers_hear_of_each_new_revision(world: World) -> None:
    half = world.half
    revisions = half.live.revisions(asyncio.get_running_loop().time() + 60)
    first = await anext(revisions)
    assert first == half.live.snapshot().revision
    done = await half.keyring.revoke(ADMIN, world.keys["claims/app"].key.name)
    assert await anext(revisions) == done.revision == first + 1
    await revisions.aclose()


async def test_a_watch_ends_in_time(world: World) -> None:
    until = asyncio.get_running_loop().time() + 0.05
    seen = [revision async for revision in world.half.live.revisions(until)]
    assert seen == [world.half.live.snapshot().revision]


async def test_a_caller_has_the_roles_of_its_moment(world: World) -> None:
    assert list((await world.half.ask(world.secret("claims/app"))).caller.roles) == ["roles/application"]
    binding = rules_pb2.Binding(principal="domains/claims/principals/app", role="roles/viewer")
    done = await world.half.rules.create_binding(ADMIN, "domains/claims", "", binding)
    answer = await world.half.ask(world.secret("claims/app"))
    assert list(answer.caller.roles) == ["roles/application", "roles/viewer"]
    assert answer.revision == answer.caller.revision == done.revision
