"""A kept answer is repeated to those alone who could have asked for it, and costs and tells nobody else anything."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anthropic
import grpc
import openai
import pytest
from google.protobuf import field_mask_pb2
from google.rpc import error_details_pb2, status_pb2

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.policy.v1 import identity_pb2, identity_pb2_grpc, policy_pb2, policy_pb2_grpc, rules_pb2, rules_pb2_grpc
from tests.proofs.attacks.losing import losing
from tests.proofs.gone import chat
from tests.proofs.http import Reply
from tests.proofs.load import chat_body
from tests.proofs.refusals import refused
from tests.proofs.stand import PATIENCE, PROJECT, Stand, bearer, model, provider, stand, until

KEEPING = "domains/default/projects/keeping"
NEIGHBOUR = "domains/default/projects/neighbour"
TENANT = "domains/tenant"
FOREIGN = f"{TENANT}/projects/keeping"
PRINCIPAL = "domains/default/principals/application"
WORDS = "the-marked-words-of-an-answer"
CODES = grpc.StatusCode


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """Three projects that keep answers, one of them another tenant's, and one that does not."""
    folder: Path = tmp_path_factory.mktemp("replay")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models([model("echo", "sim-echo"), model("tools", "sim-tools"), model("other-echo", "sim-echo")])
        made.apply_policy(projects=[identity_pb2.Project(name=name, keep_answers=True) for name in (KEEPING, NEIGHBOUR)])
        app = f"{TENANT}/principals/app"
        made.apply_policy(
            domains=[identity_pb2.Domain(name=TENANT)],
            projects=[identity_pb2.Project(name=FOREIGN, keep_answers=True)],
            principals=[identity_pb2.Principal(name=app)],
            bindings=[
                rules_pb2.Binding(name=f"{TENANT}/bindings/app", principal=app, role="roles/application"),
                rules_pb2.Binding(
                    name="domains/default/bindings/keeping", principal=PRINCIPAL, role="roles/application", scope="domains/default"
                ),
            ],
        )
        yield made


@pytest.fixture(scope="module")
def key(mesh: Stand) -> str:
    """A key of the project that keeps answers."""
    return mesh.new_key(KEEPING).secret


def ask(mesh: Stand, key: str, once: str, said: str = WORDS, *, alias: str = "echo", request: str = "", **more: Any) -> Reply:
    """A chat with an idempotency key."""
    named = {"x-request-id": request} if request else {}
    return mesh.ask(chat_body(alias, said, **more), key=key, headers={"idempotency-key": once, **named})


def http_of(mesh: Stand) -> str:
    """The edge."""
    return mesh.mesh.addresses["http"]


def received(mesh: Stand) -> int:
    """How many requests the provider has received at all."""
    return len(mesh.provider.log(event="received"))


def update(mesh: Stand, project: identity_pb2.Project, *fields: str) -> None:
    """Change a project by its administrator."""
    mask = field_mask_pb2.FieldMask(paths=fields)
    stub: Any = identity_pb2_grpc.IdentityServiceStub(mesh.channel)
    stub.UpdateProject(identity_pb2.UpdateProjectRequest(project=project, update_mask=mask), metadata=mesh.admin)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
