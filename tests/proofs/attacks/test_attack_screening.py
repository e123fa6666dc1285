"""Secrets are smuggled past screening in every way that a tenant has, and out of answers; and screening is made to work for nothing."""

from __future__ import annotations

import base64
import json
import random
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2, rules_pb2_grpc
from tests.proofs.attacks.beside import Highest, Neighbour, resident
from tests.proofs.attacks.listening import Answer, Listener, completion, listening
from tests.proofs.http import Reply
from tests.proofs.refusals import refused
from tests.proofs.stand import PATIENCE, Stand, bearer, model, provider, stand, until

MOST_GROWTH = 600 * 1024 * 1024
"""Bytes: a body of 30 MB is there as JSON, as what it says, and as a message for each service on its way."""
CARD = "4111 1111 1111 1111"
PEM = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"
STRICT, OTHER = "domains/strict", "domains/other"
RULES = f"private_key=mask,credit_card=mask,iban=mask,{STRICT}:credit_card=block,{STRICT}:undecodable=block"
WRITTEN = {
    "plainly": CARD,
    "before an expiry": f"{CARD} 12/27",
    "behind a count": f"12 {CARD}",
    "zero width": "\u200b".join(CARD),
    "full width": "".join(chr(ord(each) + 0xFEE0) if each.isdigit() else each for each in CARD),
    "no-break spaces": CARD.replace(" ", "\u00a0"),
    "soft hyphens": CARD.replace(" ", "\u00ad"),
    "dashes": CARD.replace(" ", "\u2013"),
    "lines": CARD.replace(" ", "\n"),
    "lines of Windows": CARD.replace(" ", "\r\n"),
    "dots": CARD.replace(" ", "."),
    "wide spaces": CARD.replace(" ", "  "),
    "columns": CARD.replace(" ", "\t"),
    "slashes": CARD.replace(" ", " / "),
    "escaped": "".join(f"\\u{ord(each):04x}" for each in CARD),
    "URL-encoded": "".join(f"%{ord(each):02x}" for each in CARD),
}


def _tool(**function: Any) -> dict[str, Any]:
    return {"tools": [{"type": "function", "function": {"name": "f", **function}}]}


def _called(arguments: Any, name: str = "f", call: str = "c1") -> dict[str, Any]:
    function = {"name": name, "arguments": arguments if isinstance(arguments, str) else json.dumps(arguments)}
    calls = [{"id": call, "type": "function", "function": function}]
    return {"messages": [*hello(), {"role": "assistant", "tool_calls": calls}, {"role": "tool", "tool_call_id": call, "content": "done"}]}


def hello(*texts: str) -> list[dict[str, Any]]:
    return [{"role": "user", "content": text} for text in texts or ("hello",)]


TEXT = {"type": "text", "text": ""}
FILE = {
    "type": "file",
    "file": {"filename": f"{CARD}.txt", "file_data": "data:text/plain;base64," + base64.b64encode(CARD.encode()).decode()},
}
PICTURE = {"type": "image_url", "image_url": {"url": "https://pics.example.com/%34111%201111%201111%201111.png"}}
PLACES: dict[str, dict[str, Any]] = {
    "two parts": {"messages": [{"role": "user", "content": [TEXT | {"text": "4111 1111"}, TEXT | {"text": " 1111 1111"}]}]},
    "two messages": {"messages": hello("my card is 4111 11", "11 1111 1111 thanks")},
    "a result of a tool": {"messages": [*hello(), {"role": "tool", "tool_call_id": "c", "content": CARD}]},
    "arguments": _called({"pan": CARD}),
    "arguments, escaped": _called('{"pan": "\\u0034111 1111 1111 1111"}'),
    "arguments, a number": _called({"pan": 4111111111111111}),
    "arguments, a key": _called({CARD: 1}),
    "arguments, two values": _called({"a": "4111 1111 ", "b": "1111 1111"}),
    "the name of a tool": _tool(name="pay_4111111111111111"),
    "the id of a call": _called({}, call="call_4111111111111111"),
    "the name in a call": _called({}, name="pay_4111111111111111"),
    "a description": _tool(description=f"pays by {CARD}"),
    "an enumeration": _tool(parameters={"type": "object", "properties": {"a": {"enum": [CARD, "4111 1111", "1111 1111"]}}}),
    "numbers of a schema": _tool(parameters={"type": "object", "properties": {"a": {"type": "integer", "enum": [4111111111111111]}}}),
    "a property": _tool(parameters={"type": "object", "properties": {"4111111111111111": {"type": "string"}}}),
    "the schema of the answer": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object", "title": CARD}}}
    },
    "stop sequences": {"stop": [CARD]},
    "the user": {"user": CARD},
    "the name of a message": {"messages": [{"role": "user", "name": "c4111111111111111", "content": "hello"}]},
    "a bias": {"logit_bias": {"4111111111111111": 1}},
    "metadata": {"metadata": {"note": CARD, CARD: "x", "n": "\u200b".join(CARD)}},
    "an unknown key": {"x_note": {"deep": [CARD, 4111111111111111]}},
    "a text file": {"messages": [{"role": "user", "content": [FILE]}]},
    "a URL": {"messages": [{"role": "user", "content": [PICTURE]}]},
} | {f"{name} in a text": {"messages": hello(f"so {written} ok")} for name, written in WRITTEN.items()}  # fmt: skip


