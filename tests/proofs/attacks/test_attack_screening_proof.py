"""Screening leaves proof: in the audit trail, in the ledger's entry and so in `tail`, in a header, in the receipt; never the text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import rules_pb2, rules_pb2_grpc, usage_pb2
from tests.proofs.attacks.listening import Listener, completion, listening
from tests.proofs.http import Reply
from tests.proofs.stand import Stand, bearer, model, provider, stand, until

CARD = "4111 1111 1111 1111"
MAIL = "ana@example.org"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
HEADER = "x-llm-mesh-screened"
PATHS = ("/v1/chat/completions", "/v1/messages")
REFUSED = usage_pb2.RESERVATION_STATE_REFUSED


@pytest.fixture(scope="module")
def saying() -> Iterator[Listener]:
    """A provider that says a card number and, where it is asked to, a key."""
    with listening() as listener:
        listener.answer = lambda _: completion(f"it is {CARD}")
        yield listener


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory, saying: Listener) -> Iterator[Stand]:
    """A mesh that masks cards, notes addresses of mail and lets no private key pass, both ways."""
    folder: Path = tmp_path_factory.mktemp("screening-proof")
    settings = {
        "LLM_MESH_POLICY_SCREENING": "credit_card=mask,email=log,private_key=block",
        "LLM_MESH_POLICY_SCREEN_OUTPUT": "true",
        "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LISTENER": json.dumps({"base_url": f"http://{saying.address}/v1", "local": True}),
    }
    with provider(folder) as simulator, stand(folder, simulator, settings) as made:
        made.put_models([model("plain", "sim-echo"), model("said", "m", endpoint="listener")])
        yield made


def asked(mesh: Stand, path: str, text: str, *, name: str = "plain", stream: bool = False) -> Reply:
    body = {"model": name, "max_tokens": 60, "stream": stream, "messages": [{"role": "user", "content": text}]}
    return mesh.ask(body, path=path)


def last_receipt(reply: Reply) -> dict[str, Any]:
    """What the mesh tells at the end of a stream: in a comment, or in the usage where the dialect always has one."""
    lines = reply.body.decode().splitlines()
    comment = next((line.removeprefix(": llm_mesh ") for line in lines if line.startswith(": llm_mesh ")), "")
    found: dict[str, Any] = (
        json.loads(comment) if comment else next(e for e in reply.events() if e["type"] == "message_delta")["usage"]["llm_mesh"]
    )
    return found


def audited(mesh: Stand, request: str, action: str) -> rules_pb2.AuditRecord:
    """The one record of a request or its answer."""
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    wanted = rules_pb2.ListAuditRecordsRequest(parent="domains/default", page_size=200)

    def found() -> list[rules_pb2.AuditRecord]:
        records = stub.ListAuditRecords(wanted, metadata=mesh.admin, timeout=20).records
        admissions = {entry.admission_id for entry in mesh.entries(request)}
        return [
            record
            for record in records
            if record.action == action and (record.request_id == request or record.detail.rpartition("admission ")[2] in admissions)
        ]

    records: list[rules_pb2.AuditRecord] = until(found, f"{action} of {request}")
    (record,) = records
    return record


def counts(entry: usage_pb2.LedgerEntry) -> list[tuple[str, int, int, int, str]]:
    return [
        (
            each.detector,
            each.logged,
            each.masked,
            each.blocked,
            "answer" if each.direction == usage_pb2.SCREENING_DIRECTION_ANSWER else "request",
        )
        for each in entry.screened
    ]


def told_nowhere(mesh: Stand, *texts: str) -> None:
    """No text that screening found stands in the audit trail or in the ledger."""
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    records = stub.ListAuditRecords(rules_pb2.ListAuditRecordsRequest(parent="domains/default", page_size=200), metadata=mesh.admin)
    everything = f"{records} {mesh.entries()}"
    assert not [text for text in texts if text in everything]


@pytest.mark.parametrize("path", PATHS)
def test_a_mask_both_ways_is_in_the_header_of_a_whole_answer(mesh: Stand, path: str) -> None:
    reply = asked(mesh, path, f"charge {CARD} of {MAIL}", name="said")
    assert reply.status == 200, reply
    assert reply.headers[HEADER] == "request.credit_card.masked=1, request.email.noted=1, answer.credit_card.masked=1"
    request = reply.headers["x-request-id"]
    entry = mesh.entry(request)
    assert counts(entry) == [("credit_card", 0, 1, 0, "request"), ("email", 1, 0, 0, "request"), ("credit_card", 0, 1, 0, "answer")]
    assert audited(mesh, request, "requests.screen").detail == "credit_card masked 1, email noted 1"
    assert audited(mesh, request, "answers.screen").detail.startswith("credit_card masked 1; admission ")
    told_nowhere(mesh, CARD, MAIL)


@pytest.mark.parametrize("path", PATHS)
def test_a_stream_tells_the_request_in_the_header_and_all_of_it_at_its_end(mesh: Stand, path: str) -> None:
    reply = asked(mesh, path, f"charge {CARD} of {MAIL}", stream=True)
    assert reply.headers[HEADER] == "request.credit_card.masked=1, request.email.noted=1"
    assert last_receipt(reply)["screened"] == "request.credit_card.masked=1, request.email.noted=1, answer.email.noted=1"


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_a_blocked_request_leaves_an_entry_a_record_and_a_header(mesh: Stand, path: str, stream: bool) -> None:  # noqa: FBT001
    reply = asked(mesh, path, PEM, stream=stream)
    assert reply.status == 403, reply
    assert reply.headers[HEADER] == "request.private_key.blocked=1"
    request = reply.headers["x-request-id"]
    entry = mesh.entry(request)
    assert (entry.state, counts(entry)) == (REFUSED, [("private_key", 0, 0, 1, "request")])
    assert (entry.charged.nanos, entry.reserved.nanos, entry.alias) == (0, 0, "plain")
    assert reply.headers["x-llm-mesh-reservation"] == entry.name
    record = audited(mesh, request, "requests.screen")
    assert (record.allowed, record.detail) == (False, "private_key blocked 1")
    told_nowhere(mesh, "MIIEvQ")


@pytest.mark.parametrize("path", PATHS)
def test_a_blocked_answer_says_so_with_its_charge(mesh: Stand, saying: Listener, path: str) -> None:
    before, saying.answer = saying.answer, lambda _: completion(PEM)
    try:
        reply = asked(mesh, path, "say it", name="said")
    finally:
        saying.answer = before
    assert reply.code == "screening_failed", reply
    assert reply.headers[HEADER] == "answer.private_key.blocked=1"
    entry = mesh.entry(reply.headers["x-request-id"])
    assert counts(entry) == [("private_key", 0, 0, 1, "answer")]
    assert not audited(mesh, reply.headers["x-request-id"], "answers.screen").allowed


def test_what_holds_nothing_says_nothing(mesh: Stand) -> None:
    for path in PATHS:
        for stream in (False, True):
            reply = asked(mesh, path, "hello", stream=stream)
            assert reply.status == 200
            assert HEADER not in reply.headers
            assert "screened" not in reply.body.decode()


def test_a_count_tells_what_was_masked_before_it_was_counted(mesh: Stand) -> None:
    reply = asked(mesh, "/v1/messages/count_tokens", CARD)
    assert reply.headers[HEADER] == "request.credit_card.masked=1"


def test_the_receipt_over_grpc_has_the_counts(mesh: Stand) -> None:
    part = content_pb2.Part(text=content_pb2.Text(text=f"{CARD} {MAIL}"))
    given = generate_pb2.GenerateInput(model="plain", messages=[content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])])
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    answer = stub.Generate(gateway_pb2.GenerateRequest(input=given), metadata=mesh.user, timeout=20)
    whole = [(each.detector, each.logged, each.masked) for each in answer.receipt.screened]
    assert whole == [("credit_card", 0, 1), ("email", 1, 0), ("email", 1, 0)]
    messages = list(stub.GenerateStream(gateway_pb2.GenerateStreamRequest(input=given), metadata=mesh.user, timeout=20))
    assert [each.detector for each in messages[0].screened] == ["credit_card", "email"]
    assert list(messages[-1].receipt.screened) == list(answer.receipt.screened)
    given.messages[0].parts[0].text.text = PEM
    with pytest.raises(grpc.RpcError, match="private_key"):
        stub.Generate(gateway_pb2.GenerateRequest(input=given), metadata=mesh.user, timeout=20)


def test_tail_shows_masks_and_blocks(mesh: Stand) -> None:
    masked, blocked = asked(mesh, PATHS[0], CARD), asked(mesh, PATHS[0], PEM)
    mesh.entry(masked.headers["x-request-id"])

    def lines() -> list[str]:
        shown = mesh.mesh.cli("tail", "--no-follow", "-n", "20", "--json").stdout.splitlines()
        ids = [reply.headers["x-request-id"] for reply in (masked, blocked)]
        return [line for line in shown if any(each in line for each in ids)]

    until(lambda: len({line for line in lines() if "screened" in line}) >= 2, "tail knows both", pause=0.3)
    told = mesh.mesh.cli("tail", "--no-follow", "-n", "20").stdout
    assert "screened: request.credit_card.masked=1" in told
    assert "refused" in told
    assert "screened: request.private_key.blocked=1" in told


def test_a_strangers_domain_sees_none_of_it(mesh: Stand) -> None:
    asked(mesh, PATHS[0], PEM)
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    with pytest.raises(grpc.RpcError):
        stub.ListAuditRecords(rules_pb2.ListAuditRecordsRequest(parent="domains/default"), metadata=bearer(mesh.mesh.project_key))
