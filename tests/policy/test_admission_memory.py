"""What admission remembers it forgets with whatever it depends on."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import timedelta

import pytest
from google.protobuf.field_mask_pb2 import FieldMask

from llm_mesh.policy.v1 import identity_pb2
from llm_mesh_policy.admission.domain.ids import Ids
from llm_mesh_policy.rules.domain.allowances import Allowances
from llm_mesh_runtime.errors import MeshError
from tests.policy.conftest import ADMIN, World
from tests.policy.ledger_world import DOMAIN, FakeIdentity
from tests.policy.test_admission import Admission, refused


async def test_a_caller_that_was_let_in_is_refused_once_it_has_expired() -> None:
    admission = Admission()
    request = admission.request()
    await admission.admitting.admit(request)
    admission.clock.ahead = timedelta(seconds=61)
    assert (await refused(admission, request)).reason_name == "ADMISSION_EXPIRED"


async def test_a_caller_that_was_let_in_lets_nobody_in_who_changes_a_byte() -> None:
    admission = Admission()
    request = admission.request()
    await admission.admitting.admit(request)
    seal = request.caller.seals[0]
    seal.mac = seal.mac[:-1] + bytes([seal.mac[-1] ^ 1])
    assert (await refused(admission, request)).reason_name == "INVALID_SEAL"


async def test_bounds_are_those_of_the_present_revision(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission()
    request = admission.request()
    first = admission.opened(await admission.admitting.admit(request))
    newer = FakeIdentity(revision=8, domains={DOMAIN: identity_pb2.Domain(name=DOMAIN, regions=["eu"])})
    monkeypatch.setattr(admission.world.identity, "snapshot", lambda: newer)
    second = admission.opened(await admission.admitting.admit(request))
    assert (list(first.constraints.regions), first.revision) == ([], 7)
    assert (list(second.constraints.regions), second.revision) == (["eu"], 8)


async def test_admissions_of_one_caller_share_nothing_but_their_bounds() -> None:
    admission = Admission()
    request = admission.request()
    request.tags["team"] = "a"
    first = admission.opened(await admission.admitting.admit(request))
    del request.tags["team"]
    request.generate.max_output_tokens = 7
    second = admission.opened(await admission.admitting.admit(request))
    assert (dict(first.tags), dict(second.tags)) == ({"team": "a"}, {})
    assert (first.constraints.max_output_tokens, second.constraints.max_output_tokens) == (100, 7)
    assert first.id != second.id


@pytest.mark.parametrize("of", ["key", "project"])
async def test_what_one_key_or_project_may_call_is_not_what_another_may(monkeypatch: pytest.MonkeyPatch, of: str) -> None:
    admission = Admission()
    monkeypatch.setattr(admission.world.identity, "callable_models", lambda caller: [[getattr(caller, of)]])
    names = [f"{DOMAIN}/{of}s/{number}" for number in range(2)]
    found = [admission.opened(await admission.admitting.admit(admission.request(None, **{of: name}))) for name in names]
    assert [[list(listed.patterns) for listed in each.constraints.callable_models] for each in found] == [[[name]] for name in names]


async def test_an_alias_that_was_allowed_is_refused_when_the_lists_change(world: World) -> None:
    half, key = world.half, world.keys["claims/app"].key
    allowances = Allowances()
    project = "domains/claims/projects/triage"
    for _ in range(2):
        allowances.check(half.live.snapshot(), key.name, project, "gpt-4.1")
    only = identity_pb2.Project(name=project, allowed_models=["sim-*"])
    await half.directory.update_project(ADMIN, only, FieldMask(paths=["allowed_models"]))
    with pytest.raises(MeshError, match=r"gpt-4\.1"):
        allowances.check(half.live.snapshot(), key.name, project, "gpt-4.1")
    allowances.check(half.live.snapshot(), key.name, project, "sim-echo")
    revoked = replace(key, revoke_time=1)
    await half.store.change(lambda transaction: transaction.save_key(revoked))
    await half.live.refresh()
    with pytest.raises(MeshError):
        allowances.check(half.live.snapshot(), key.name, project, "sim-echo")


def test_ids_never_repeat_not_even_in_a_process_that_was_forked(monkeypatch: pytest.MonkeyPatch) -> None:
    ids = Ids()
    made = [ids.fresh() for _ in range(1000)]
    assert len(set(made)) == 1000
    assert {len(each) for each in made} == {32}
    page, at = ids._page, ids._at
    parent = ids.fresh()
    ids._page, ids._at = page, at  # as a fork finds it
    monkeypatch.setattr(os, "getpid", lambda: -1)
    assert ids.fresh() != parent


async def test_an_alias_that_was_admitted_is_refused_at_a_revision_that_denies_it(monkeypatch: pytest.MonkeyPatch) -> None:
    admission = Admission()
    request = admission.request()
    await admission.admitting.admit(request)
    newer = FakeIdentity(revision=8)
    monkeypatch.setattr(admission.world.identity, "snapshot", lambda: newer)
    admission.world.identity.denied.add("big")
    assert (await refused(admission, request)).reason_name == "MODEL_DENIED"
    admission.world.identity.denied.clear()
    assert admission.opened(await admission.admitting.admit(request)).revision == 8


async def test_what_one_answer_is_obliged_to_stands_in_no_other() -> None:
    admission = Admission("email=mask", screen_output=True)
    request = admission.request()
    responses = [await admission.admitting.admit(request) for _ in range(2)]
    states = [response.obligations.items[0].screen_output.state for response in responses]
    assert [len(response.obligations.items) for response in responses] == [1, 1]
    assert states[0] != states[1]


async def test_gateways_that_do_not_know_the_list_of_obligations_are_obliged_alike() -> None:
    admission = Admission("email=mask", screen_output=True)
    obligations = (await admission.admitting.admit(admission.request())).obligations
    assert obligations.screen_output
    assert obligations.screen_state == obligations.items[0].screen_output.state
