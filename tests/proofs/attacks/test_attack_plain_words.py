"""What every command says on a running mesh is in the user's language: no names of the contracts, no text of protobuf's, no Python."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import llm_mesh
from llm_mesh_cli.app import COMMANDS, loaded
from tests.cli.inside import CommandLine, Ended, run
from tests.proofs.stand import Stand, provider, stand
from tests.proofs.topology import topology

pytestmark = pytest.mark.skipif(
    topology() != "embedded", reason="the models and files of `up` are what its user sees; words are the same elsewhere"
)
DOMAIN = "words"
FILE = f"""
domains:
  - name: {DOMAIN}
    display_name: Words
    projects:
      - {{name: triage, budget: {{amount: 25 USD, period: monthly}}, allowed_models: [sim-echo]}}
    principals: [{{name: ana}}]
    bindings: [{{principal: ana, role: developer, scope: projects/triage}}]
    limits:
      - {{name: calm, subject: projects/triage, metric: input_tokens, amount: 600, per: 90s}}
    models:
      - {{name: m, alias: m, adapter: openai, endpoint: simulator, upstream_model: sim-echo, capabilities: [generate, streaming],
          service_level: {{first_token_p90_ms: 8, contact: a@example.org}}, price: {{input: "0.15", output: "0.6", source: x}}}}
    routes:
      - {{name: r, alias: r, targets: [{{model: m, priority: 0}}], limits: {{idle: 30s}}}}
    prompts:
      - {{name: p, description: d, messages: [{{role: user, template: "Hello {{{{ x }}}}"}}], labels: [production],
          variables: {{type: object, properties: {{x: {{type: string}}}}}}}}
floors:
  - {{name: {DOMAIN}, regions: [eu], screening: [{{detector: email, action: mask}}]}}