@dataclass
class World:
    """A mesh that screens, a provider that listens, and applications of three domains."""

    mesh: Stand
    listener: Listener
    keys: dict[str, str]

    def ask(self, body: dict[str, Any], domain: str = "", headers: dict[str, str] | None = None) -> Reply:
        """A chat of a domain's application."""
        whole = {"model": "heard", "messages": hello(), **body}
        return self.mesh.ask(whole, key=self.keys.get(domain), headers=headers)

    def audited(self, action: str) -> list[rules_pb2.AuditRecord]:
        """Records of the audit trail, newest first."""
        stub: Any = rules_pb2_grpc.RuleServiceStub(self.mesh.channel)
        request = rules_pb2.ListAuditRecordsRequest(parent="domains/-", page_size=1000)
        found = stub.ListAuditRecords(request, metadata=self.mesh.admin, timeout=PATIENCE).records
        return [record for record in found if record.action == action]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    folder: Path = tmp_path_factory.mktemp("screening")
    with listening() as listener, provider(folder) as simulator:
        env = {
            "LLM_MESH_POLICY_SCREENING": RULES,
            "LLM_MESH_POLICY_SCREEN_OUTPUT": "true",
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_LISTENER": json.dumps({"base_url": f"http://{listener.address}/v1", "local": True}),
        }
        with stand(folder, simulator, env) as made:
            heard = model("heard", "m", endpoint="listener")
            heard.capabilities.extend(["image_input", "file_input", "audio_output"])
            heard.image_tokens, heard.context_window = 1000, 100_000_000
            made.put_models([heard, model("echo", "sim-echo")])
            keys: dict[str, str] = {}
            for domain in (STRICT, OTHER):
                person = f"{domain}/principals/app"
                made.apply_policy(
                    domains=[identity_pb2.Domain(name=domain)],
                    projects=[identity_pb2.Project(name=f"{domain}/projects/one")],
                    principals=[identity_pb2.Principal(name=person)],
                    bindings=[rules_pb2.Binding(name=f"{domain}/bindings/app", principal=person, role="roles/application")],
                )
                keys[domain] = made.new_key(f"{domain}/projects/one", person).secret
            yield World(made, listener, keys)


pytestmark = pytest.mark.usefixtures("mesh")


@pytest.fixture(scope="module")
def mesh(world: World) -> Stand:
    """The mesh, for the watch over turns of its event loops."""
    return world.mesh


def readable(raw: bytes) -> str:
    """All that a reader of a body could put together, without anything between digits."""
    text = json.dumps(json.loads(raw), ensure_ascii=False)
    for escape, plain in (("\\\\u00", "%"), ("\\u00", "%"), ("\uff05", "%")):
        text = text.replace(escape, plain)
    for code in range(0x20, 0x7F):
        text = text.replace(f"%{code:02x}", chr(code)).replace(f"%{code:02X}", chr(code))
    folded = "".join(chr(ord(each) - 0xFEE0) if "\uff10" <= each <= "\uff19" else each for each in text)
    return "".join(each for each in folded if each.isascii() and each.isalnum())


@pytest.mark.parametrize("body", PLACES.values(), ids=PLACES)
def test_a_smuggled_card_reaches_no_provider_where_it_is_masked(world: World, body: dict[str, Any]) -> None:
    before = len(world.listener.bodies)
    reply = world.ask(body)
    assert reply.status == 200, reply.body
    for raw in world.listener.bodies[before:]:
        assert "411111" not in readable(raw)
        assert "1111111" not in readable(raw)
        assert base64.b64encode(CARD.encode())[:20] not in raw
    assert len(world.listener.bodies) == before + 1


@pytest.mark.parametrize("body", PLACES.values(), ids=PLACES)
def test_a_smuggled_card_reaches_nobody_where_it_is_blocked(world: World, body: dict[str, Any]) -> None:
    before = len(world.listener.bodies)
    reply = world.ask(body, STRICT)
    assert (reply.status, reply.code) == (403, "content_blocked"), reply.body
    assert len(world.listener.bodies) == before


