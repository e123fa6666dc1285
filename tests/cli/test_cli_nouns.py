"""Resources as commands: the same verbs for each, only named fields change, and a loosened guard needs the word for it."""

from __future__ import annotations

import json
from collections.abc import Iterable

import pytest

from llm_mesh.mesh.v1.resources_pb2 import Change
from llm_mesh_cli import paging
from llm_mesh_cli.apply.filling import names
from llm_mesh_cli.commands import adapters, bindings, domains, principals, projects, roles, routes
from llm_mesh_cli.nouns import changing, verbs
from llm_mesh_cli.nouns.noun import Noun
from tests.cli.inside import CommandLine
from tests.e2e.running import RunningMesh

NOT_FOUND, USAGE, CONFLICT = 5, 2, 6
NOUNS = (domains.DOMAINS, projects.PROJECTS, principals.PRINCIPALS, roles.ROLES, bindings.BINDINGS, routes.ROUTES, adapters.ADAPTERS)


def named(nouns: Iterable[Noun]) -> Iterable[object]:
    return [pytest.param(noun, id=noun.plural) for noun in nouns]


@pytest.fixture
def line(cli_mesh: RunningMesh) -> CommandLine:
    return CommandLine(cli_mesh)


@pytest.fixture
def domain(line: CommandLine, request: pytest.FixtureRequest) -> str:
    """A domain of the test's own."""
    name = f"n{abs(hash(request.node.name)) % 10**9}"
    line.done("domains", "create", name, "--display-name", "Claims: a team")
    return name


@pytest.mark.parametrize("noun", named(NOUNS))
def test_every_field_of_a_contract_that_can_be_written_has_an_option(noun: Noun) -> None:
    assert {option.field for option in noun.options} == set(names(noun.message()))


