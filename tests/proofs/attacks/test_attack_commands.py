"""The command line from outside: nothing is loosened, sent or shown by accident, whoever holds the key."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.cli.inside import CommandLine, Ended
from tests.proofs.stand import Stand, model, provider, stand, until

DENIED, NOT_FOUND, CONFLICT = 4, 5, 6
OWN, OTHER = "domains/default", "domains/rival"
HOSTILE = "\x1b]0;pwned\x07\x9b31m\u202e\nFORGED  a line"
"""Sets a terminal's title, colours what follows, turns the direction of writing, and looks like a line of the command."""
NOUNS = ("domains", "projects", "principals", "roles", "bindings", "routes", "models", "prompts", "limits")


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A mesh of two domains, with an administrator of each."""
    folder: Path = tmp_path_factory.mktemp("commands")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models([model("plain", "sim-echo")])
        made.apply_policy(
            domains=[identity_pb2.Domain(name=OTHER)],
            projects=[identity_pb2.Project(name=f"{OTHER}/projects/secret-plans", max_output_tokens=9)],
            principals=[identity_pb2.Principal(name=f"{domain}/principals/chief") for domain in (OWN, OTHER)],
            bindings=[
                rules_pb2.Binding(name=f"{domain}/bindings/chief", principal=f"{domain}/principals/chief", role="roles/domain-admin")
                for domain in (OWN, OTHER)
            ],
        )
        yield made


@pytest.fixture(scope="module")
def chief(mesh: Stand) -> str:
    """The key of the administrator of the first domain."""
    return mesh.new_key(principal=f"{OWN}/principals/chief").secret


@pytest.fixture
def line(mesh: Stand) -> CommandLine:
    return CommandLine(mesh.mesh)


def refused(ended: Ended, *codes: int) -> None:
    assert ended.code in codes, ended
    assert not ended.out, ended
    assert "Traceback" not in ended.err


def test_no_verb_loosens_a_guard_without_the_word_for_it(mesh: Stand, line: CommandLine) -> None:
    line.done("projects", "create", "default/guarded", "--model", "plain", "--max-output-tokens", "9", "--strict-charging")
    line.done("budgets", "set", "1", "--project", "default/guarded")
    line.done("limits", "set", "default/guarded", "5", "--subject", "projects/guarded")
    line.done("roles", "set", "default/guarded", "--permission", "models.get")
    shown = ("projects", "show", "default/guarded", "--json")
    before = line.done(*shown)
    for words in (
        ("projects", "update", "default/guarded", "--model", "*"),
        ("project", "set", "default/guarded", "--unset", "allowed_models"),
        ("projects", "update", "default/guarded", "--no-strict-charging", "--max-output-tokens", "0"),
        ("budgets", "set", "2", "--project", "default/guarded"),
        ("limits", "set", "default/guarded", "6"),
        ("roles", "set", "default/guarded", "--permission", "*"),
    ):
        refused(line.ask(*words), CONFLICT)
    assert line.done(*shown) == before
    assert mesh.budget(f"{OWN}/projects/guarded").amount.nanos == 1_000_000_000


def test_no_typed_command_reaches_a_provider(mesh: Stand, line: CommandLine) -> None:
    def received() -> int:
        return len(mesh.provider.log(event="received"))

    before = received()
    typed = ["/help", "/model", "/model other", "/system", "/syst em", "/QUIT", "/ls -la", "/\\", "\t/clear", "/🙂", "/quit"]
    ended = line.ask("chat", "-m", "plain", stdin="\n".join([*typed, "after the end"]))
    assert ended.code == 0
    assert received() == before
    assert line.ask("chat", "-m", "plain", stdin="hello\n/quit\n").code == 0
    assert received() == before + 1


def test_a_domains_chief_is_shown_nothing_of_another(line: CommandLine, chief: str) -> None:
    asked = line.done("chat", "hi", "-m", "plain", "--json")
    reservation = json.loads(asked)["receipt"]["reservation"].replace(OWN, OTHER)
    for words in (
        ("projects", "list", "--domain", "rival"),
        ("projects", "show", "rival/secret-plans"),
        ("projects", "show", "rival/secret-plan"),
        ("projects", "update", "rival/secret-plans", "--max-output-tokens", "8"),
        ("principals", "list", "--domain", "rival"),
        ("bindings", "list", "--domain", "rival"),
        ("limits", "list", "--domain", "rival"),
        ("requests", "list", "--domain", "rival"),
        ("requests", "show", reservation),
        ("tail", "--no-follow", "--domain", "rival"),
        ("spend", "--domain", "rival"),
        ("projections", "rebuild"),
    ):
        ended = line.ask(*words, "--key", chief)
        refused(ended, DENIED, NOT_FOUND)
        if not any("secret-plans" in word for word in words):
            assert "secret-plans" not in ended.err, "no suggestion tells what the caller may not list"


def test_an_applications_key_changes_nothing(mesh: Stand, line: CommandLine) -> None:
    for words in (
        ("domains", "create", "mine"),
        ("projects", "update", "default/default", "--display-name", "mine"),
        ("roles", "set", "default/mine", "--permission", "*"),
        ("bindings", "create", "default/mine", "--principal", "application", "--role", "domain-admin"),
        ("routes", "create", "default/mine", "--target", "shared/plain"),
        ("models", "undeprecate", "domains/shared/models/plain"),
        ("budgets", "delete"),
        ("limits", "set", "default/mine", "1"),
        ("adapters", "set", "openai", "--dialect", "openai"),
    ):
        refused(line.ask(*words, "--key", mesh.mesh.project_key), DENIED)


def test_what_a_tenant_writes_drives_nobodys_terminal(mesh: Stand, line: CommandLine, chief: str) -> None:
    told = line.done("chat", "hi", "-m", "plain", "--json")
    reservation = json.loads(told)["receipt"]["reservation"]
    until(
        lambda: line.ask("feedback", "create", reservation, "--score", "1", "--comment", HOSTILE, "--key", chief).code == 0,
        "the request is known",
    )
    line.done("projects", "create", "default/hostile", "--display-name", HOSTILE, "--key", chief)
    line.done("principals", "create", "default/hostile", "--display-name", HOSTILE, "--key", chief)
    for words in (
        ("projects", "list", "--domain", "default"),
        ("projects", "show", "default/hostile"),
        ("principals", "list", "--domain", "default"),
        ("requests", "show", reservation),
        ("feedback", "list", reservation),
    ):
        assert not [row for row in line.done(*words).splitlines() if row.startswith("FORGED")], words
        for form in ((), ("--json",)):
            shown = line.done(*words, *form)
            assert "pwned" in shown, words
            assert {letter for letter in shown if not letter.isprintable()} <= {"\n"}, (words, form)
            assert not form or HOSTILE in _texts(json.loads(shown)), "programs have it as it is"


def _texts(value: Any) -> list[str]:
    """All texts in a value of JSON."""
    if isinstance(value, str):
        return [value]
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for each in inner for text in _texts(each)]


@pytest.mark.parametrize("noun", NOUNS)
def test_a_misspelt_name_is_an_error_in_every_noun(line: CommandLine, noun: str) -> None:
    for verb in ("show", "delete"):
        if verb == "delete" and noun not in {"roles", "bindings", "routes", "limits"}:
            continue
        name = "default/no-such-thing" if noun not in {"domains", "models"} else "no-such-thing"
        ended = line.ask(noun, verb, name, "--json")
        refused(ended, NOT_FOUND)
        told: dict[str, Any] = json.loads(ended.err)["error"]
        assert "no-such-thing" in told["message"]