def test_a_private_key_is_found_in_pieces_by_the_rule_that_everybody_has(world: World) -> None:
    for cut in (3, 10, 27, 40, 70):
        assert world.ask({"messages": hello("look:", PEM[:cut], PEM[cut:])}, OTHER).status == 200
        assert b"MIIE" not in world.listener.bodies[-1]


def test_masks_leave_valid_requests(world: World) -> None:
    schema = {"type": "object", "properties": {CARD: {"type": "integer", "enum": [4111111111111111, 5500000000000004]}}, "required": [CARD]}
    assert world.ask(_tool(name="pay_4111111111111111", parameters=schema)).status == 200
    (tool,) = json.loads(world.listener.bodies[-1])["tools"]
    (key,) = tool["function"]["parameters"]["required"]
    numbers = tool["function"]["parameters"]["properties"][key]["enum"]
    assert all(type(number) is int for number in numbers)
    assert len(set(numbers)) == 2
    assert tool["function"]["name"].replace("_", "").isalnum()


def test_what_cannot_be_read_is_blocked_where_a_rule_says_so(world: World) -> None:
    picture = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
    body = {"messages": [{"role": "user", "content": [{"type": "text", "text": "see"}, picture]}]}
    before = len(world.listener.bodies)
    reply = world.ask(body, STRICT)
    assert (reply.status, reply.code) == (403, "content_blocked"), reply.body
    assert len(world.listener.bodies) == before


def test_findings_are_in_the_audit_trail_without_their_text(world: World) -> None:
    world.ask({"messages": hello(CARD)}, headers={"x-request-id": "masked-and-audited"})
    world.ask({"messages": hello(CARD)}, STRICT, headers={"x-request-id": "blocked-and-audited"})
    records = {record.request_id: record for record in world.audited("requests.screen")}
    masked, blocked = records["masked-and-audited"], records["blocked-and-audited"]
    assert (masked.allowed, masked.detail) == (True, "credit_card masked 1")
    assert (blocked.allowed, blocked.detail, blocked.domain) == (False, "credit_card blocked 1", STRICT)
    assert not any("4111" in str(record) for record in records.values())


def test_what_an_answer_hides_is_masked_at_every_cut_and_audited(world: World) -> None:
    chance = random.Random(6)  # noqa: S311 - no secret
    audited = len(world.audited("answers.screen"))
    for written in WRITTEN.values():
        text = f"so {written} ok"
        world.listener.answer = saying(text)
        for streamed in (False, True):
            answer = world.ask({"stream": streamed})
            assert answer.status == 200, answer.body
            assert "411111" not in readable(json.dumps(answer.text).encode()), written
    for _ in range(20):
        words = [chance.choice([*WRITTEN.values(), "plain", " ", "4", "\\u00", "%"]) for _ in range(6)]
        world.listener.answer = saying("".join(words))
        assert world.ask({"stream": True}).text == world.ask({}).text
    until(lambda: len(world.audited("answers.screen")) > audited, "what was masked in answers is in the audit trail")
    world.listener.answer = Listener().answer


def test_log_probabilities_of_a_screened_answer_are_left_out_and_told(world: World) -> None:
    token = {"token": CARD, "logprob": -0.1, "bytes": list(CARD.encode()), "top_logprobs": []}

    def answer(body: dict[str, Any]) -> Any:
        made = completion("plain", streamed=bool(body.get("stream")))
        for chunk in made if isinstance(made, list) else [made]:
            chunk["choices"][0]["logprobs"] = {"content": [token], "refusal": None}
            chunk["x_note"] = CARD
        return made

    world.listener.answer = answer
    for streamed in (False, True):
        reply = world.ask({"stream": streamed, "logprobs": True, "top_logprobs": 1})
        assert reply.status == 200, reply.body
        assert "4111" not in reply.body.decode()
        assert "logprobs" not in json.loads(world.listener.bodies[-1])
        assert any("logprobs" in f"{name}{value}" for name, value in reply.headers.items()) or b"logprobs" in reply.body
    world.listener.answer = Listener().answer


def test_sound_of_a_screened_answer_is_withheld_and_charged(world: World) -> None:
    sound: dict[str, Any] = {"id": "a", "data": base64.b64encode(b"4111").decode(), "transcript": CARD, "expires_at": 1}
    for streamed in (False, True):
        world.listener.answer = saying("so ", audio=sound)
        request = f"sound-{streamed}"
        reply = world.ask({"stream": streamed}, headers={"x-request-id": request})
        assert b"screening_failed" in reply.body, reply.body
        assert sound["data"].encode() not in reply.body
        assert b"4111" not in reply.body
        assert world.mesh.entry(request).charged.nanos > 0
    world.listener.answer = Listener().answer