@pytest.mark.parametrize("alias", ["echo", "tools"])
def test_a_repetition_is_the_same_answer_for_nothing(mesh: Stand, key: str, alias: str, stream: bool) -> None:  # noqa: FBT001
    name = f"same-{alias}-{stream}"
    tools = [{"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {"at": {"type": "string"}}}}}]
    more: dict[str, Any] = {"stream": stream, **({"tools": tools} if alias == "tools" else {})}
    if stream:
        more["stream_options"] = {"include_usage": True}
    first = ask(mesh, key, name, alias=alias, request=f"first-{name}", **more)
    assert first.status == 200, first.body
    assert "x-llm-mesh-replayed" not in first.headers
    before, entry = received(mesh), mesh.entry(f"first-{name}")
    again = ask(mesh, key, name, alias=alias, request=f"again-{name}", **more)
    assert (again.status, again.headers["x-llm-mesh-replayed"]) == (200, "true"), again.body
    assert received(mesh) == before
    assert mesh.entries(f"again-{name}") == []
    assert mesh.entry(f"first-{name}") == entry
    assert again.headers["x-llm-mesh-reservation"] == entry.name
    if stream:
        ours = [_without_receipt(event) for event in again.events()]
        assert ours == [_without_receipt(event) for event in first.events()]
        told = again.events()[-1]["usage"]["llm_mesh"]
        assert (told["cost"], told["replayed"], told["first"]["request"]) == ("0", True, f"first-{name}")
        assert told["first"]["cost"] == first.events()[-1]["usage"]["llm_mesh"]["cost"] != "0"
    else:
        assert _content(again) == _content(first)
        assert again.json()["usage"] == first.json()["usage"]
        assert (again.headers["x-llm-mesh-cost"], again.headers["x-llm-mesh-first-request"]) == ("0", f"first-{name}")


def _without_receipt(event: dict[str, Any]) -> dict[str, Any]:
    """Without what each answer has of its own."""
    if usage := event.get("usage"):
        return event | {"usage": {name: value for name, value in usage.items() if name != "llm_mesh"}}
    return event


def _content(reply: Reply) -> Any:
    return reply.json()["choices"]


def test_grpc_says_so_in_the_receipt(mesh: Stand, key: str) -> None:
    options = gateway_pb2.RequestOptions(idempotency_key="typed")
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    asking = gateway_pb2.GenerateRequest(input=chat("echo", WORDS), options=options)
    first, again = (stub.Generate(asking, metadata=bearer(key), timeout=PATIENCE) for _ in range(2))
    assert (again.output, again.receipt.replayed, again.receipt.charged.nanos) == (first.output, True, 0)
    assert again.receipt.first.charged == first.receipt.charged
    rules: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    asked = rules_pb2.ListAuditRecordsRequest(parent="domains/default", request_id=again.receipt.request_id)
    (record,) = rules.ListAuditRecords(asked, metadata=mesh.admin).records
    assert (record.action, record.resource) == ("answers.repeat", first.receipt.reservation)
    streaming = gateway_pb2.GenerateStreamRequest(input=chat("echo", WORDS), options=gateway_pb2.RequestOptions(idempotency_key="streamed"))
    first, again = (list(stub.GenerateStream(streaming, metadata=bearer(key), timeout=PATIENCE)) for _ in range(2))
    events = [[event for message in messages for event in message.events] for messages in (first, again)]
    assert events[0] == events[1]
    assert (again[0].replayed, again[-1].receipt.replayed, again[-1].receipt.charged.nanos) == (True, True, 0)


def test_vectors_are_repeated(mesh: Stand, key: str) -> None:
    mesh.put_models([embedding("vectors")])
    body = {"model": "vectors", "input": [WORDS]}
    first, again = (mesh.ask(body, key=key, headers={"idempotency-key": "vectors"}, path="/v1/embeddings") for _ in range(2))
    assert (first.status, again.status) == (200, 200), again.body
    assert again.headers["x-llm-mesh-replayed"] == "true"
    assert again.json()["data"] == first.json()["data"]


def embedding(alias: str) -> Any:
    """A model that embeds."""
    made = model(alias, "sim-embed")
    del made.capabilities[:]
    made.capabilities.append("embeddings")
    return made


@pytest.mark.parametrize("who", [NEIGHBOUR, FOREIGN], ids=["another project", "another tenant"])
def test_nobody_elses_idempotency_key_matches(mesh: Stand, key: str, who: str) -> None:
    ask(mesh, key, "mine", request="mine")
    principal = PRINCIPAL if who == NEIGHBOUR else f"{TENANT}/principals/app"
    theirs = mesh.new_key(who, principal).secret
    before = received(mesh)
    answer = ask(mesh, theirs, "mine", request=f"theirs-{who.rpartition('/')[0].replace('/', '-')}")
    assert (answer.status, "x-llm-mesh-replayed" in answer.headers) == (200, False), answer.body
    assert received(mesh) == before + 1, "the provider was asked"
    selected = mesh.ask(chat_body("echo", WORDS), key=theirs, headers={"idempotency-key": "mine", "x-llm-mesh-project": KEEPING})
    assert selected.status in {400, 401, 403, 404}, "a key cannot select the project"
    assert WORDS.encode() not in selected.body


def test_a_revoked_key_is_answered_nothing(mesh: Stand) -> None:
    mine = mesh.new_key(KEEPING)
    assert ask(mesh, mine.secret, "revoked").status == 200
    mesh.revoke(mine.key)
    refusal = ask(mesh, mine.secret, "revoked")
    assert refusal.status == 401
    assert WORDS.encode() not in refusal.body


def test_what_the_caller_may_not_ask_any_more_is_not_repeated(mesh: Stand, key: str) -> None:
    assert ask(mesh, key, "rights").status == 200
    update(mesh, identity_pb2.Project(name=KEEPING, allowed_models=["other-echo"]), "allowed_models")
    try:
        refusal = until(lambda: _refused(ask(mesh, key, "rights")), "the rights have changed")
        assert refusal.status in {403, 404}, refusal.body
        assert WORDS.encode() not in refusal.body
    finally:
        update(mesh, identity_pb2.Project(name=KEEPING), "allowed_models")
    again = until(lambda: _answered(ask(mesh, key, "rights")), "the rights are back")
    assert again.headers["x-llm-mesh-replayed"] == "true"


def _refused(reply: Reply) -> Reply | None:
    return None if reply.status == 200 else reply


def _answered(reply: Reply) -> Reply | None:
    return reply if reply.status == 200 else None


def test_another_request_under_the_key_is_refused(mesh: Stand, key: str) -> None:
    assert ask(mesh, key, "other-body").status == 200
    others: list[dict[str, Any]] = [{"said": "other words"}, {"stream": True}, {"temperature": 0.5}]
    for more in others:
        refusal = ask(mesh, key, "other-body", **more)
        assert (refusal.status, refusal.code) == (400, "idempotency_key_reused"), refusal.body
        assert WORDS.encode() not in refusal.body


def test_no_application_asks_policy_for_answers(mesh: Stand, key: str) -> None:
    stub: Any = policy_pb2_grpc.PolicyServiceStub(mesh.channel)
    forged = policy_pb2.GetKeptAnswerRequest(idempotency_key="other-body", request_digest=hashlib.sha256(b"forged").digest())
    for metadata in (mesh.admin, bearer(key)):
        told = refused(partial(stub.GetKeptAnswer, forged, metadata=metadata, timeout=PATIENCE))
        assert told.code in {CODES.UNIMPLEMENTED, CODES.PERMISSION_DENIED, CODES.UNAUTHENTICATED}, told


def test_where_the_project_keeps_nothing_the_refusal_has_the_receipt(mesh: Stand) -> None:
    first = mesh.ask(chat_body("echo", WORDS), headers={"idempotency-key": "unkept", "x-request-id": "first-unkept"})
    assert first.status == 200
    entry = mesh.entry("first-unkept")
    again = mesh.ask(chat_body("echo", WORDS), headers={"idempotency-key": "unkept"})
    assert (again.status, again.code, again.headers["x-should-retry"]) == (409, "idempotency_completed", "false"), again.body
    assert "`llm-mesh requests show first-unkept`" in again.error["message"]
    assert (again.headers["x-llm-mesh-cost"], again.headers["x-llm-mesh-first-request"]) == ("0", "first-unkept")
    usage = first.json()["usage"]
    assert again.error["llm_mesh"]["first"] == {
        "request": "first-unkept",
        "cost": first.headers["x-llm-mesh-cost"],
        "currency": "USD",
        "input_tokens": usage["prompt_tokens"],
        "output_tokens": usage["completion_tokens"],
        "outcome": "completed",
    }
    assert WORDS.encode() not in again.body
    asking = gateway_pb2.GenerateRequest(input=chat("echo", WORDS), options=gateway_pb2.RequestOptions(idempotency_key="unkept-typed"))
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    receipt = stub.Generate(asking, metadata=mesh.user, timeout=PATIENCE).receipt
    with pytest.raises(grpc.RpcError) as told:
        stub.Generate(asking, metadata=mesh.user, timeout=PATIENCE)
    metadata = error_info(told.value).metadata
    assert metadata["reservation"] == receipt.reservation
    assert (metadata["charged_nanos"], metadata["charged_currency"]) == (str(receipt.charged.nanos), "USD")
    assert (metadata["request_id"], metadata["outcome"], "answer" in metadata) == (receipt.request_id, "completed", False)
    assert entry.charged.nanos > 0


def error_info(error: Any) -> error_details_pb2.ErrorInfo:
    """The reason and its metadata."""
    details = dict(error.trailing_metadata())["grpc-status-details-bin"]
    info = error_details_pb2.ErrorInfo()
    assert any(detail.Unpack(info) for detail in status_pb2.Status.FromString(details).details)
    return info


def test_a_leave_that_is_taken_back_takes_the_answers_along(mesh: Stand) -> None:
    project = "domains/default/projects/leaving"
    mesh.apply_policy(projects=[identity_pb2.Project(name=project, keep_answers=True)])
    mine = mesh.new_key(project).secret
    assert ask(mesh, mine, "leaving").status == 200
    assert until(lambda: _answered(ask(mesh, mine, "leaving")), "it is kept").headers["x-llm-mesh-replayed"] == "true"
    for keep in (False, True):
        update(mesh, identity_pb2.Project(name=project, keep_answers=keep), "keep_answers")
        refusal = ask(mesh, mine, "leaving")
        assert (refusal.status, refusal.code) == (409, "idempotency_completed"), "though the project keeps answers again"


def test_to_keep_answers_is_marked_as_loosening(mesh: Stand) -> None:
    project = "domains/default/projects/marked"
    mesh.apply_policy(projects=[identity_pb2.Project(name=project)])
    stub: Any = rules_pb2_grpc.RuleServiceStub(mesh.channel)
    for keep, loosens in ((True, True), (False, False)):
        wanted = rules_pb2.ApplyPolicyRequest(
            parent="domains/platform",
            projects=[identity_pb2.Project(name=project, keep_answers=keep)],
            update_masks={project: field_mask_pb2.FieldMask(paths=["keep_answers"])},
        )
        (change,) = stub.ApplyPolicy(wanted, metadata=mesh.admin).changes
        assert ([field.path for field in change.fields], change.loosens) == (["keep_answers"], loosens)


def test_a_request_in_progress_is_waited_for(mesh: Stand, key: str) -> None:
    mesh.provider.behave("slow-one", fault="stall", stall_ms=1200)
    mesh.put_models([model("slow", "slow-one")])
    first: list[Reply] = []
    asking = threading.Thread(target=lambda: first.append(ask(mesh, key, "going", alias="slow", request="first-going")), daemon=True)
    asking.start()
    until(lambda: mesh.provider.received("first-going"), "the first is in progress")
    early = ask(mesh, key, "going", alias="slow")
    assert (early.status, early.code) == (409, "idempotency_in_progress"), early.body
    assert (early.headers["retry-after"], early.headers["x-should-retry"]) == ("1", "true")
    assert "first-going" in early.error["message"]
    with client(mesh, key, retries=5) as sdk:  # waits as it is told, and then has the answer
        answer = sdk.chat.completions.create(
            model="slow", messages=[{"role": "user", "content": WORDS}], extra_headers={"Idempotency-Key": "going"}
        )
    asking.join(PATIENCE)
    assert first[0].json()["choices"][0]["message"]["content"] == answer.choices[0].message.content
    assert len(mesh.provider.received("first-going")) == 1


@contextmanager
def client(mesh: Stand, key: str, *, retries: int, base: str = "") -> Iterator[openai.OpenAI]:
    """OpenAI's SDK."""
    with openai.OpenAI(base_url=base or mesh.mesh.base_url, api_key=key, max_retries=retries, timeout=PATIENCE) as made:
        yield made


def test_openais_sdk_recovers_from_an_answer_that_was_lost(mesh: Stand, key: str) -> None:
    before = received(mesh)
    asking: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": WORDS}], "max_tokens": 64}
    with losing(http_of(mesh)) as address, client(mesh, key, retries=2, base=f"{address}/v1") as sdk:
        raw = sdk.chat.completions.with_raw_response.create(**asking, extra_headers={"Idempotency-Key": "lost-openai"})
    assert raw.headers["x-llm-mesh-replayed"] == "true"
    assert raw.parse().choices[0].message.content == WORDS
    with losing(http_of(mesh)) as address, client(mesh, key, retries=2, base=f"{address}/v1") as sdk:
        stream = sdk.chat.completions.create(**asking, stream=True, extra_headers={"Idempotency-Key": "lost-openai-stream"})
        said = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    assert said == WORDS
    assert received(mesh) == before + 2, "the provider was asked once for each"


def test_anthropics_sdk_recovers_from_an_answer_that_was_lost(mesh: Stand, key: str) -> None:
    before = received(mesh)
    asking: dict[str, Any] = {"model": "echo", "messages": [{"role": "user", "content": WORDS}], "max_tokens": 64}
    with (
        losing(http_of(mesh)) as address,
        anthropic.Anthropic(base_url=address, api_key=key, max_retries=2, timeout=PATIENCE) as sdk,
    ):
        raw = sdk.messages.with_raw_response.create(**asking, extra_headers={"idempotency-key": "lost-anthropic"})
        assert raw.headers["x-llm-mesh-replayed"] == "true"
        assert raw.parse().content[0].text == WORDS
    with (
        losing(http_of(mesh)) as address,
        anthropic.Anthropic(base_url=address, api_key=key, max_retries=2, timeout=PATIENCE) as sdk,
        sdk.messages.stream(**asking, extra_headers={"idempotency-key": "lost-anthropic-stream"}) as stream,
    ):
        message = stream.get_final_message()
    assert (message.content[0].text, message.stop_reason) == (WORDS, "end_turn")  # type: ignore[union-attr]
    assert received(mesh) == before + 2


def test_a_failed_request_that_cost_nothing_frees_its_key(mesh: Stand, key: str) -> None:
    mesh.put_models([model("failing", "sim-500/first:3")])  # as often as the mesh itself tries
    first, again = (ask(mesh, key, "failing", alias="failing", request=f"failing-{number}") for number in range(2))
    assert (first.status, first.headers["x-llm-mesh-cost"], first.headers["x-should-retry"]) == (503, "0", "true"), first.body
    assert (again.status, "x-llm-mesh-replayed" in again.headers) == (200, False), again.body


def test_an_answer_is_written_nowhere_in_plain(mesh: Stand, key: str) -> None:
    marked = "a-word-that-nobody-else-writes-4711"
    first, again = (ask(mesh, key, "plain", marked) for _ in range(2))
    assert (first.text, again.text) == (marked, marked)
    assert again.headers["x-llm-mesh-replayed"] == "true"
    for file in mesh.mesh.data_dir.parent.rglob("*"):
        if file.is_file() and not file.name.startswith("provider."):
            assert marked.encode() not in file.read_bytes(), file


def test_what_is_told_is_json(mesh: Stand, key: str) -> None:
    ask(mesh, key, "told", stream=True)
    again = ask(mesh, key, "told", stream=True)
    (comment,) = [line for line in again.body.decode().splitlines() if line.startswith(": llm_mesh ")]
    told = json.loads(comment.removeprefix(": llm_mesh "))
    assert (told["replayed"], told["cost"]) == (True, "0")
    assert PROJECT not in again.body.decode()
