"""Who is served, over every link: services by the table, keys by policy's word, nobody by omission."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import grpc
import pytest

from llm_mesh_runtime.access.credentials import Credentials
from llm_mesh_runtime.access.stage import AccessStage
from llm_mesh_runtime.peer_errors import from_rpc_error
from llm_mesh_runtime.pressure import Pressure
from llm_mesh_runtime.shares import Party
from llm_mesh_runtime.testing import FakePolicy, Link, host
from tests.contract.conftest import Linked
from tests.contract.echo import CONTRACT, Echo, messages, service, stub


def say(**fields: Any) -> Any:
    return messages().SayRequest(**fields)


async def refused(awaitable: Any) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await awaitable
    return raised.value.code(), from_rpc_error(raised.value).reason_name


async def test_a_service_is_served_under_its_name(linked: Linked) -> None:
    for method in (linked.stub.Say, linked.stub.Whisper):
        seen = (await method(say())).seen
        assert (seen["caller"], seen["service"]) == ("service", "console")


async def test_a_key_that_policy_knows_is_served_as_whom_policy_says(linked: Linked) -> None:
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    seen = (await ana.Say(say(name="notes/7"))).seen
    assert (seen["caller"], seen["principal"], seen["service"]) == ("key", "domains/claims/principals/ana", "")
    assert linked.mesh.policy is not None
    asked = linked.mesh.policy.questions[-1]
    assert (asked.credential, asked.method, asked.resource, asked.action) == ("mk_ana", f"/{CONTRACT}/Say", "notes/7", "echoes.say")


async def test_the_selected_project_is_part_of_the_question(linked: Linked) -> None:
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    await ana.Say(say(), metadata=(("x-llm-mesh-project", "triage"),))
    assert linked.mesh.policy is not None
    assert linked.mesh.policy.questions[-1].project == "triage"


@pytest.mark.parametrize("metadata", [(), (("authorization", "Basic YTpi"),), (("authorization", "Bearer "),)])
async def test_without_a_readable_credential_nobody_is_served(linked: Linked, metadata: Any) -> None:
    stranger = stub(linked.mesh.application("echo"))
    assert await refused(stranger.Say(say(), metadata=metadata)) == (grpc.StatusCode.UNAUTHENTICATED, "MISSING_CREDENTIAL")
    assert linked.echo.calls == 0


async def test_a_key_that_policy_does_not_know_is_refused_with_policys_reason(linked: Linked) -> None:
    stranger = stub(linked.mesh.application("echo", key="mk_stranger"))
    assert await refused(stranger.Say(say())) == (grpc.StatusCode.UNAUTHENTICATED, "INVALID_CREDENTIAL")
    assert linked.echo.calls == 0


async def test_a_stream_of_requests_is_authorised_by_its_first_message(linked: Linked) -> None:
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    assert (await ana.Sum(iter([messages().CountRequest(name="sums/1", number=4)]))).number == 4
    assert linked.mesh.policy is not None
    assert linked.mesh.policy.questions[-1].resource == "sums/1"
    stranger = stub(linked.mesh.application("echo", key="mk_stranger"))
    assert (await refused(stranger.Sum(iter([messages().CountRequest(number=4)]))))[1] == "INVALID_CREDENTIAL"


async def test_a_mesh_method_is_absent_from_the_public_listener(linked: Linked) -> None:
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    assert (await refused(ana.Whisper(say())))[0] is grpc.StatusCode.UNIMPLEMENTED
    assert linked.echo.calls == 0


async def test_a_key_opens_no_mesh_method_even_beside_a_services_name(linked: Linked) -> None:
    whisper = linked.stub.Whisper(say(), metadata=(("authorization", "Bearer mk_ana"),))
    assert await refused(whisper) == (grpc.StatusCode.PERMISSION_DENIED, "MESH_ONLY")
    assert linked.echo.calls == 0


async def test_a_service_that_passes_a_key_on_is_served_as_that_key(linked: Linked) -> None:
    seen = (await linked.stub.Say(say(), metadata=(("authorization", "Bearer mk_ana"),))).seen
    assert (seen["caller"], seen["principal"]) == ("key", "domains/claims/principals/ana")
    assert (await refused(linked.stub.Say(say(), metadata=(("authorization", "Bearer mk_stranger"),))))[1] == "INVALID_CREDENTIAL"


async def test_the_public_listener_drops_the_meshs_own_metadata(linked: Linked) -> None:
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    seen = (await ana.Say(say(), metadata=(("llm-mesh-secret", "forged"), ("x-test", "kept")))).seen
    assert (seen["llm-mesh-secret"], seen["x-test"]) == ("", "kept")
    assert "llm-mesh" not in seen["metadata"].replace("x-llm-mesh", "")


async def test_a_service_token_means_nothing_at_the_public_listener(linked: Linked) -> None:
    from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens  # noqa: PLC0415 (only this case forges one)
    from llm_mesh_runtime.testing import _SECRET  # noqa: PLC0415

    token = ServiceTokens(_SECRET.reveal().encode()).token("console", "echo")
    stranger = stub(linked.mesh.application("echo"))
    assert (await refused(stranger.Say(say(), metadata=((HEADER, token),))))[1] == "MISSING_CREDENTIAL"


async def test_a_call_cannot_claim_to_come_from_another_service(linked: Linked) -> None:
    from llm_mesh_runtime.access.tokens import HEADER, ServiceTokens  # noqa: PLC0415 (see above)
    from llm_mesh_runtime.testing import _SECRET  # noqa: PLC0415

    stolen = ServiceTokens(_SECRET.reveal().encode()).token("gateway", "echo")
    seen = (await linked.stub.Whisper(say(), metadata=((HEADER, stolen), ("llm-mesh-service", "gateway")))).seen
    assert seen["service"] == "console"


async def test_a_service_outside_of_the_table_is_refused(link: Link, certificates: Callable[[str], Mapping[str, str]]) -> None:
    echo, stranger = Echo(), Echo()
    wanted = (service(echo), service(stranger, "adapter/stranger", next_name="echo"))
    async with host(*wanted, link=link, tls=certificates) as mesh:
        relay = stub(mesh.channel("adapter/stranger")).Say(say(behaviour="relay"))
        assert await refused(relay) == (grpc.StatusCode.PERMISSION_DENIED, "CALLER_NOT_ALLOWED")
        assert echo.calls == 0


async def test_settings_extend_the_table(link: Link, certificates: Callable[[str], Mapping[str, str]]) -> None:
    echo, stranger = Echo(), Echo()
    wanted = (service(echo), service(stranger, "adapter/stranger", next_name="echo"))
    async with host(*wanted, link=link, tls=certificates, allow_calls=("adapter/stranger>echo",)) as mesh:
        answer = await stub(mesh.channel("adapter/stranger")).Say(say(behaviour="relay"))
        assert answer.seen["service"] == "adapter/stranger"


async def test_policys_answer_is_reused_until_the_revision_changes(linked: Linked) -> None:
    policy = linked.mesh.policy
    assert policy is not None
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    async with asyncio.timeout(5):
        while await asked_twice(policy, ana):  # until the revision is followed
            pass
    before = len(policy.questions)
    await ana.Say(say(name="b"))
    assert len(policy.questions) == before + 1
    policy.keys.clear()
    policy.change()
    async with asyncio.timeout(0.8):  # by itself an answer ends after a second
        while await _served(ana):
            pass
    assert await refused(ana.Say(say(name="a"))) == (grpc.StatusCode.UNAUTHENTICATED, "INVALID_CREDENTIAL")


async def test_policys_answer_about_a_method_says_nothing_about_another(linked: Linked) -> None:
    policy = linked.mesh.policy
    assert policy is not None
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    async with asyncio.timeout(5):
        while await asked_twice(policy, ana):  # until the revision is followed
            pass
    before = len(policy.questions)
    await ana.Sum(iter([messages().CountRequest(name="a")]))
    assert [asked.action for asked in policy.questions[before:]] == ["echoes.sum"]


async def asked_twice(policy: FakePolicy, application: Any) -> bool:
    before = len(policy.questions)
    await application.Say(say(name="a"))
    await application.Say(say(name="a"))
    return len(policy.questions) - before == 2


async def _served(application: Any) -> bool:
    try:
        await application.Say(say(name="a"))
    except grpc.aio.AioRpcError:
        return False
    return True


async def test_a_policy_that_fails_denies_without_blaming_the_credential(
    link: Link, certificates: Callable[[str], Mapping[str, str]]
) -> None:
    class BrokenPolicy(FakePolicy):
        async def Authorize(self, _request: Any, _context: object) -> Any:
            raise RuntimeError

    echo = Echo()
    async with host(service(echo), link=link, tls=certificates, policy=BrokenPolicy()) as mesh:
        ana = stub(mesh.application("echo", key="mk_ana"))
        assert (await refused(ana.Say(say())))[0] is grpc.StatusCode.INTERNAL
        assert echo.calls == 0


async def test_callers_from_outside_are_counted_until_their_calls_end(linked: Linked, monkeypatch: pytest.MonkeyPatch) -> None:
    inside: list[int] = []
    parties: list[Party] = []
    enter, leave = Pressure.enter, Pressure.leave

    def entered(pressure: Pressure, party: Party) -> bool:
        inside.append(1)
        parties.append(party)
        return enter(pressure, party)

    def left(pressure: Pressure, party: Party) -> None:
        inside.append(-1)
        parties.remove(party)
        leave(pressure, party)

    monkeypatch.setattr(Pressure, "enter", entered)
    monkeypatch.setattr(Pressure, "leave", left)
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    nobody = stub(linked.mesh.application("echo", key="mk_nobody"))
    await linked.stub.Say(say())
    assert inside == []
    await ana.Say(say())
    assert inside == [1, -1]
    await refused(nobody.Say(say()))
    assert inside == [1, -1] * 2


async def test_calls_from_outside_count_to_the_callers_domain_as_soon_as_it_is_known(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    parties: list[Party] = []
    enter = Pressure.enter

    def entered(pressure: Pressure, party: Party) -> bool:
        parties.append(party)
        return enter(pressure, party)

    monkeypatch.setattr(Pressure, "enter", entered)
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    for _ in range(2):
        await ana.Say(say())
    monkeypatch.setattr(Credentials, "known", lambda *_: None)
    monkeypatch.setattr(AccessStage, "cached", lambda *_: None)
    await ana.Say(say())
    assert not parties[0].domain.startswith("domains/")
    assert parties[1:] == [Party("domains/claims", "domains/claims/principals/ana")] * 2


async def test_an_overloaded_process_refuses_callers_from_outside_and_serves_the_mesh(
    linked: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Pressure, "admits", lambda *_: False)
    ana = stub(linked.mesh.application("echo", key="mk_ana"))
    assert await refused(ana.Say(say())) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "OVERLOADED")
    assert linked.echo.calls == 0
    assert (await linked.stub.Say(say())).seen["service"] == "console"