"""
CHANGED = (
    FILE.replace("25 USD", "20 USD")
    .replace("monthly", "total")
    .replace("90s", "2m")
    .replace("0.15", "0.14")
    .replace("idle: 30s", "idle: 1s")
)
SCRIPT = f"""
domains create claims
apply -f {{folder}}/mesh.yaml --allow-loosening
apply -f {{folder}}/changed.yaml --dry-run
apply -f {{folder}}/changed.yaml
apply -f {{folder}}/misspelt.yaml
chat -m sim-echo hello
chat -m sim-words --no-stream hello
chat -m nothing hello
chat -m sim-embed hello
embed -m sim-embed hello
domains list
domains show {DOMAIN}
domains create {DOMAIN}-2 --display-name Two
domains update {DOMAIN}-2 --region eu --dry-run
projects list --domain {DOMAIN}
projects show {DOMAIN}/triage
projects create {DOMAIN}/more --max-output-tokens 9
projects update {DOMAIN}/more --max-output-tokens 5
retention show {DOMAIN}/more
retention update {DOMAIN}/more --days 30
retention erase {DOMAIN}/more --everything
principals list --domain {DOMAIN}
principals show {DOMAIN}/ana
principals create {DOMAIN}/bob
principals update {DOMAIN}/bob --display-name Bob
principals explain {DOMAIN}/ana models.generate domains/{DOMAIN}/models/m
roles list
roles show developer
roles set {DOMAIN}/look --permission models.get
roles delete {DOMAIN}/look
bindings list --domain {DOMAIN}
bindings show ana-developer --domain {DOMAIN}
bindings create {DOMAIN}/bob --principal bob --role viewer
bindings delete {DOMAIN}/bob
bindings accept none --principal domains/default/principals/application
bindings reject none --principal domains/default/principals/application
keys create --project {DOMAIN}/triage --principal ana
keys list --project {DOMAIN}/triage
keys list
keys show nothing --project {DOMAIN}/triage
keys rotate nothing --project {DOMAIN}/triage
keys revoke nothing --project {DOMAIN}/triage
models list
models show {DOMAIN}/m
models create shared/n --adapter openai --endpoint simulator --upstream sim-echo --capability generate --free
models update shared/n --display-name N
models deprecate {DOMAIN}/m --retire 30d
models show {DOMAIN}/m
models list --domain {DOMAIN}
models undeprecate {DOMAIN}/m
models well-known
models discover
prices list {DOMAIN}/m
prices show {DOMAIN}/m 1
prices create {DOMAIN}/m --input 1 --output 2 --source x
routes list --domain {DOMAIN}
routes show {DOMAIN}/r
routes create {DOMAIN}/s --target m
routes update {DOMAIN}/s --max-attempts 2
routes delete {DOMAIN}/s
adapters list
adapters set words --dialect openai
adapters show words
adapters endpoints
adapters check openai/simulator
subscriptions list --domain {DOMAIN}
subscriptions offers --domain {DOMAIN}
subscriptions accept claims --domain {DOMAIN}
subscriptions show claims --domain {DOMAIN}
subscriptions update claims --domain {DOMAIN} --alias x
subscriptions cancel claims --domain {DOMAIN}
prompts list --domain {DOMAIN}
prompts show {DOMAIN}/p
prompts versions {DOMAIN}/p
prompts create {DOMAIN}/q
prompts update {DOMAIN}/q --description D
prompts push {DOMAIN}/p {{folder}}/mesh.yaml
prompts label {DOMAIN}/p production 1
prompts diff {DOMAIN}/p 1 2
prompts push default/p {{folder}}/plain.txt
prompts render default/p
budgets show --project {DOMAIN}/triage
budgets show
budgets list --domain {DOMAIN}
budgets set 9 --project {DOMAIN}/triage
budgets delete --project {DOMAIN}/more
floors list
floors show {DOMAIN}
floors set {DOMAIN} --region us --dry-run
floors delete {DOMAIN}
limits list --domain {DOMAIN}
limits show {DOMAIN}/calm
limits set {DOMAIN}/calm 7 --dry-run
limits delete {DOMAIN}/calm
audit list -n 5000
audit export {{folder}}/trail
audit verify --file {{folder}}/trail
endpoints list
endpoints show openai/simulator
endpoints set openai/simulator --description d
endpoints delete openai/nothing
spend
spend --by tag
spend --by tag --tag team
spend --by model --by day
requests list
requests show {{request}}
requests reconcile {{request}} --note why --output-tokens 5
feedback create {{request}} --score 1
feedback list {{request}}
projections rebuild
explain {{request}}
tail --no-follow
whoami
health
doctor --no-ask-providers
settings
version
"""  # noqa: S608 (commands, no SQL)
WITHOUT = {
    "up": "hosts a mesh; tests/cli/test_cli_start.py reads what it prints",
    "serve": "hosts a service",
    "migrate": "changes schemas of a mesh that is stopped",
    "bootstrap": "makes the first administrator of a mesh, which this one has",
    "setup": "makes the first project of a mesh, which this one has",
    "endpoints add": "reaches a provider; tests/cli/test_cli_added_endpoints.py takes it",
    "endpoints test": "likewise",
    "endpoints remove": "likewise",
}
PYTHON = re.compile(r"\{'|\['|\[\"|\('|<[a-z_.]+ object at|<class |Traceback|\bNone\b|\bTrue\b|\bFalse\b|<[A-Z]\w+\.[A-Z]|b'")
PROTOBUF = re.compile(r"\b(?:nanos|seconds|currency|value|key): ?[\"0-9]|_pb2\b|\b\w+ \{$|input_nanos_per_million", re.MULTILINE)
CAMEL = re.compile(r"^[a-z]+[A-Z]\w*\s", re.MULTILINE)


def leaves(command: Any, path: str) -> Iterator[str]:
    subs = getattr(command, "commands", None)
    if subs is None:
        yield path
        return
    for name, sub in subs.items():
        if not sub.hidden:
            yield from leaves(sub, f"{path} {name}")


def enum_names() -> set[str]:
    """The names of all enum values of all contracts, but of error reasons, which are shown without their prefix."""
    names: set[str] = set()
    for found in pkgutil.walk_packages(llm_mesh.__path__, "llm_mesh."):
        if found.name.endswith("_pb2"):
            descriptor = importlib.import_module(found.name).DESCRIPTOR
            enums = [*descriptor.enum_types_by_name.values(), *(e for m in descriptor.message_types_by_name.values() for e in m.enum_types)]
            names |= {value.name for enum in enums for value in enum.values}
    return names


NAMES = enum_names()
MESSAGES = re.compile("|".join(sorted(re.escape(name) for name in NAMES)))


def unfriendly(text: str) -> list[str]:
    """What of a text is not in the user's language."""
    return [found.group() for pattern in (MESSAGES, PYTHON, PROTOBUF, CAMEL) for found in pattern.finditer(text)]


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    folder: Path = tmp_path_factory.mktemp("plain-words")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        yield made


