"""What one tenant's templates, schemas, keys and addresses can do: nothing to others, nothing unpaid, nothing within a network."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Self

import grpc
import pytest

from llm_mesh.catalogue.v1 import catalogue_pb2, catalogue_pb2_grpc
from llm_mesh.gateway.v1 import gateway_pb2, gateway_pb2_grpc
from llm_mesh.inference.v1 import content_pb2, generate_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.proofs.http import Reply, call
from tests.proofs.refusals import refused
from tests.proofs.stand import Stand, bearer, model, provider, stand

EVIL, DEFAULT = "domains/evil", "domains/default"
DOUBLED = "{% set a = [1] %}{% set b = [1] %}" + "{% set a = [a, a] %}{% set b = [b, b] %}" * 30
TEMPLATES = {
    "equality": DOUBLED + "{{ a == b }}",
    "membership": DOUBLED + "{{ a in [b] }}",
    "sort": DOUBLED + "{{ [a, b] | sort | length }}",
    "tojson": DOUBLED + "{{ a | tojson }}",
    "join": DOUBLED + "{{ a | join }}",
    "print": DOUBLED + "{{ a }}",
    "loops": "{% for a in range(9999) %}{% for b in range(9999) %}{{ b }}{% endfor %}{% endfor %}",
    "text": "{% set a = 'x' * 1000 %}" + "{% set a = a ~ a %}" * 60 + "{{ a | length }}",
}
CODES = grpc.StatusCode


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh with a model of each dialect, one at an endpoint whose operator allows more, and a domain that means harm."""
    folder: Path = tmp_path_factory.mktemp("templates")
    with provider(folder) as simulator:
        generous = {
            "base_url": f"http://{simulator.address}/v1",
            "local": True,
            "extras": ["service_tier"],
            "media": ["http://10.1.2.3:8080"],
        }
        env = {
            "LLM_MESH_ADAPTER_ANTHROPIC_ENDPOINT_SIMULATOR_ANTHROPIC": f"http://{simulator.address}",
            "LLM_MESH_ADAPTER_OPENAI_ENDPOINT_GENEROUS": json.dumps(generous),
        }
        with stand(folder, simulator, env) as made:
            claude = model("claude", "sim-echo", endpoint="simulator-anthropic")
            claude.adapter = "anthropic"
            models = [model("gpt", "sim-echo"), claude, model("generous", "sim-echo", endpoint="generous")]
            for each in models:
                each.capabilities.append("image_input")
                each.image_tokens = 100
            made.put_models(models)
            _people(made)
            yield made


def _people(mesh: Stand) -> None:
    actions = ["models.generate", "models.count", "models.list"]
    some = rules_pb2.Permission(resources=["prompts/open"], actions=["prompts.render"])
    mesh.apply_policy(
        domains=[identity_pb2.Domain(name=EVIL)],
        projects=[identity_pb2.Project(name=f"{EVIL}/projects/p")],
        principals=[identity_pb2.Principal(name=f"{EVIL}/principals/eve"), identity_pb2.Principal(name=f"{DEFAULT}/principals/narrow")],
        roles=[rules_pb2.Role(name=f"{DEFAULT}/roles/narrow", permissions=[rules_pb2.Permission(resources=["*"], actions=actions), some])],
        bindings=[
            rules_pb2.Binding(name=f"{EVIL}/bindings/eve", principal=f"{EVIL}/principals/eve", role="roles/domain-admin"),
            rules_pb2.Binding(name=f"{EVIL}/bindings/use", principal=f"{EVIL}/principals/eve", role="roles/application"),
            rules_pb2.Binding(name=f"{DEFAULT}/bindings/narrow", principal=f"{DEFAULT}/principals/narrow", role=f"{DEFAULT}/roles/narrow"),
        ],
    )


@pytest.fixture(scope="module")
def eve(mesh: Stand) -> str:
    """The key of whoever administers the domain that means harm."""
    return mesh.new_key(f"{EVIL}/projects/p", f"{EVIL}/principals/eve").secret


