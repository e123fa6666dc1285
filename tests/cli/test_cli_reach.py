"""Every PUBLIC method of the contracts is called by some command: here each with the command that calls it."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

import llm_mesh
from llm_mesh.adapter.v1 import adapter_pb2
from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.mesh.v1 import access_pb2
from llm_mesh.policy.v1 import identity_pb2, ledger_pb2, usage_pb2
from llm_mesh.registry.v1 import registry_pb2
from llm_mesh_cli import command_reference
from llm_mesh_cli.app import ALIASES, loaded
from llm_mesh_cli.app import COMMANDS as COMMAND_NAMES
from llm_mesh_cli.session import Session
from llm_mesh_figures.prices import RATES
from tests.cli.inside import run

FILE = """
domains:
  - name: claims
    display_name: Claims
    routes: [{name: main, targets: [{model: shared/a}]}]
    models: [{name: m, adapter: a, endpoint: b, upstream_model: c}]
    prompts: [{name: p, user: hello}]
"""
SUBSCRIBING = "domains: [{name: claims, subscriptions: [{name: s, product: domains/a/models/b}]}]\n"
ENTRY = "domains/d/projects/p/reservations/r"
COMMANDS = {
    "IdentityService/Bootstrap": "bootstrap --token mb_x --save {folder}/admin.key",
    "IdentityService/WhoAmI": "whoami",
    "IdentityService/CreateDomain": "domains create d",
    "IdentityService/GetDomain": "domains show d",
    "IdentityService/ListDomains": "domains list",
    "IdentityService/UpdateDomain": "domains update d --display-name x",
    "IdentityService/CreateProject": "projects create d/p",
    "IdentityService/GetProject": "projects show d/p",
    "IdentityService/ListProjects": "projects list",
    "IdentityService/UpdateProject": "projects update d/p --display-name x",
    "IdentityService/CreatePrincipal": "principals create d/ana",
    "IdentityService/ListPrincipals": "principals list",
    "IdentityService/UpdatePrincipal": "principals update d/ana --disabled",
    "IdentityService/CreateKey": "keys create --principal domains/d/principals/ana",
    "IdentityService/GetKey": "keys show d/p/k",
    "IdentityService/ListKeys": "keys list",
    "IdentityService/RotateKey": "keys rotate k",
    "IdentityService/RevokeKey": "keys revoke k",
    "RuleService/PutRole": "roles set d/r --permission models.get",
    "RuleService/ListRoles": "roles list",
    "RuleService/DeleteRole": "roles delete d/r",
    "RuleService/CreateBinding": "bindings create d/b --principal ana --role developer",
    "RuleService/ListBindings": "bindings list",
    "RuleService/AcceptBinding": "bindings accept d/b --principal e/ana",
    "RuleService/RejectBinding": "bindings reject d/b --principal e/ana",
    "RuleService/DeleteBinding": "bindings delete d/b",
    "RuleService/PutFloor": "floors set d --zero-retention",
    "RuleService/GetFloor": "floors show d",
    "RuleService/ListFloors": "floors list",
    "RuleService/DeleteFloor": "floors delete d",
    "RuleService/Explain": "principals explain d/ana models.get domains/d/models/m",
    "RuleService/ListAuditRecords": "audit list",
    "RuleService/ExportAuditRecords": "audit export {folder}/trail",
    "RuleService/ApplyPolicy": "apply -f {folder}/mesh.yaml --dry-run --force",
    "LedgerService/GetBudget": "budgets show --name b",
    "LedgerService/PutBudget": "budgets set 5 --allow-loosening",
    "LedgerService/DeleteBudget": "budgets delete",
    "LedgerService/ListBudgets": "budgets list",
    "LedgerService/PutLimit": "limits set calm 5",
    "LedgerService/ListLimits": "limits list",
    "LedgerService/DeleteLimit": "limits delete calm",
    "LedgerService/GetLedgerEntry": f"requests show {ENTRY}",
    "LedgerService/ListLedgerEntries": "requests list",
    "LedgerService/ReconcileLedgerEntry": f"requests reconcile {ENTRY} --note why --output-tokens 5",
    "RouterService/ExplainDecision": "explain 0123456789abcdef",
    "RouterService/CreateRoute": "routes create d/r --target shared/a",
    "RouterService/GetRoute": "routes show d/r",
    "RouterService/ListRoutes": "routes list",
    "RouterService/UpdateRoute": "routes update d/r --max-attempts 2",
    "RouterService/DeleteRoute": "routes delete d/r",
    "RouterService/ApplyRoutes": "apply -f {folder}/mesh.yaml --dry-run --force",
    "RegistryService/CreateModel": "models add d/m --adapter a --endpoint b --upstream c --force",
    "RegistryService/GetModel": "models show domains/d/models/m",
    "RegistryService/ListModels": "models list",
    "RegistryService/UpdateModel": "models update d/m --display-name x",
    "RegistryService/DeprecateModel": "models deprecate domains/d/models/m",
    "RegistryService/CreatePrice": "prices add domains/d/models/m --input 1 --output 2 --source x",
    "RegistryService/GetPrice": "prices show domains/d/models/m 1",
    "RegistryService/ListPrices": "prices list domains/d/models/m",
    "RegistryService/ListAdapters": "adapters list",
    "RegistryService/PutAdapter": "adapters set a --dialect b",
    "RegistryService/ListEndpoints": "endpoints list",
    "RegistryService/GetEndpoint": "endpoints show a/b",
    "RegistryService/PutEndpoint": "endpoints set a/b --processor x",
    "RegistryService/DeleteEndpoint": "endpoints delete a/b",
    "RegistryService/ListWellKnownModels": "models well-known",
    "RegistryService/ApplyModels": "apply -f {folder}/mesh.yaml --dry-run --force",
    "RegistryService/CreateSubscription": "subscriptions accept claims",
    "RegistryService/GetSubscription": "subscriptions show s",
    "RegistryService/ListSubscriptions": "subscriptions list",
    "RegistryService/UpdateSubscription": "subscriptions update s --alias x",
    "RegistryService/DeleteSubscription": "subscriptions cancel s",
    "RegistryService/ListOffers": "subscriptions offers",
    "RegistryService/ApplySubscriptions": "apply -f {folder}/subscribing.yaml --dry-run",
    "CatalogueService/CreatePrompt": "prompts create p",
    "CatalogueService/GetPrompt": "prompts label p production 1",
    "CatalogueService/ListPrompts": "prompts list",
    "CatalogueService/UpdatePrompt": "prompts update p --description x",
    "CatalogueService/GetVersion": "prompts push p {folder}/mesh.yaml",
    "CatalogueService/ListVersions": "prompts versions p",
    "CatalogueService/DiffVersions": "prompts diff p 1 2",
    "CatalogueService/Render": "prompts render p",
    "CatalogueService/ApplyPrompts": "prompts push p {folder}/mesh.yaml",
    "GatewayService/Generate": "chat hi -m a --no-stream",
    "GatewayService/GenerateStream": "chat hi -m a",
    "GatewayService/Embed": "embed hi",
    "GatewayService/CheckServices": "adapters endpoints",
    "GatewayService/CountTokens": "chat hi -m a --count",
    "GatewayService/ListModels": "chat hi",
    "ObservabilityService/QuerySpend": "spend",
    "ObservabilityService/Tail": "tail --no-follow",
    "ObservabilityService/GetRequest": f"requests show {ENTRY}",
    "ObservabilityService/CreateFeedback": f"feedback create {ENTRY} --score 1",
    "ObservabilityService/ListFeedback": f"feedback list {ENTRY}",
    "ObservabilityService/Rebuild": "projections rebuild",
    "RetentionService/GetRetention": "retention show d/p",
    "RetentionService/UpdateRetention": "retention update d/p --days 1",
    "RetentionService/EraseContent": "retention erase d/p --everything",
    "AdapterService/ListEndpoints": "adapters endpoints",
    "AdapterService/CheckEndpoint": "adapters check openai/local",
    "AdapterService/DiscoverModels": "models discover --endpoint local",
}
WITHOUT = {
    "GatewayService/EmbedStream": "the same vectors in pieces, for large batches of programs; `embed` shows a few",
    **{f"GatewayService/{each}": "for programs" for each in ("Rerank", "Moderate", "Assess", "GenerateImage", "Speak", "Transcribe")},
    **{f"FileService/{each}File": "for programs" for each in ("Upload", "Get", "Delete", "Download")},
    "FileService/ListFiles": "for programs",
    **{f"BatchService/{each}": "for programs" for each in ("CreateBatch", "GetBatch", "ListBatches", "CancelBatch", "DeleteBatch")},
    "BatchService/ReadResults": "for programs",
    **{f"ResponseService/{each}Response": "for programs" for each in ("Create", "Get", "Resume", "Cancel", "Delete")},
    "ResponseService/ListInputItems": "for programs",
    **{f"ConversationService/{each}Conversation": "for programs" for each in ("Create", "Get", "Update", "Delete")},
    **{f"ConversationService/{each}": "for programs" for each in ("CreateItems", "ListItems", "GetItem", "DeleteItem")},
    "CatalogueService/CreateVersion": "`prompts push` adds versions with ApplyPrompts, which keeps what is not named",
}
ENTRY_MESSAGE = usage_pb2.LedgerEntry(name=ENTRY, lines=[{"usage": {"attempt_id": "a1"}}])
ANSWERS = {
    "GatewayService/CheckServices": gateway_pb2.CheckServicesResponse(services=[{"service": "adapter/openai"}]),
    "AdapterService/ListEndpoints": adapter_pb2.ListEndpointsResponse(endpoints=[{"name": "local", "local": True}]),
    "IdentityService/ListPrincipals": identity_pb2.ListPrincipalsResponse(principals=[{"name": "domains/d/principals/ana"}]),
    "LedgerService/GetLedgerEntry": ledger_pb2.GetLedgerEntryResponse(entry=ENTRY_MESSAGE),
}
"""Where an empty answer would end a command before it comes to the method."""


class Recording:
    """A channel that answers everything with nothing, and remembers what was called."""

    def __init__(self) -> None:
        self.called: set[str] = set()

    def unary_unary(self, method: str, *, response_deserializer: Callable[[bytes], Any], **_: object) -> Callable[..., Awaitable[Any]]:
        async def call(*_: object, **__: object) -> Any:
            return response_deserializer(self._answer(method))

        return call

    def unary_stream(self, method: str, **_: object) -> Callable[..., Any]:
        def call(*_: object, **__: object) -> Stream:
            self._answer(method)
            return Stream()

        return call

    def stream_stream(self, *_: object, **__: object) -> None:
        """No command calls such a method."""

    stream_unary = stream_stream

    def _answer(self, method: str) -> bytes:
        service, _, name = method.rpartition("/")
        short = f"{service.rpartition('.')[2]}/{name}"
        self.called.add(short)
        return ANSWERS[short].SerializeToString() if short in ANSWERS else b""


class Stream:
    """A stream that ends at once."""

    def __aiter__(self) -> AsyncIterator[Any]:
        return self

    async def __anext__(self) -> Any:
        raise StopAsyncIteration

    def cancel(self) -> None:
        """Nothing is left to cancel."""


def public() -> Iterator[str]:
    """The PUBLIC methods of all contracts."""
    for found in pkgutil.walk_packages(llm_mesh.__path__, "llm_mesh."):
        if not found.name.endswith("_pb2"):
            continue
        for service in importlib.import_module(found.name).DESCRIPTOR.services_by_name.values():
            for method in service.methods:
                if method.GetOptions().Extensions[access_pb2.access].level == access_pb2.ACCESS_LEVEL_PUBLIC:
                    yield f"{service.name}/{method.name}"


def test_each_public_method_has_its_command_or_a_reason_to_have_none() -> None:
    methods = set(public())
    assert len(methods) > 90
    assert methods == COMMANDS.keys() | WITHOUT.keys()
    assert not COMMANDS.keys() & WITHOUT.keys()


@pytest.mark.parametrize("method", COMMANDS)
def test_the_command_calls_the_method(method: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mesh.yaml").write_text(FILE)
    (tmp_path / "subscribing.yaml").write_text(SUBSCRIBING)
    recording = Recording()

    async def close(_session: Session) -> None:
        """There is no connection."""

    monkeypatch.setattr(Session, "channel", lambda *_: recording)
    monkeypatch.setattr(Session, "close", close)
    words = COMMANDS[method].format(folder=tmp_path).split()
    with suppress(ValueError):  # an empty answer is not one that a service gives: it may end a command after the call
        run(*words, env={"LLM_MESH_KEY": "mk_x", "LLM_MESH_DATA_DIR": str(tmp_path)})
    assert method in recording.called


OF_NO_DOMAIN = {
    "ListDomains": "all domains",
    "ListVersions": "a prompt",
    "ListPrices": "a model",
    "ListFeedback": "a request",
    "ListFloors": "the platform's",
    "ListAdapters": "the platform's",
    "ListEndpoints": "the platform's",
    "ListWellKnownModels": "the mesh's own",
    "ListModels of the gateway": "whoever asks",
    "ExportAuditRecords": "the whole trail",
    "ListFiles": "the caller's project",
    "ListBatches": "the caller's project",
}
"""Lists that are asked of something else than a domain."""


def lists() -> Iterator[str]:
    """The PUBLIC methods that answer in pages or without an end, of a `parent` that can be a domain."""
    for method in public():
        service, _, name = method.partition("/")
        known = f"{name} of the gateway" if service == "GatewayService" else name
        if name.startswith(("List", "Query", "Tail", "Export")) and known not in OF_NO_DOMAIN and method not in WITHOUT:
            yield method


@pytest.mark.parametrize("method", sorted(lists()))
def test_each_list_of_a_domain_can_be_asked_of_another_domain(method: str) -> None:
    group, *verbs = COMMANDS[method].split()
    command = loaded(group)
    verb = next((word for word in verbs if word in getattr(command, "commands", {})), "")
    params = command.commands[verb].params if verb else command.params
    assert "--domain" in {flag for each in params for flag in each.opts}


_PER_MILLION = "_nanos_per_million"
_OWN_OPTIONS = frozenset({"input_nanos_per_million", "output_nanos_per_million"})
_IMAGE = [field.name for field in registry_pb2.ImagePrice.DESCRIPTOR.fields]
ENDPOINT = {
    "operator": "--operator d",
    "description": "--description x",
    "region": "--region eu",
    "processor": "--processor x",
    "data_classes": "--data-class secret",
    "zero_retention": "--zero-retention",
    "credentials": "--credential x",
    "upstream_models": "--upstream x",
    "free_allowed": "--free",
    "domains": "--domain d",
    "price_floor.currency": "--least-input 1",
    "price_floor.input_nanos_per_million": "--least-input 1",
    "price_floor.output_nanos_per_million": "--least-output 1",
    **{f"price_floor.{rate}": f"--least {rate.removesuffix(_PER_MILLION)}=1" for rate in RATES if rate not in _OWN_OPTIONS},
    **{f"price_floor.variants.{rate}": f"--least flex.{rate.removesuffix(_PER_MILLION)}=1" for rate in RATES},
    "price_floor.variants.tier": "--least flex.input=1",
    "price_floor.variants.upstream_model": "--least model:m-4.5.input=1",
    **{f"price_floor.images.{part}": "--least-image 1024x1024,high=1" for part in _IMAGE},
    **{f"price_floor.variants.images.{part}": "--least-image flex.1024x1024,high=1" for part in _IMAGE},
    **{
        f"token_floor.{bound}": f"--token-floor {bound}=5"
        for bound in ("image_tokens", "audio_tokens", "file_tokens", "context_window", "audio_seconds")
    },
    "token_floor.hidden_output": "--hidden-output reasoning",
}
OUTPUT_ONLY = frozenset({"name", "etag", "create_time", "update_time"})


def leaves(message: Any, prefix: str = "") -> Iterator[str]:
    """The paths of all fields that somebody sets."""
    for field in message.fields:
        if field.message_type is not None and field.message_type.file.name.startswith("llm_mesh/"):
            yield from leaves(field.message_type, f"{prefix}{field.name}.")
        elif field.name not in OUTPUT_ONLY:
            yield prefix + field.name


def test_each_field_of_an_endpoint_has_its_option() -> None:
    paths = set(leaves(registry_pb2.Endpoint.DESCRIPTOR))
    added = {path for path in paths if path.startswith("connection.")}
    assert paths - added == ENDPOINT.keys()
    options = {path.removeprefix("connection.").rpartition(".")[2].removesuffix("_file").replace("_", "-") for path in added}
    renamed = {"allowed-ranges": "allow", "environment-variable": "credential-variable", "file": "credential-file", "origin": "base-url"}
    shown = run("endpoints", "add", "--help", env={"COLUMNS": "200"}).out
    assert [option for option in options if f"--{renamed.get(option, option)}" not in shown] == []


@pytest.mark.parametrize("path", ENDPOINT)
def test_the_option_sets_the_field(path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[registry_pb2.PutEndpointRequest] = []

    class Keeping(Recording):
        def unary_unary(self, method: str, **options: Any) -> Callable[..., Awaitable[Any]]:
            answer = super().unary_unary(method, **options)

            async def call(request: Any, **rest: object) -> Any:
                if method.endswith("/PutEndpoint"):
                    sent.append(request)
                return await answer(request, **rest)

            return call

    monkeypatch.setattr(Session, "channel", lambda *_: Keeping())
    words = ["endpoints", "set", "a/b", *ENDPOINT[path].split(), "--allow-loosening"]
    assert run(*words, env={"LLM_MESH_KEY": "mk_x", "LLM_MESH_DATA_DIR": str(tmp_path)}).code == 0
    value: Any = sent[0].endpoint
    for part in path.split("."):
        value = getattr(value, part)
        value = value[0] if part in {"variants", "images"} else value
    assert value


def test_what_is_no_bound_of_tokens_is_refused(tmp_path: Path) -> None:
    env = {"LLM_MESH_KEY": "mk_x", "LLM_MESH_DATA_DIR": str(tmp_path), "LLM_MESH_ADDRESS": "127.0.0.1:1"}
    for wrong in ("image=5", "image_tokens", "image_tokens=many", "hidden_output=5"):
        assert run("endpoints", "set", "a/b", "--token-floor", wrong, env=env).code != 0


@pytest.mark.parametrize("alias", ALIASES)
def test_the_singular_of_a_noun_does_the_same(alias: str) -> None:
    helps = [run(name, "--help", env={"COLUMNS": "200"}) for name in (alias, ALIASES[alias])]
    assert helps[0] == helps[1]
    assert helps[0].code == 0


def test_the_reference_has_every_command() -> None:
    page = command_reference.page()
    assert [line.removeprefix("## ") for line in page.splitlines() if line.startswith("## ")] == list(COMMAND_NAMES)
    assert "### projects update" in page
    assert "`--allow-loosening`" in page
    assert "`llm-mesh apply --file …`" in page, "what a call cannot do without stands in its form"
