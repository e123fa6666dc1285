"""Bad input gets its documented status, reason and field, over gRPC and HTTP alike, charges nothing, and holds no event loop up."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import grpc
import pytest

from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2, usage_pb2
from tests.edge.test_edge_forms import BROKEN, END
from tests.proofs.bad_files_and_batches import FILES_AND_BATCHES
from tests.proofs.bad_media import MEDIA, over_media
from tests.proofs.gone import chat
from tests.proofs.http import Reply, announce, call
from tests.proofs.load import chat_body
from tests.proofs.refusals import Refusal, refused
from tests.proofs.stand import PROJECT, Stand, bearer, model, provider, stand, until
from tests.proofs.turns import none_too_long

GENERATE = "/llm_mesh.gateway.v1.GatewayService/Generate"
FOREIGN = "domains/foreign"
PROMPT = "domains/default/prompts/greeting"
LARGEST = 32 * 1024 * 1024
TOO_LARGE = LARGEST + 1024 * 1024
CODES = grpc.StatusCode


@dataclass(frozen=True)
class Keys:
    """Credentials that do not serve."""

    revoked: str
    foreign: str


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with a model of its own domain, a prompt with one variable, and a foreigner."""
    folder: Path = tmp_path_factory.mktemp("bad-input")
    with provider(folder) as simulator, stand(folder, simulator, {"LLM_MESH_EDGE_DEADLINE": "4"}) as made:
        made.put_models([model("own", "sim-echo", domain="domains/default"), model("silent", "sim-stall")])
        variables = json.dumps({"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]})
        version = catalogue_pb2.PromptVersion(variables_schema_json=variables)
        version.messages.add(role=content_pb2.ROLE_SYSTEM, template="Greet {{ name }}.")
        prompts: Any = catalogue_pb2_grpc.CatalogueServiceStub(made.channel)
        wanted = catalogue_pb2.WantedPrompt(name=PROMPT, version=version)
        prompts.ApplyPrompts(catalogue_pb2.ApplyPromptsRequest(parent="domains/default", prompts=[wanted]), metadata=made.admin)
        person = f"{FOREIGN}/principals/person"
        made.apply_policy(
            domains=[identity_pb2.Domain(name=FOREIGN)],
            projects=[identity_pb2.Project(name=f"{FOREIGN}/projects/theirs")],
            principals=[identity_pb2.Principal(name=person)],
            bindings=[rules_pb2.Binding(name=f"{FOREIGN}/bindings/person", principal=person, role="roles/application")],
        )
        yield made


@pytest.fixture(scope="module")
def keys(mesh: Stand) -> Keys:
    """A key that was valid, and one of elsewhere."""
    once = mesh.new_key()
    assert mesh.ask(chat_body("own", "hi"), key=once.secret).status == 200
    mesh.revoke(once.key)
    return Keys(once.secret, mesh.new_key(f"{FOREIGN}/projects/theirs", f"{FOREIGN}/principals/person").secret)


@pytest.fixture(autouse=True)
def no_turn_is_too_long(mesh: Stand) -> Iterator[None]:
    """No case holds an event loop up."""
    with none_too_long(mesh):
        yield


@pytest.fixture(autouse=True)
def nothing_is_charged(mesh: Stand, keys: Keys, request: pytest.FixtureRequest) -> Iterator[None]:
    """Ledger and provider's log are the same after each case, but where a case says what it asks besides."""
    del keys
    if request.node.get_closest_marker("usefixtures"):
        yield
        return
    before = state(mesh)
    yield
    assert state(mesh) == before


def state(mesh: Stand) -> tuple[set[str], int, int]:
    """Entries that were not given back whole, what is charged, and what reached the provider."""
    entries = [entry for entry in mesh.entries() if entry.state != usage_pb2.RESERVATION_STATE_RELEASED]
    return {entry.name for entry in entries}, sum(entry.charged.nanos for entry in entries), len(mesh.provider.log())


def over_http(mesh: Stand, body: Any, **more: Any) -> Reply:
    return mesh.ask(body, **more)


def over_grpc(mesh: Stand, asked: gateway_pb2.GenerateRequest, metadata: Any = None, timeout: float = 20) -> Refusal:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    return refused(lambda: stub.Generate(asked, metadata=mesh.user if metadata is None else metadata, timeout=timeout))


def raw_grpc(mesh: Stand, message: bytes) -> Refusal:
    """Bytes that no stub would send."""
    call = mesh.channel.unary_unary(GENERATE, request_serializer=bytes, response_deserializer=bytes)
    return refused(lambda: call(message, metadata=mesh.user, timeout=20))


def asking(said: str = "hi", alias: str = "own", **options: Any) -> gateway_pb2.GenerateRequest:
    return gateway_pb2.GenerateRequest(input=chat(alias, said), options=gateway_pb2.RequestOptions(**options))


def check_http(reply: Reply, status: int, code: str, param: str | None) -> None:
    assert (reply.status, reply.code, reply.error["param"]) == (status, code, param), reply.body
    assert set(reply.error) - {"llm_mesh"} == {"message", "type", "param", "code", "llm_mesh_code"}
    assert reply.error["message"]
    assert reply.headers["x-request-id"]


def check_grpc(told: Refusal, code: grpc.StatusCode, reason: str, field: str = "") -> None:
    assert (told.code, told.reason, told.field, told.reasons) == (code, reason, field, 1), told
    assert told.message


def test_an_unknown_model(mesh: Stand) -> None:
    check_http(over_http(mesh, chat_body("no-such-model", "hi")), 404, "model_not_found", "model")
    check_grpc(over_grpc(mesh, asking(alias="no-such-model")), CODES.NOT_FOUND, "MODEL_NOT_FOUND", "input.model")


def test_a_model_of_another_domain_looks_as_one_that_does_not_exist(mesh: Stand, keys: Keys) -> None:
    check_http(over_http(mesh, chat_body("own", "hi"), key=keys.foreign), 404, "model_not_found", "model")
    check_grpc(over_grpc(mesh, asking(), bearer(keys.foreign)), CODES.NOT_FOUND, "MODEL_NOT_FOUND", "input.model")


def test_a_wrong_type_at_depth(mesh: Stand) -> None:
    parts = [{"type": "text", "text": "fine"}, {"type": "text", "text": 7}]
    body = {"model": "own", "messages": [{"role": "user", "content": "fine"}, {"role": "user", "content": parts}]}
    check_http(over_http(mesh, body), 400, "invalid_field", "messages[1].content[1].text")
    deep = generate_pb2.GenerateInput(model="own")
    deep.messages.add(role=content_pb2.ROLE_USER).parts.add().text.text = "abc"
    message = gateway_pb2.GenerateRequest(input=deep).SerializeToString()
    wrong = message.replace(b"\x0a\x03abc", b"\x08\x03abc")  # the text as a number
    assert wrong != message
    check_grpc(raw_grpc(mesh, wrong[:-3]), CODES.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.parametrize(
    ("change", "param", "field"),
    [
        ({"temperature": 9}, "temperature", "input.sampling.temperature"),
        ({"n": 500}, "n", "input.candidate_count"),
        ({"stop": ["x"] * 17}, "stop", "input.stop"),
        ({"max_completion_tokens": -1}, "max_completion_tokens", "input.max_output_tokens"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_value_out_of_its_range(mesh: Stand, change: dict[str, Any], param: str, field: str) -> None:
    check_http(over_http(mesh, chat_body("own", "hi", **change)), 400, "invalid_field", param)
    asked = asking()
    match next(iter(change)):
        case "temperature":
            asked.input.sampling.temperature = 9
        case "n":
            asked.input.candidate_count = 500
        case "stop":
            asked.input.stop.extend(["x"] * 17)
        case _:
            asked.input.max_output_tokens = -1
    check_grpc(over_grpc(mesh, asked), CODES.INVALID_ARGUMENT, "INVALID_FIELD", field)


def test_an_oversized_body(mesh: Stand) -> None:
    headers = {"authorization": f"Bearer {mesh.mesh.project_key}", "content-type": "application/json"}
    check_http(announce(mesh.mesh.addresses["http"], "/v1/chat/completions", TOO_LARGE, headers), 413, "message_too_large", None)
    check_http(over_http(mesh, chat_body("own", "x" * TOO_LARGE)), 413, "message_too_large", None)
    check_grpc(over_grpc(mesh, asking("x" * (LARGEST + 1))), CODES.RESOURCE_EXHAUSTED, "MESSAGE_TOO_LARGE")
    told = over_grpc(mesh, asking("x" * TOO_LARGE))
    assert told.code is CODES.RESOURCE_EXHAUSTED, "far above the limit gRPC itself refuses, before any of our code"


def test_invalid_utf_8(mesh: Stand) -> None:
    raw = json.dumps(chat_body("own", "abc")).encode().replace(b"abc", b"\xff\xfe\xfd")
    check_http(over_http(mesh, raw), 400, "invalid_json", None)
    message = asking("abc").SerializeToString()
    check_grpc(raw_grpc(mesh, message.replace(b"abc", b"\xff\xfe\xfd")), CODES.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


def test_bytes_that_are_no_message(mesh: Stand) -> None:
    check_http(over_http(mesh, b'{"model": '), 400, "invalid_json", None)
    check_http(over_http(mesh, b"[]"), 400, "invalid_json", None)
    check_grpc(raw_grpc(mesh, b"\xff" * 20), CODES.INVALID_ARGUMENT, "MALFORMED_MESSAGE")


@pytest.mark.parametrize("which", ["garbled", "unknown", "revoked"])
def test_a_key_that_does_not_serve(mesh: Stand, keys: Keys, which: str) -> None:
    key = {"garbled": mesh.mesh.project_key[:-2], "unknown": f"mk_{'q' * 16}_{'z' * 43}", "revoked": keys.revoked}[which]
    reply = over_http(mesh, chat_body("own", "hi"), key=key)
    check_http(reply, 401, "invalid_credential", None)
    assert reply.headers["www-authenticate"] == "Bearer"
    check_grpc(over_grpc(mesh, asking(), bearer(key)), CODES.UNAUTHENTICATED, "INVALID_CREDENTIAL")


def test_no_key(mesh: Stand) -> None:
    check_http(over_http(mesh, chat_body("own", "hi"), key=""), 401, "missing_credential", None)
    check_grpc(over_grpc(mesh, asking(), ()), CODES.UNAUTHENTICATED, "MISSING_CREDENTIAL")


def test_a_foreign_key_that_selects_this_project(mesh: Stand, keys: Keys) -> None:
    reply = over_http(mesh, chat_body("own", "hi"), key=keys.foreign, headers={"x-llm-mesh-project": PROJECT})
    assert (reply.status, reply.code) == (400, "project_not_selected"), reply.body
    told = over_grpc(mesh, asking(), (*bearer(keys.foreign), ("x-llm-mesh-project", PROJECT)))
    assert (told.code, told.reason) == (CODES.INVALID_ARGUMENT, "PROJECT_NOT_SELECTED"), told


GOOGLES = {
    "generateContent": ({"contents": [{"parts": [{"text": "hi"}, {"text": 7}]}]}, "contents[0].parts[1].text"),
    "streamGenerateContent?alt=sse": (
        {"contents": [{"parts": [{"inline_data": {"data": "!"}}]}]},
        "contents[0].parts[0].inline_data.mimeType",
    ),
    "streamGenerateContent": ({"generation_config": {"temperature": "hot"}, "contents": []}, "generation_config.temperature"),
    "countTokens": ({"generateContentRequest": {"contents": "hi"}}, "generateContentRequest.contents"),
    "embedContent": ({"content": {"parts": [{"text": "a"}, {"text": "b"}]}}, "content.parts"),
    "batchEmbedContents": ({"requests": [{"content": {"parts": []}}]}, "requests[0].content.parts"),
}
"""The methods of Google's dialect, each with a wrong body and the place that is wrong."""


def of_google(mesh: Stand, method: str, body: Any, *, alias: str = "own", **more: Any) -> Reply:
    return mesh.ask(body, path=f"/v1beta/models/{alias}:{method}", **more)


def check_google(reply: Reply, status: int, word: str, code: str, field: str = "") -> None:
    error = reply.error
    assert (reply.status, error["code"], error["status"], reply.code) == (status, status, word, code), reply.body
    assert set(error) - {"llm_mesh"} == {"code", "message", "status", "details", "llm_mesh_code"}
    assert [violation["field"] for each in error["details"] for violation in each.get("fieldViolations", ())] == ([field] if field else [])
    assert error["message"]


@pytest.mark.parametrize("method", GOOGLES)
def test_googles_methods_refuse_what_is_wrong_in_googles_words(mesh: Stand, keys: Keys, method: str) -> None:
    body, field = GOOGLES[method]
    check_google(of_google(mesh, method, body), 400, "INVALID_ARGUMENT", "invalid_field", field)
    check_google(of_google(mesh, method, b"[]"), 400, "INVALID_ARGUMENT", "invalid_json")
    check_google(of_google(mesh, method, b'{"contents": "\xff"}'), 400, "INVALID_ARGUMENT", "invalid_json")
    check_google(of_google(mesh, method, body, key=keys.revoked), 401, "UNAUTHENTICATED", "invalid_credential")
    check_google(of_google(mesh, method, b"x" * TOO_LARGE), 413, "INVALID_ARGUMENT", "message_too_large")


def test_a_key_in_an_address_is_none(mesh: Stand) -> None:
    for mark in ("?", "?alt=sse&"):
        reply = of_google(mesh, f"streamGenerateContent{mark}key={mesh.mesh.project_key}", {"contents": []}, key="")
        check_google(reply, 401, "UNAUTHENTICATED", "missing_credential")


def test_googles_clients_find_no_model_that_does_not_exist_or_is_anothers(mesh: Stand, keys: Keys) -> None:
    hi = {"contents": [{"parts": [{"text": "hi"}]}]}
    check_google(of_google(mesh, "generateContent", hi, alias="no/such:model"), 404, "NOT_FOUND", "model_not_found", "model")
    check_google(of_google(mesh, "generateContent", hi, key=keys.foreign), 404, "NOT_FOUND", "model_not_found", "model")


def test_hostile_bodies_of_google_hold_nobody_up(mesh: Stand) -> None:
    spelled = {"contents": [{"role": "user", "parts": [{"inline_data": {"mime_type": "a"}}] * 4_096}] * 5}
    check_google(of_google(mesh, "generateContent", spelled), 400, "INVALID_ARGUMENT", "invalid_field", "contents")
    deep: Any = {}
    for _ in range(300):
        deep = {"any_of": [deep]}
    schema = {"contents": [], "generationConfig": {"responseSchema": deep}}
    reply = of_google(mesh, "generateContent", schema)
    assert (reply.status, reply.code) == (400, "invalid_field"), reply.body


def test_an_unknown_variable_of_a_prompt(mesh: Stand) -> None:
    variables = {"name": "Ada", "nmae": "Bob"}
    body = {"model": "own", "messages": [], "llm_mesh": {"prompt": {"name": PROMPT, "variables": variables}}}
    check_http(over_http(mesh, body), 400, "variable_invalid", "llm_mesh.prompt.variables.nmae")
    asked = asking(prompt=gateway_pb2.PromptReference(name=PROMPT, variables_json=json.dumps(variables)))
    told = over_grpc(mesh, asked)
    assert (told.code, told.reason) == (CODES.INVALID_ARGUMENT, "VARIABLE_INVALID"), told
    assert told.field.endswith("prompt.variables.nmae"), told


def test_a_deadline_that_is_over(mesh: Stand) -> None:
    told = over_grpc(mesh, asking(), timeout=0.0005)
    assert told.code is CODES.DEADLINE_EXCEEDED
    settled(mesh)


def settled(mesh: Stand) -> None:
    """What a caller that gave up has left behind is put in order."""
    until(lambda: not mesh.entries(state=usage_pb2.RESERVATION_STATE_HELD), "nothing is held")


@pytest.mark.usefixtures("mesh")
def test_an_answer_that_does_not_come_within_the_edges_deadline_ends_documented_and_settled(mesh: Stand) -> None:
    reply = over_http(mesh, chat_body("silent", "hi"), headers={"x-request-id": "too-slow"})
    check_http(reply, 504, "deadline_exceeded", None)
    assert mesh.entry("too-slow").state == usage_pb2.RESERVATION_STATE_SETTLED


@pytest.mark.usefixtures("mesh")
def test_an_idempotency_key_that_was_used(mesh: Stand) -> None:
    with first_with_key(mesh, "own", "used"):
        pass
    before = state(mesh)
    again = over_http(mesh, chat_body("own", "the first"), headers={"idempotency-key": "used"})
    assert (again.status, again.code, again.headers["x-should-retry"]) == (409, "idempotency_completed", "false"), again.body
    other = over_http(mesh, chat_body("own", "another"), headers={"idempotency-key": "used"})
    check_http(other, 400, "idempotency_key_reused", "Idempotency-Key")
    told = over_grpc(mesh, asking("another", idempotency_key="used"))
    check_grpc(told, CODES.INVALID_ARGUMENT, "IDEMPOTENCY_KEY_REUSED", "options.idempotency_key")
    assert state(mesh) == before


@pytest.mark.usefixtures("mesh")
def test_over_grpc_an_idempotency_key_that_was_used(mesh: Stand) -> None:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    stub.Generate(asking("once", idempotency_key="used-typed"), metadata=mesh.user)
    before = state(mesh)
    told = over_grpc(mesh, asking("once", idempotency_key="used-typed"))
    assert (told.code, told.reason) == (CODES.ALREADY_EXISTS, "IDEMPOTENCY_COMPLETED"), told
    assert state(mesh) == before


@pytest.mark.parametrize("how", FILES_AND_BATCHES)
def test_files_and_batches(mesh: Stand, how: str) -> None:
    method, path, body, more, status, code, param = FILES_AND_BATCHES[how]
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {mesh.mesh.project_key}"} | more
    reply = call(mesh.mesh.addresses["http"], method, path, raw, headers)
    assert (reply.status, reply.code, reply.error.get("param")) == (status, code, param), reply.body
    assert reply.error["message"]


@pytest.mark.usefixtures("mesh")
def test_an_idempotency_key_in_progress(mesh: Stand) -> None:
    mesh.provider.behave("slow-one", fault="stall", stall_ms=1500)
    mesh.put_models([model("slow", "slow-one")])
    body = chat_body("slow", "the first")
    with first_with_key(mesh, "slow", "going") as first:
        until(lambda: mesh.provider.received("first-going"), "the first is in progress")
        again = over_http(mesh, body, headers={"idempotency-key": "going"})
        assert (again.status, again.code) == (409, "idempotency_in_progress"), again.body
        told = over_grpc(mesh, asking("the first", "slow", idempotency_key="going"))
        assert told.code in {CODES.ABORTED, CODES.INVALID_ARGUMENT}, told
        assert first.is_alive(), "the first was in progress all the while"
    assert len(mesh.provider.log(event="received", model="slow-one")) == 1


class first_with_key(threading.Thread):  # noqa: N801 (it reads as a statement)
    """The first request with a key, going on beside; joined at the end."""

    def __init__(self, mesh: Stand, alias: str, key: str) -> None:
        headers = {"idempotency-key": key, "x-request-id": f"first-{key}"}
        self._ask: Callable[[], Reply] = lambda: mesh.ask(chat_body(alias, "the first"), headers=headers)
        self.reply: Reply | None = None
        super().__init__(daemon=True)

    def run(self) -> None:
        self.reply = self._ask()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.join(20)
        assert self.reply is not None
        assert self.reply.status == 200


@pytest.mark.parametrize("path", MEDIA)
def test_an_unknown_model_of_images_sound_and_moderation(mesh: Stand, path: str) -> None:
    check_http(over_media(mesh, path, MEDIA[path]), 404, "model_not_found", "model")


@pytest.mark.parametrize("path", [path for path, body in MEDIA.items() if isinstance(body, bytes)])
@pytest.mark.parametrize("name", ["no-form", "no-end-of-it", "endless-header", "many-parts", "large-texts", "form-too-large"])
def test_a_broken_form(mesh: Stand, path: str, name: str) -> None:
    broken = {
        "no-end-of-it": MEDIA[path][: -len(END)],
        "form-too-large": MEDIA[path] + b"x" * TOO_LARGE,
        "large-texts": BROKEN["large-texts"][0],
    }
    status, code = (413, "message_too_large") if name == "form-too-large" else (400, "invalid_form")
    last_field = "image" if path.endswith("edits") else "file"
    param = {"large-texts": "a[]", "no-end-of-it": last_field}.get(name)
    check_http(over_media(mesh, path, broken.get(name, BROKEN.get(name, (b"",))[0])), status, code, param)