@pytest.fixture(scope="module")
def narrow(mesh: Stand) -> str:
    """A key that may use models and render the prompt `open`, and nothing else."""
    return mesh.new_key(principal=f"{DEFAULT}/principals/narrow").secret


def catalogue(mesh: Stand) -> Any:
    return catalogue_pb2_grpc.CatalogueServiceStub(mesh.channel)


def prompts_of(name: str, template: str, schema: str = "") -> catalogue_pb2.ApplyPromptsRequest:
    domain = name.partition("/prompts/")[0]
    version = catalogue_pb2.PromptVersion(variables_schema_json=schema)
    version.messages.add(role=content_pb2.ROLE_USER, template=template)
    wanted = catalogue_pb2.WantedPrompt(name=name, version=version)
    return catalogue_pb2.ApplyPromptsRequest(parent=domain, prompts=[wanted])


def put_prompt(mesh: Stand, name: str, template: str, key: str, schema: str = "") -> None:
    catalogue(mesh).ApplyPrompts(prompts_of(name, template, schema), metadata=bearer(key), timeout=20)


def asked(alias: str, **more: Any) -> gateway_pb2.GenerateRequest:
    part = content_pb2.Part(text=content_pb2.Text(text="hi"))
    message = content_pb2.Message(role=content_pb2.ROLE_USER, parts=[part])
    return gateway_pb2.GenerateRequest(input=generate_pb2.GenerateInput(model=alias, messages=[message], **more))


def over_grpc(mesh: Stand, request: gateway_pb2.GenerateRequest, key: str = "") -> Any:
    stub: Any = gateway_pb2_grpc.GatewayServiceStub(mesh.channel)
    return stub.Generate(request, metadata=bearer(key or mesh.mesh.project_key), timeout=20)


def sent(mesh: Stand) -> bytes:
    """Everything that reached the provider so far: heads and bodies."""
    return call(mesh.provider.address, "GET", "/_simulator/requests?limit=10000").body


class Beside(threading.Thread):
    """Another tenant's requests, one after the other, half of them with a prompt; until the block ends."""

    def __init__(self, mesh: Stand) -> None:
        super().__init__(daemon=True)
        self._mesh = mesh
        self._over = threading.Event()
        self.failed: list[Reply] = []
        self.served = 0

    def run(self) -> None:
        while not self._over.is_set():
            body: dict[str, Any] = {"model": "gpt", "messages": [{"role": "user", "content": "hi"}]}
            if self.served % 2:
                body["llm_mesh"] = {"prompt": {"name": "greet", "variables": {"name": "Ana"}}}
            reply = self._mesh.ask(body)
            self.served += 1
            if reply.status != 200:
                self.failed.append(reply)
            time.sleep(0.005)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(30)


@pytest.fixture(scope="module")
def greeting(mesh: Stand) -> None:
    """The prompt that whoever asks beside an attack has rendered."""
    schema = '{"type": "object", "properties": {"name": {"type": "string"}}}'
    put_prompt(mesh, f"{DEFAULT}/prompts/greet", "Hello {{ name }}", mesh.mesh.admin_key, schema)


@pytest.mark.usefixtures("greeting")
def test_hostile_templates_are_refused_one_by_one_while_others_are_served(mesh: Stand, eve: str) -> None:
    for name, template in TEMPLATES.items():
        assert len(template) < 4096
        put_prompt(mesh, f"{EVIL}/prompts/{name}", template, eve)
    with Beside(mesh) as beside:
        for name in [*TEMPLATES] * 2:
            body = {"model": "gpt", "messages": [], "llm_mesh": {"prompt": {"name": name}}}
            reply = mesh.ask(body, key=eve)
            assert (reply.status, reply.code) == (400, "render_limit_exceeded"), (name, reply.body)
            request = catalogue_pb2.RenderRequest(name=name)
            told = refused(partial(catalogue(mesh).Render, request, metadata=bearer(eve), timeout=20))
            assert (told.code, told.reason) == (CODES.INVALID_ARGUMENT, "RENDER_LIMIT_EXCEEDED"), told
    assert not beside.failed, beside.failed[0].body
    assert beside.served > 20