def test_a_project_is_created_listed_shown_and_changed_field_by_field(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/triage", "--model", "sim-echo", "--model", "sim-words", "--max-output-tokens", "9")
    line.done("project", "update", "triage", "--domain", domain, "--display-name", "Triage")
    shown = json.loads(line.done("projects", "show", f"{domain}/triage", "--json"))
    assert shown["displayName"] == "Triage"
    assert (shown["allowedModels"], shown["maxOutputTokens"]) == (["sim-echo", "sim-words"], "9"), "what is not named stays"
    assert [each["name"] for each in json.loads(line.done("projects", "list", "--domain", domain, "--json"))] == [shown["name"]]
    assert "allowed_models           sim-echo, sim-words" in line.done("projects", "show", f"{domain}/triage")


def test_a_loosened_guard_is_marked_and_needs_the_word_for_it(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/p", "--max-output-tokens", "9", "--strict-charging")
    tried = line.done("projects", "update", f"{domain}/p", "--max-output-tokens", "10", "--dry-run")
    assert tried.splitlines()[0] == "max_output_tokens: 9 → 10   loosens a guard"
    for change in (("--max-output-tokens", "10"), ("--no-strict-charging",), ("--unset", "max_output_tokens")):
        refused = line.ask("projects", "update", f"{domain}/p", *change)
        assert (refused.code, refused.out) == (CONFLICT, ""), refused
        assert "--allow-loosening" in refused.err
    assert json.loads(line.done("projects", "show", f"{domain}/p", "--json"))["maxOutputTokens"] == "9"
    line.done("projects", "update", f"{domain}/p", "--max-output-tokens", "8")
    line.done("projects", "update", f"{domain}/p", "--max-output-tokens", "10", "--allow-loosening")
    assert json.loads(line.done("projects", "show", f"{domain}/p", "--json"))["maxOutputTokens"] == "10"


def test_to_keep_answers_needs_the_word_for_it(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/k")
    assert "keep_answers: (unset) → yes   loosens a guard" in line.done("projects", "update", f"{domain}/k", "--keep-answers", "--dry-run")
    refused = line.ask("projects", "update", f"{domain}/k", "--keep-answers")
    assert (refused.code, refused.out) == (CONFLICT, ""), refused
    assert "keepAnswers" not in json.loads(line.done("projects", "show", f"{domain}/k", "--json"))
    line.done("projects", "update", f"{domain}/k", "--keep-answers", "--allow-loosening")
    assert json.loads(line.done("projects", "show", f"{domain}/k", "--json"))["keepAnswers"] is True
    line.done("projects", "update", f"{domain}/k", "--no-keep-answers")


def test_a_route_keeps_what_is_not_named(line: CommandLine, domain: str) -> None:
    line.done("routes", "create", f"{domain}/main", "--target", "shared/sim-echo", "--limits", "{idle: 30s}")
    line.done("routes", "update", f"{domain}/main", "--target", "{model: shared/sim-words, priority: 1}", "--max-attempts", "2")
    route = json.loads(line.done("routes", "show", f"{domain}/main", "--json"))
    assert route["targets"] == [{"model": "domains/shared/models/sim-words", "priority": 1}]
    assert (route["limits"], route["maxAttempts"], route["alias"]) == ({"idle": "30s"}, 2, "main")
    wrong = line.ask("routes", "update", f"{domain}/main", "--target", "{model: x, prority: 1}")
    assert (wrong.code, wrong.err) == (USAGE, "llm-mesh: --targets[0].prority: is not a field; did you mean priority?\n")
    line.done("routes", "delete", f"{domain}/main")
    assert line.ask("routes", "show", f"{domain}/main").code == NOT_FOUND


def test_a_role_is_given_explained_and_taken_away(line: CommandLine, domain: str) -> None:
    line.done("roles", "set", f"{domain}/reader", "--permission", "models.get", "--description", "reads")
    line.done("roles", "set", f"{domain}/reader", "--description", "reads models")
    role = json.loads(line.done("roles", "show", f"{domain}/reader", "--json"))
    assert (role["description"], role["permissions"]) == ("reads models", [{"actions": ["models.get"]}])
    assert line.ask("roles", "set", f"{domain}/reader", "--permission", "models.*").code == CONFLICT
    line.done("principals", "create", f"{domain}/ana")
    line.done("bindings", "create", f"{domain}/ana-reader", "--principal", "ana", "--role", "reader")
    said = line.done("principals", "explain", f"{domain}/ana", "models.get", f"domains/{domain}/models/m")
    assert f"granted by domains/{domain}/roles/reader" in said
    assert line.ask("roles", "delete", f"{domain}/reader").code == CONFLICT, "somebody holds it"
    line.done("bindings", "delete", f"{domain}/ana-reader")
    line.done("roles", "delete", f"{domain}/reader")
    assert "roles/developer" in line.done("roles", "show", "developer", "--domain", domain), "built-in ones are shown too"


def test_a_binding_of_another_domain_waits_until_it_is_accepted(line: CommandLine, domain: str) -> None:
    line.done("domains", "create", f"{domain}b")
    for owner in (domain, f"{domain}b"):
        line.done("principals", "create", f"{owner}/ana")
    line.done("bindings", "create", f"{domain}/guest", "--principal", f"{domain}b/ana", "--role", "viewer")
    foreign = json.loads(line.done("bindings", "list", "--domain", f"{domain}b", "--foreign", "--json"))
    assert [each["name"] for each in foreign] == [f"domains/{domain}/bindings/guest"]
    assert "is active" in line.done("bindings", "accept", f"{domain}/guest", "--principal", f"{domain}b/ana")
    line.done("bindings", "reject", f"{domain}/guest", "--principal", f"{domain}b/ana")
    assert json.loads(line.done("bindings", "list", "--domain", domain, "--json")) == []


def test_an_adapter_is_registered_and_asked(line: CommandLine) -> None:
    line.done("adapters", "set", "openai", "--dialect", "openai", "--description", "chat completions")
    line.done("adapters", "set", "openai", "--description", "and embeddings")
    assert json.loads(line.done("adapters", "show", "openai", "--json"))["dialect"] == "openai"
    asked = json.loads(line.done("adapters", "endpoints", "openai", "--json"))
    assert {each["adapter"] for each in asked} == {"openai"}
    assert "running: anthropic, " in line.ask("adapters", "endpoints", "opnai").err


@pytest.mark.parametrize("noun", named(NOUNS))
def test_a_misspelt_name_is_not_found_with_the_nearest_one(line: CommandLine, domain: str, noun: Noun) -> None:
    made = {
        "projects": ("create",),
        "principals": ("create",),
        "roles": ("set", "--permission", "models.get"),
        "bindings": ("create", "--principal", "ana", "--role", "viewer"),
        "routes": ("create", "--target", "shared/sim-echo"),
    }
    name, misspelt = f"{domain}/summary", f"{domain}/sumary"
    if noun.parent == "":
        name, misspelt = ("default", "defalt") if noun is domains.DOMAINS else ("anthropic", "antropic")
        if noun is adapters.ADAPTERS:
            line.done("adapters", "set", name, "--dialect", "anthropic")
    else:
        line.ask("principals", "create", f"{domain}/ana")
        verb, *options = made[noun.plural]
        line.done(noun.plural, verb, name, *options)
    for verb in ("show", "update", "delete"):
        if {"show": True, "update": noun.offers("Update"), "delete": noun.offers("Delete")}[verb]:
            ended = line.ask(noun.plural, verb, misspelt)
            assert (ended.code, ended.out) == (NOT_FOUND, "")
            assert f"there is no {noun.singular}" in ended.err
            assert f"did you mean {name.rpartition('/')[2]}?" in ended.err


def test_a_key_for_a_misspelt_principal_is_not_made_and_the_nearest_is_named(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/triage")
    line.done("principals", "create", f"{domain}/letters-service")
    ended = line.ask("keys", "create", "--project", f"{domain}/triage", "--principal", "leters-service")
    assert ended.code == NOT_FOUND
    assert f"there is no principal domains/{domain}/principals/leters-service; did you mean letters-service?" in ended.err
    line.done("keys", "create", "--project", f"{domain}/triage", "--principal", "letters-service")


def test_a_change_that_somebody_else_made_meanwhile_is_not_overwritten(
    line: CommandLine, domain: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line.done("projects", "create", f"{domain}/p", "--max-output-tokens", "9")

    def checked(*state: object, **options: bool) -> Change | None:
        line.mesh.cli("projects", "update", f"{domain}/p", "--max-output-tokens", "1")  # between reading and writing
        return changing.checked(*state, **options)  # type: ignore[arg-type]  # passed on as it is

    monkeypatch.setattr(verbs, "checked", checked)
    assert line.ask("projects", "update", f"{domain}/p", "--max-output-tokens", "8").code == CONFLICT
    assert json.loads(line.done("projects", "show", f"{domain}/p", "--json"))["maxOutputTokens"] == "1"


def test_lists_are_read_to_their_end(line: CommandLine, domain: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "b", "c"):
        line.done("principals", "create", f"{domain}/{name}")
    monkeypatch.setattr(paging, "_SIZE", 1)
    assert [each["name"][-1] for each in json.loads(line.done("principals", "list", "--domain", domain, "--json"))] == ["a", "b", "c"]
    assert line.done("principals", "show", f"{domain}/c").startswith("name")


def test_a_field_is_unset(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/p", "--display-name", "P", "--model", "sim-echo")
    line.done("projects", "update", f"{domain}/p", "--unset", "display-name")
    project = json.loads(line.done("projects", "show", f"{domain}/p", "--json"))
    assert ("displayName" in project, project["allowedModels"]) == (False, ["sim-echo"])
    assert "expected one of display_name" in line.ask("projects", "update", f"{domain}/p", "--unset", "colour").err
    assert line.ask("projects", "update", f"{domain}/p").code == USAGE, "nothing is named"


def test_a_name_with_its_domain_is_understood_wherever_a_resource_is_meant(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/triage")
    line.done("principals", "create", f"{domain}/ana")
    place = ("--project", f"{domain}/triage")
    key = json.loads(line.done("keys", "create", *place, "--principal", f"{domain}/ana", "--json"))["key"]["name"].rpartition("/")[2]
    assert line.done("keys", "show", f"{domain}/triage/{key}") == line.done("keys", "show", key, *place)
    line.done("limits", "set", f"{domain}/calm", "5", "--subject", f"{domain}/triage")
    limit = json.loads(line.done("limits", "show", f"{domain}/calm", "--json"))
    assert limit["subject"] == f"domains/{domain}/projects/triage"
    for words in (("budgets", "show"), ("spend",), ("tail", "--no-follow"), ("requests", "list"), ("keys", "list")):
        line.done(*words, *place)
    for words in (("prompts", "show"), ("prompts", "versions"), ("subscriptions", "show"), ("routes", "show"), ("limits", "show")):
        missing = line.ask(*words, f"{domain}/none")
        assert missing.code == NOT_FOUND, missing
        assert f"domains/{domain}/{words[0]}/none" in missing.err
    assert line.ask("explain", f"{domain}/triage/01m8pjdg0r8w").code == NOT_FOUND
