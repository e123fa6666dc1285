"""Admission: allowed models, constraints of domain and project, masking, and what is sealed."""

import time
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from llm_mesh.inference.v1 import content_pb2, embed_pb2, generate_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_policy.admission.domain.admitting import Admitting, OutputBounds
from llm_mesh_policy.ledger.domain.reservation import REFUSED, SETTLED
from llm_mesh_policy.screening.domain.rules import ScreeningRules
from llm_mesh_runtime.database import Database
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.heavy import HeavyWork
from tests.policy.ledger_world import DOMAIN, PROJECT, World
from tests.policy.trails import Kept, trail

PEM = "-----BEGIN PRIVATE KEY-----\nMII\n-----END PRIVATE KEY-----"


class Now:
    """A clock that tests move."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


class Admission:
    """An admission with its surroundings."""

    def __init__(self, *rules: str, screen_output: bool = False) -> None:
        self.world = World(Database("sqlite://", name="policy"))
        self.clock = Now()
        self.records = Kept()
        self.admitting = Admitting(
            self.world.identity,
            self.world.seals,
            self.clock,
            ScreeningRules(rules),
            outputs=OutputBounds(default=100, most=1000),
            screen_output=screen_output,
            heavy=HeavyWork(256 * 1024 * 1024),
            trail=trail(self.records),
        )

    def request(self, generate: generate_pb2.GenerateInput | None = None, **caller: str) -> policy_pb2.AdmitRequest:
        sealed = self.world.seals.sealed("llm_mesh.policy.v1.Caller", self.world.caller(**caller).SerializeToString(), "policy")
        return policy_pb2.AdmitRequest(caller=sealed, generate=generate or chat("hello"))

    async def admit(self, generate: generate_pb2.GenerateInput | None = None) -> policy_pb2.AdmitResponse:
        return await self.admitting.admit(self.request(generate))

    def opened(self, response: policy_pb2.AdmitResponse, audience: str = "policy") -> admission_pb2.Admission:
        return admission_pb2.Admission.FromString(self.world.seals.opened(audience, "llm_mesh.policy.v1.Admission", response.admission))


def chat(text: str) -> generate_pb2.GenerateInput:
    part = content_pb2.Part(text=content_pb2.Text(text=text))
    return generate_pb2.GenerateInput(model="big", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])


async def refused(admission: Admission, request: policy_pb2.AdmitRequest) -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await admission.admitting.admit(request)
    return refusal.value


async def test_an_admission_says_who_what_and_within_which_bounds_to_policy_and_router() -> None:
    admission = Admission()
    admission.world.identity.domains[DOMAIN].regions.append("eu")
    admission.world.identity.domains[DOMAIN].default_data_class = "confidential"
    response = await admission.admit()
    found = admission.opened(response, "router")
    assert found == admission.opened(response)
    assert (found.caller.project, found.alias, found.operation, found.revision) == (PROJECT, "big", "generate", 7)
    assert (list(found.constraints.regions), found.constraints.data_class) == (["eu"], "confidential")
    assert found.expire_time.ToMicroseconds() <= time.time_ns() // 1000 + 60_000_000
    assert response.WhichOneof("masked") is None


@pytest.mark.parametrize(("wanted", "project", "given"), [(0, 0, 100), (500, 0, 500), (5000, 0, 1000), (0, 50, 50), (500, 50, 50)])
async def test_output_tokens_are_the_requests_wish_within_the_projects_cap(wanted: int, project: int, given: int) -> None:
    admission = Admission()
    admission.world.identity.projects[PROJECT].max_output_tokens = project
    message = chat("hello")
    message.max_output_tokens = wanted
    assert admission.opened(await admission.admit(message)).constraints.max_output_tokens == given


async def test_a_denied_model_is_refused() -> None:
    admission = Admission()
    admission.world.identity.denied.add("big")
    assert (await refused(admission, admission.request())).reason_name == "MODEL_DENIED"


async def test_a_caller_that_nobody_sealed_or_that_has_expired_is_refused() -> None:
    admission = Admission()
    forged = admission.request()
    forged.caller.payload = admission.world.caller(domain="domains/other").SerializeToString()
    assert (await refused(admission, forged)).reason_name == "INVALID_SEAL"
    late = admission.request()
    admission.clock.ahead = timedelta(seconds=61)
    assert (await refused(admission, late)).reason_name == "ADMISSION_EXPIRED"


async def test_a_credential_without_a_project_is_told_to_select_one() -> None:
    admission = Admission()
    assert (await refused(admission, admission.request(project=""))).reason_name == "PROJECT_NOT_SELECTED"


async def test_an_embedding_is_admitted() -> None:
    admission = Admission()
    request = admission.request()
    request.embed.CopyFrom(embed_pb2.EmbedInput(model="small", items=[embed_pb2.EmbedItem(text="x")]))
    assert admission.opened(await admission.admitting.admit(request)).operation == "embed"


async def test_a_private_key_is_masked_wherever_it_stands() -> None:
    admission = Admission("private_key=mask")
    message = chat(f"see {PEM}")
    message.extras.add(dialect="openai", key="metadata", json=orjson.dumps({"deep": ["ok", PEM]}))
    message.messages[0].parts.add().tool_result.CopyFrom(
        content_pb2.ToolResult(tool_call_id="t", parts=[content_pb2.Part(text=content_pb2.Text(text=PEM))])
    )
    message.tools.add().function.CopyFrom(content_pb2.FunctionTool(name="f", description=PEM))
    response = await admission.admit(message)
    assert response.WhichOneof("masked") == "generate"
    assert b"BEGIN" not in response.generate.SerializeToString()
    assert orjson.loads(response.generate.extras[0].json) == {"deep": ["ok", "[private_key]"]}
    assert [finding.field for finding in response.findings] == [
        "messages[0].parts[0].text",
        "messages[0].parts[1].tool_result.parts[0].text",
        "tools[0].function.description",
        "extras[0].json",
    ]


async def test_blocked_content_is_refused_without_repeating_it() -> None:
    admission = Admission("credit_card=block")
    error = await refused(admission, admission.request(chat("pay 4111 1111 1111 1111")))
    assert (error.reason_name, error.metadata["detectors"]) == ("CONTENT_BLOCKED", "credit_card")
    assert "4111" not in str(error)


async def test_a_long_request_is_screened_like_a_short_one() -> None:
    admission = Admission("private_key=mask")
    response = await admission.admit(chat("x" * 40_000 + PEM))
    assert response.generate.messages[0].parts[0].text.text.endswith("x[private_key]")


async def test_output_screening_is_obliged_only_where_it_is_on_and_something_is_watched() -> None:
    obligations = (await Admission("private_key=mask", screen_output=True).admit()).obligations
    assert [item.WhichOneof("kind") for item in obligations.items] == ["screen_output"]
    assert not (await Admission("private_key=mask").admit()).HasField("obligations")
    assert not (await Admission(screen_output=True).admit()).HasField("obligations")


async def test_a_refusal_is_in_the_audit_trail_before_it_is_told() -> None:
    admission = Admission("credit_card=block")
    request = admission.request(chat("pay 4111 1111 1111 1111"))
    request.request_id = "r1"
    await refused(admission, request)
    (entry,) = admission.records.entries
    assert (entry.action, entry.allowed, entry.detail) == ("requests.screen", False, "credit_card blocked 1")
    assert (entry.domain, entry.resource, entry.request_id) == (DOMAIN, PROJECT, "r1")
    (made,) = admission.records.refused
    assert (made.entry.state, made.entry.alias, made.entry.request_id) == (REFUSED, "big", "r1")
    assert [(each.detector, each.blocked) for each in made.entry.screened] == [("credit_card", 1)]
    assert "4111" not in str(made.entry)


async def test_a_refusal_says_what_was_found_and_names_its_entry() -> None:
    admission = Admission("credit_card=block", "email=log")
    refusal = await refused(admission, admission.request(chat("ana@example.org pays by 4111 1111 1111 1111")))
    assert refusal.metadata["screened"] == "request.credit_card.blocked=1, request.email.noted=1"
    assert refusal.metadata["reservation"] == admission.records.refused[0].entry.name


async def test_what_must_not_leave_is_refused_though_the_trail_cannot_be_written() -> None:
    admission = Admission("credit_card=block")
    admission.records.failure = RuntimeError("the disk is full")
    assert (await refused(admission, admission.request(chat("pay 4111 1111 1111 1111")))).reason_name == "CONTENT_BLOCKED"


async def test_what_was_masked_is_in_the_admission_for_reserve_to_record() -> None:
    admission = Admission("credit_card=mask", "email=log")
    found = admission.opened(await admission.admit(chat("4111 1111 1111 1111 of ana@example.org and bob@example.org")))
    assert [(each.detector, each.logged, each.masked) for each in found.screened] == [("credit_card", 0, 1), ("email", 2, 0)]
    assert not admission.records.entries


def counting(admission: Admission, text: str) -> policy_pb2.AdmitRequest:
    request = admission.request(chat(text))
    request.counts_only, request.request_id = True, "r1"
    return request


async def test_what_is_masked_in_an_input_that_is_only_counted_is_recorded_at_once() -> None:
    admission = Admission("credit_card=mask", "email=log")
    response = await admission.admitting.admit(counting(admission, "4111 1111 1111 1111 of ana@example.org"))
    assert response.generate.messages[0].parts[0].text.text == "[credit_card] of ana@example.org"
    (entry,) = admission.records.entries
    assert (entry.action, entry.allowed, entry.detail, entry.request_id) == (
        "requests.screen", True, "credit_card masked 1, email noted 1", "r1",
    )  # fmt: skip
    (made,) = admission.records.refused
    assert (made.entry.state, made.entry.operation, made.entry.alias) == (SETTLED, "count_tokens", "big")
    assert [(each.detector, each.masked, each.logged) for each in made.entry.screened] == [("credit_card", 1, 0), ("email", 0, 1)]
    assert "4111" not in str(made.entry)
    await admission.admitting.admit(counting(admission, "hello"))
    assert len(admission.records.entries) == 1, "a clean count writes nothing"


async def test_a_count_whose_masks_cannot_be_recorded_is_refused() -> None:
    admission = Admission("credit_card=mask")
    admission.records.failure = TimeoutError()
    refusal = await refused(admission, counting(admission, "4111 1111 1111 1111"))
    assert (refusal.reason_name, refusal.retry_after) == ("AUDIT_UNAVAILABLE", 1.0)


async def test_a_count_that_must_not_leave_is_refused_as_a_count() -> None:
    admission = Admission("credit_card=block")
    assert (await refused(admission, counting(admission, "4111 1111 1111 1111"))).reason_name == "CONTENT_BLOCKED"
    (made,) = admission.records.refused
    assert (made.entry.state, made.entry.operation, made.entry.refused_reason) == (REFUSED, "count_tokens", "CONTENT_BLOCKED")


async def test_a_clean_request_has_nothing_to_record() -> None:
    admission = Admission("credit_card=mask")
    assert not admission.opened(await admission.admit()).screened