def bombs() -> Iterator[tuple[str, str, str]]:
    """Name, schema, reason: schemas that expand, lead in circles, or are nested too deeply."""
    doubled: dict[str, Any] = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(30)}
    yield "doubled", json.dumps({"type": "object", "$ref": "#/$defs/d0", "$defs": doubled | {"d30": {}}}), "SCHEMA_INVALID"
    circle = {"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}}
    yield "circle", json.dumps({"type": "object", "$ref": "#/$defs/a", "$defs": circle}), "SCHEMA_INVALID"
    yield "deep", '{"type":"object","properties":' + '{"a":{"properties":' * 1500 + "{}" + "}}" * 1500 + "}", "SCHEMA_INVALID"
    yield "brackets", "[" * 60_000, "SCHEMA_INVALID"
    yield "long", json.dumps({"type": "object", "description": "x" * 70_000}), "INVALID_FIELD"
    yield "pattern", json.dumps({"type": "object", "properties": {"a": {"pattern": "(a+)+$"}}}), "SCHEMA_INVALID"


@pytest.mark.usefixtures("greeting")
def test_schema_bombs_are_refused_with_the_field_while_others_are_served(mesh: Stand, eve: str) -> None:
    with Beside(mesh) as beside:
        for name, schema, reason in bombs():
            told = refused(partial(put_prompt, mesh, f"{EVIL}/prompts/{name}", "x", eve, schema))
            assert (told.code, told.reason) == (CODES.INVALID_ARGUMENT, reason), (name, told)
            assert told.field == "prompts[0].version.variables_schema_json", told
        values = {"type": "object", "properties": {"v": {"uniqueItems": True}, "w": {}}}
        put_prompt(mesh, f"{EVIL}/prompts/values", "{{ v | length }}", eve, json.dumps(values))
        for text, reasons in (
            ('{"w": ' + "[" * 100_000 + "]" * 100_000 + "}", {"INVALID_FIELD"}),
            (json.dumps({"v": [{"a": n} for n in range(60_000)]}), {"RENDER_LIMIT_EXCEEDED", "VARIABLE_INVALID"}),
        ):
            request = catalogue_pb2.RenderRequest(name="values", variables_json=text)
            told = refused(partial(catalogue(mesh).Render, request, metadata=bearer(eve), timeout=20))
            assert told.reason in reasons, told
    assert not beside.failed, beside.failed[0].body


def test_deep_json_in_a_request_is_refused_with_its_field(mesh: Stand) -> None:
    deep = b"[" * 1000 + b"]" * 1000
    changes: list[dict[str, Any]] = [
        {"extras": [content_pb2.Extra(dialect="openai", key="metadata", json=deep)]},
        {"tools": [content_pb2.Tool(function=content_pb2.FunctionTool(name="f", parameters_json=deep.decode()))]},
        {"tools": [content_pb2.Tool(opaque=content_pb2.OpaquePart(dialect="openai", type="custom", json=deep))]},
    ]
    for change in changes:
        told = refused(partial(over_grpc, mesh, asked("gpt", **change)))
        assert (told.code, told.reason) == (CODES.INVALID_ARGUMENT, "INVALID_FIELD"), told
        assert told.field.endswith(("json", "extras[openai.metadata]")), told
    for key, value in (("metadata", deep), ("tools", b'[{"type":"function","function":{"name":"f","parameters":{"a":' + deep + b"}}}]")):
        raw = json.dumps({"model": "gpt", "messages": [{"role": "user", "content": "hi"}], key: "HERE"}).encode()
        reply = mesh.ask(raw.replace(b'"HERE"', value))
        assert reply.status == 400, reply.body


def test_a_prompt_needs_the_callers_own_right(mesh: Stand, narrow: str) -> None:
    for name in ("open", "shut"):
        put_prompt(mesh, f"{DEFAULT}/prompts/{name}", f"The {name} prompt.", mesh.mesh.admin_key)
    body: dict[str, Any] = {"model": "gpt", "messages": []}

    def ask(name: str, key: str) -> Reply:
        return mesh.ask(body | {"llm_mesh": {"prompt": {"name": name}}}, key=key)

    for spelling in ("open", "open/versions/1", f"{DEFAULT}/prompts/open", f"{DEFAULT}/prompts/open/versions/latest"):
        assert ask(spelling, narrow).status == 200
    refusals = set()
    for name in ("shut", "absent"):
        for spelling in (name, f"{name}/versions/1", f"{DEFAULT}/prompts/{name}", f"{DEFAULT}/prompts/{name}/versions/latest"):
            reply = ask(spelling, narrow)
            refusals.add((reply.status, reply.code, reply.error["message"].replace(name, "NAME")))
            request = asked("gpt")
            request.options.prompt.name = spelling
            told = refused(partial(over_grpc, mesh, request, narrow))
            assert (told.code, told.reason) == (CODES.PERMISSION_DENIED, "ACTION_DENIED"), told
    assert {each[:2] for each in refusals} == {(403, "action_denied")}
    assert len(refusals) == 1, "absent and forbidden look the same"
    assert b"The shut prompt" not in sent(mesh)


OPENAI_KEYS: list[tuple[str, Any]] = [
    ("models", ["MARK"]), ("plugins", [{"id": "MARK"}]), ("service_tier", "MARK"), ("store", True), ("background", True),
    ("provider", {"order": ["MARK"]}),
    ("web_search_options", {"MARK": 1}), ("chat_template", "MARK"), ("chat_template_kwargs", {"MARK": 1}), ("guided_json", {"MARK": 1}),
    ("prediction", {"type": "content", "content": "MARK"}), ("route", "MARK"), ("transforms", ["MARK"]), ("audio", {"voice": "MARK"}),
    ("extra_body", {"MARK": 1}), ("search_parameters", {"MARK": 1}), ("prompt_cache_retention", "MARK"), ("fallbacks", ["MARK"]),
]  # fmt: skip
ANTHROPIC_KEYS: list[tuple[str, Any]] = [
    ("mcp_servers", [{"url": "MARK"}]), ("container", "MARK"), ("speed", "MARK"), ("inference_geo", "MARK"), ("fallbacks", ["MARK"]),
    ("service_tier", "MARK"), ("thread", {"id": "MARK"}), ("billing_policy", "MARK"),
]  # fmt: skip


def test_no_costly_key_reaches_a_provider_over_http_or_grpc(mesh: Stand) -> None:
    said = [{"role": "user", "content": "hi"}]
    before = len(mesh.provider.log())
    for key, value in OPENAI_KEYS:
        reply = mesh.ask({"model": "gpt", "messages": said, key: value})
        assert (reply.status, reply.code, reply.error["param"]) == (400, "extra_not_allowed", key), (key, reply.body)
    for key, value in ANTHROPIC_KEYS:
        reply = mesh.ask({"model": "claude", "max_tokens": 9, "messages": said, key: value}, path="/v1/messages")
        assert (reply.status, reply.code, reply.error["param"]) == (400, "extra_not_allowed", key), (key, reply.body)
    for dialect, alias, keys in (("openai", "gpt", OPENAI_KEYS), ("anthropic", "claude", ANTHROPIC_KEYS)):
        for key, value in keys:
            extra = content_pb2.Extra(dialect=dialect, key=key, json=json.dumps(value).encode())
            told = refused(partial(over_grpc, mesh, asked(alias, extras=[extra])))
            assert (told.code, told.reason) == (CODES.INVALID_ARGUMENT, "EXTRA_NOT_ALLOWED"), (key, told)
            assert told.field == f"input.extras[{dialect}.{key}]"
    for dialect, alias, kind in (("openai", "gpt", "web_search"), ("openai", "gpt", "mcp"), ("anthropic", "claude", "web_search_20260318")):
        opaque = content_pb2.OpaquePart(dialect=dialect, type="custom", json=json.dumps({"type": kind, "name": "MARK"}).encode())
        told = refused(partial(over_grpc, mesh, asked(alias, tools=[content_pb2.Tool(opaque=opaque)])))
        assert told.reason == "EXTRA_NOT_ALLOWED", told
    assert len(mesh.provider.log()) == before, "nothing was sent"
    assert b"MARK" not in sent(mesh)


def test_unknown_keys_stay_here_are_told_of_and_fail_an_exact_request(mesh: Stand) -> None:
    body = {
        "model": "gpt",
        "messages": [{"role": "user", "content": "hi", "odd_in_message": "MARK"}],
        "odd": "MARK",
        "metadata": {"team": "KEPT"},
    }
    reply = mesh.ask(body)
    assert reply.status == 200, reply.body
    extra = content_pb2.Extra(dialect="openai", key="odd", json=b'"MARK"')
    answer = over_grpc(mesh, asked("gpt", extras=[extra]))
    assert [each.field for each in answer.output.translations] == ["extras[openai.odd]"]
    request = asked("gpt", extras=[extra])
    request.options.fidelity = gateway_pb2.FIDELITY_EXACT
    told = refused(lambda: over_grpc(mesh, request))
    assert told.reason == "FIDELITY_LOST", told
    seen = sent(mesh)
    assert b"MARK" not in seen
    assert b"KEPT" in seen


def test_an_operator_lets_a_key_and_an_origin_through_at_one_endpoint(mesh: Stand) -> None:
    said = [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://10.1.2.3:8080/GRANTED.png"}}]}]
    assert mesh.ask({"model": "generous", "messages": said, "service_tier": "GRANTED-TIER"}).status == 200
    seen = sent(mesh)
    assert b"GRANTED.png" in seen
    assert b"GRANTED-TIER" in seen
    reply = mesh.ask({"model": "gpt", "messages": said})
    assert (reply.status, reply.code) == (400, "media_address_not_allowed"), reply.body


ADDRESSES = [
    "http://example.com/a", "https://localhost/a", "https://LOCALHOST./a", "https://127.0.0.1/a", "https://2130706433/a", "https://0x7f000001/a",
    "https://0177.0.0.1/a", "https://127.1/a", "https://[::1]/a", "https://[::ffff:169.254.169.254]/a", "https://169.254.169.254/latest/meta-data",
    "https://metadata.google.internal/a", "https://10.0.0.1/a", "https://100.64.0.1/a", "https://192.168.1.1./a", "https://printer.local/a",
    "https://kubernetes/a", "https://user@example.com/a", "https://example.com:8443/a", "https://example.com\\@127.0.0.1/a", "ftp://example.com/a",
    "file:///etc/passwd", "https://\uff11\uff12\uff17.0.0.1/a", "https://127\u30020\u30020\u30021/a", "https://[fd00:ec2::254]/a", "https://[64:ff9b::a00:1]/a",
]  # fmt: skip


def test_no_address_within_a_network_reaches_a_provider_in_any_spelling(mesh: Stand) -> None:
    before = len(mesh.provider.log())
    for address in ADDRESSES:
        part: dict[str, Any] = {"type": "image_url", "image_url": {"url": address}}
        reply = mesh.ask({"model": "gpt", "messages": [{"role": "user", "content": [part]}]})
        assert (reply.status, reply.code) == (400, "media_address_not_allowed"), (address, reply.body)
        source = {"type": "image", "source": {"type": "url", "url": address}}
        body = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": [source]}]}
        reply = mesh.ask(body, path="/v1/messages")
        assert (reply.status, reply.code) == (400, "media_address_not_allowed"), (address, reply.body)
        for alias in ("gpt", "claude"):
            request = asked(alias)
            request.input.messages[0].parts.add().image.uri = address
            told = refused(partial(over_grpc, mesh, request))
            assert (told.reason, told.field) == ("MEDIA_ADDRESS_NOT_ALLOWED", "input.messages[0].parts[1].image.uri"), (address, told)
    assert len(mesh.provider.log()) == before, "nothing was sent"
    public = {"type": "image_url", "image_url": {"url": "https://example.com/PUBLIC.png"}}
    assert mesh.ask({"model": "gpt", "messages": [{"role": "user", "content": [public]}]}).status == 200
    assert b"PUBLIC.png" in sent(mesh)