@pytest.fixture(scope="module")
def said(mesh: Stand, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Ended]:
    """Every line of the script, and what it said."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "mesh.yaml").write_text(FILE)
    (folder / "plain.txt").write_text("Hello")
    (folder / "changed.yaml").write_text(CHANGED)
    (folder / "misspelt.yaml").write_text(FILE.replace("streaming]", "streming]").replace("endpoint: simulator", "endpoint: simulatr"))
    line = CommandLine(mesh.mesh)
    reply = mesh.ask({"model": "sim-echo", "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}]})
    request = reply.headers["x-llm-mesh-reservation"]
    told: dict[str, Ended] = {}
    for words in SCRIPT.strip().splitlines():
        told[words] = line.ask(*words.format(folder=folder, request=request).split())
    return told


def test_every_command_is_in_the_script_or_has_a_reason_not_to_be() -> None:
    commands = {leaf for name in COMMANDS for leaf in leaves(loaded(name), name)}
    lines = SCRIPT.strip().splitlines()
    missing = {leaf for leaf in commands if not any(line == leaf or line.startswith(f"{leaf} ") for line in lines)}
    assert missing == WITHOUT.keys()


def test_no_command_shows_names_of_contracts_text_of_protobuf_or_python(said: dict[str, Ended]) -> None:
    wrong = {words: (found, ended) for words, ended in said.items() if (found := unfriendly(ended.out + ended.err))}
    assert not wrong, "\n".join(f"{words}: {found}\n{ended.out}{ended.err}" for words, (found, ended) in wrong.items())


def test_the_script_does_what_it_says(said: dict[str, Ended]) -> None:
    """Else a command that fails early would hide what it shows."""
    expected = ("chat -m nothing", "chat -m sim-embed", "spend --by tag", "requests reconcile", "budgets delete", "subscriptions update")
    failed = {words for words, ended in said.items() if ended.code and "nothing" not in words and " none " not in words}
    told = "\n".join(f"{words}: {said[words].err}" for words in failed if "misspelt" not in words and not words.startswith(expected))
    assert not told, told


def test_a_file_that_misspells_says_what_was_meant(said: dict[str, Ended]) -> None:
    ended = next(ended for words, ended in said.items() if "misspelt" in words)
    assert ended.code == 5
    assert "there is no capability streming; did you mean streaming?" in ended.err
    assert "there is no endpoint openai/simulatr; did you mean openai/simulator" in ended.err


@pytest.mark.parametrize(
    "words",
    [
        "spend --project {}", "spend --domain {}", "tail --no-follow --project {}", "keys list --project {}", "limits list --domain {}",
        "budgets list --domain {}", "budgets show --project {}", "prompts list --domain {}", "prompts show {}", "models list --domain {}",
        "models show {}", "routes list --domain {}", "projects list --domain {}", "requests list --project {}", "models list --endpoint {}",
        "limits show {}", "keys show {}", "keys create --model {}", "routes create x --target shared/{}", "explain {}",
    ],
)  # fmt: skip
def test_a_misspelt_name_is_not_found(mesh: Stand, words: str) -> None:
    ended = CommandLine(mesh.mesh).ask(*words.format("nosuchname").split())
    assert ended.code == 5, (words, ended)
    assert "nosuchname" in ended.err
    assert not unfriendly(ended.err)


def test_a_name_that_is_nearly_right_is_suggested(mesh: Stand) -> None:
    line = CommandLine(mesh.mesh)
    for words, meant in (
        ("keys create --model sim-ecko", "sim-echo"),
        ("routes create t --target shared/sim-ecko", "sim-echo"),
        ("spend --domain defualt", "default"),
    ):
        ended = line.ask(*words.split())
        assert ended.code == 5, (words, ended)
        assert f"did you mean {meant}" in ended.err
    forced = line.ask("keys", "create", "--model", "sim-ecko", "--force")
    assert (forced.code, "warning: there is no model sim-ecko" in forced.err) == (0, True)


def test_where_nobody_answers_the_setting_or_the_start_is_named(mesh: Stand, tmp_path: Path) -> None:
    line = CommandLine(mesh.mesh)
    nobody = run("spend", env={"LLM_MESH_DATA_DIR": str(tmp_path), "LLM_MESH_KEY": "mk_x", "LLM_MESH_GRPC": "127.0.0.1:1"})
    assert nobody.code == 3
    assert "the mesh is not running: nobody answers at 127.0.0.1:1" in nobody.err
    assert "`llm-mesh up`" in nobody.err
    wrong = line.ask("spend", "--address", "127.0.0.1:1")
    assert (wrong.code, "127.0.0.1:1, which --address says" in wrong.err) == (3, True)
    variable = run("spend", env={"LLM_MESH_DATA_DIR": str(tmp_path), "LLM_MESH_KEY": "mk_x", "LLM_MESH_ADDRESS": "127.0.0.1:1"})
    assert "which LLM_MESH_ADDRESS says" in variable.err
    http = line.ask("spend", "--address", mesh.mesh.addresses["http"])
    assert "where the mesh serves HTTP" in http.err
    assert mesh.mesh.addresses["grpc"] in http.err


def test_a_project_without_a_budget_is_unlimited_and_says_how_to_set_one(mesh: Stand) -> None:
    assert "unlimited, set one with `llm-mesh budgets set" in CommandLine(mesh.mesh).done("budgets", "show")


def test_the_audit_trail_tells_amounts_as_people_write_them(said: dict[str, Ended]) -> None:
    assert re.search(r"held 0\.\d+ USD", said["audit list -n 5000"].out)
    assert "nanos" not in said["audit list -n 5000"].out


def test_a_refusal_names_its_decision_and_how_to_have_it_explained(mesh: Stand) -> None:
    line = CommandLine(mesh.mesh)
    ended = line.ask("chat", "-m", "sim-embed", "hello")
    assert "sim-embed cannot " in ended.err
    (decision,) = set(re.findall(r"decision: ([0-9a-f]{16})", ended.err))
    assert f"`llm-mesh explain {decision}`" in ended.err
    assert "sim-embed" in line.done("explain", decision)
    reply = mesh.ask({"model": "sim-embed", "messages": [{"role": "user", "content": "hi"}]})
    assert "sim-embed cannot generate" in reply.error["message"]
    assert reply.error["llm_mesh"]["decision"] == reply.headers["x-llm-mesh-decision"]


def test_a_request_that_the_budget_refuses_is_explained_by_it(mesh: Stand) -> None:
    line = CommandLine(mesh.mesh)
    mesh.put_budget(1)
    try:
        reply = mesh.ask({"model": "sim-echo", "messages": [{"role": "user", "content": "hi"}]}, headers={"x-request-id": "poor"})
        assert reply.code == "budget_exceeded"
        assert re.search(r"Refused at \S+: .*budget", line.done("explain", "poor"))
    finally:
        line.done("budgets", "delete")