def saying(text: str, **message: Any) -> Answer:
    """Answers with a text, streamed if it is asked so."""
    return lambda body: completion(text, streamed=bool(body.get("stream")), **message)


def _strings() -> bytes:
    short = '"ab-cd",' * 3_400_000
    return b'{"model": "echo", "messages": [{"role": "user", "content": "hi"}], "metadata": [' + short.encode() + b'"x"]}'


def _parts() -> bytes:
    part = '{"type":"text","text":"%s"},' % ("ab-cd ef" * 230)
    message = '{"role":"user","content":[' + part * 250 + '{"type":"text","text":"x"}]},'
    return ('{"model": "heard", "messages": [' + message * 60 + '{"role":"user","content":"hi"}]}').encode()


def _tools() -> bytes:
    tool = '{"type":"function","function":{"name":"f"}},'
    return ('{"model": "echo", "messages": [{"role":"user","content":"hi"}], "tools": [' + tool * 400_000 + tool[:-1] + "]}").encode()


def _content_blocks() -> bytes:
    part = '{"type":"text","text":"x"},'
    message = '{"role":"user","content":[' + part * 4000 + part[:-1] + "]},"
    return ('{"model": "echo", "messages": [' + message * 20 + '{"role":"user","content":"hi"}]}').encode()


def _empty_lists() -> bytes:
    return b'{"model": "echo", "messages": [{"role": "user", "content": "hi"}], "metadata": [' + b"[]," * 10_000_000 + b"[]]}"


def _ibans() -> bytes:
    return json.dumps({"model": "heard", "messages": hello("GB82 WEST 1234 5698 7654 33 " * 68_000)}).encode()


ATTACKS: dict[str, tuple[Callable[[], bytes], int, set[int]]] = {
    "30 MB of short strings": (_strings, 1, {413}),
    "30 MB of short parts": (_parts, 1, {200}),
    "400,000 tools": (_tools, 1, {400, 413}),
    "80,000 parts": (_content_blocks, 1, {400}),
    "10,000,000 empty lists": (_empty_lists, 1, {413}),
    "4 x 1.9 MB that look like IBANs": (_ibans, 4, {200}),
}


@pytest.mark.parametrize(("make", "times", "statuses"), ATTACKS.values(), ids=ATTACKS)
def test_what_costs_much_holds_nobody_up(world: World, make: Callable[[], bytes], times: int, statuses: set[int]) -> None:
    body = make()
    replies: list[Reply] = []
    before = resident(world.mesh)

    def small() -> Reply:
        return world.mesh.ask({"model": "echo", "messages": hello()}, key=world.keys[OTHER])

    with Neighbour(small) as neighbour, Highest(lambda: resident(world.mesh)) as memory:
        until(lambda: neighbour.statuses, "the neighbour is served")
        threads = [threading.Thread(target=lambda: replies.append(world.mesh.ask(body))) for _ in range(times)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(PATIENCE)
    assert {reply.status for reply in replies} <= statuses, [reply.body[:300] for reply in replies]
    assert len(replies) == times
    assert set(neighbour.statuses) == {200}
    assert memory.most - before < MOST_GROWTH, f"{(memory.most - before) >> 20} MiB more"


def test_a_typed_request_of_millions_of_parts_is_refused_before_they_are_built(world: World) -> None:
    request = gateway_pb2.GenerateRequest(input=generate_pb2.GenerateInput(model="echo"))
    request.input.messages.add(role=content_pb2.ROLE_USER).parts.add().text.text = "x"
    message = content_pb2.Message(role=content_pb2.ROLE_USER).SerializeToString() + b"\x1a\x00" * 8_000_000
    raw = request.SerializeToString() + _field(1, _field(2, message))
    call: Any = world.mesh.channel.unary_unary("/llm_mesh.gateway.v1.GatewayService/Generate", request_serializer=lambda given: given)
    told = refused(lambda: call(raw, metadata=bearer(world.keys[OTHER]), timeout=PATIENCE))
    assert told.reason in {"INVALID_FIELD", "MESSAGE_TOO_LARGE", "MALFORMED_MESSAGE"}, told
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(world.mesh.channel)
    assert stub.Generate(request, metadata=bearer(world.keys[OTHER]), timeout=PATIENCE).output.choices


def _field(number: int, payload: bytes) -> bytes:
    length, size = b"", len(payload)
    while size >= 0x80:
        length += bytes([size & 0x7F | 0x80])
        size >>= 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + payload
