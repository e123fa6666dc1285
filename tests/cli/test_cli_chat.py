"""A conversation: what is typed as a command is never sent, and a failed question ends nothing."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from llm_mesh_cli.variables import prompt_reference, variables_json
from tests.cli.inside import CommandLine, Ended
from tests.e2e.running import RunningMesh

USAGE, DENIED = 2, 4


@pytest.fixture
def line(cli_mesh: RunningMesh) -> CommandLine:
    return CommandLine(cli_mesh)


def talk(line: CommandLine, *typed: str, model: str = "sim-echo") -> Ended:
    return line.ask("chat", "-m", model, stdin="".join(f"{each}\n" for each in typed))


def answers(ended: Ended) -> list[str]:
    return [each.removeprefix("> ") for each in ended.out.replace("> ", "\n").splitlines() if each]


def requests(line: CommandLine) -> int:
    return len(json.loads(line.done("requests", "list", "--domain", "default", "-n", "10000", "--json")))


def test_nothing_typed_as_a_command_is_sent(line: CommandLine) -> None:
    before = requests(line)
    ended = talk(line, "/help", "/hlep", "/model", "/model sim-wrds", "/system", "/ quit", "/", "  /help", "/quit now", "never sent")
    assert ended.code == 0
    assert answers(ended) == []
    assert requests(line) == before
    for said in ("lists these commands", "did you mean help?", "there is no model sim-wrds; did you mean sim-words", "nothing was sent"):
        assert said in ended.err
    assert "never sent" not in ended.out


def test_commands_change_the_conversation(line: CommandLine) -> None:
    ended = talk(line, "first", "/model sim-echo", "/system Be brief", "/system", "//second", "/clear", "third", "/exit", "never")
    assert answers(ended) == ["first", "/second", "third"]
    assert "standing instructions: Be brief" in ended.err


def test_an_empty_line_ends(line: CommandLine) -> None:
    assert answers(talk(line, "first", "", "never")) == ["first"]


def test_a_failed_question_does_not_end_the_conversation(line: CommandLine) -> None:
    ended = talk(line, "fails", "/model sim-echo", "works", model="no-such-model")
    assert answers(ended) == ["works"]
    assert "no-such-model" in ended.err


def test_a_failed_question_is_not_part_of_what_was_said(line: CommandLine) -> None:
    def tokens() -> str:
        newest = json.loads(line.done("requests", "list", "--domain", "default", "-n", "1", "--json"))[0]
        return str(newest["lines"][0]["usage"]["usage"]["inputTokens"])

    talk(line, "works")
    alone = tokens()
    talk(line, "a question that fails", "/model sim-echo", "works", model="no-such-model")
    assert tokens() == alone


def test_a_prompt_is_filled_by_single_values(line: CommandLine) -> None:
    line.done("prompts", "push", "default/filled", stdin="Hello {{ name }}, {{ count }} times")
    line.done("prompts", "update", "filled", "--description", "greets")
    assert "greets" in line.done("prompts", "list", "--domain", "default")
    schema = '{"type": "object", "properties": {"name": {"type": "string"}, "count": {"type": "integer"}}}'
    file = line.mesh.data_dir / "schema.json"
    file.write_text(schema)
    line.done("prompts", "push", "default/filled", "--variables", str(file), stdin="Hello {{ name }}, {{ count }} times")
    filled = ("--var", "name=Ana", "--var", "count=2")
    assert "Hello Ana, 2 times" in line.done("prompts", "render", "default/filled", *filled)
    assert line.done("chat", "", "-m", "sim-echo", "--prompt", "default/filled", *filled) == "Hello Ana, 2 times\n"
    more = ("--variables", '{"name": "Bo", "count": 3}', "--var", "name=Ana")
    assert line.done("chat", "", "-m", "sim-echo", "--prompt", "filled", *more) == "Hello Ana, 3 times\n"
    assert line.ask("chat", "hi", "-m", "sim-echo", "--var", "a=b").code == USAGE
    versions = json.loads(line.done("prompts", "versions", "default/filled", "--json"))
    assert len(versions) == 2


def test_a_prompt_is_rendered_for_whom_it_may_be_used_and_for_administrators(line: CommandLine) -> None:
    """An application whose role is in its project alone renders what it may ask with; another domain's prompt needs a role there."""
    line.done("domains", "create", "rendering", "--display-name", "Renders")
    for verb in ("projects", "principals"):
        line.done(verb, "create", "rendering/app")
    line.done("bindings", "create", "rendering/app", "--principal", "app", "--role", "application", "--scope", "projects/app")
    line.done("prompts", "push", "rendering/greet", stdin="Hello")
    line.done("prompts", "push", "default/greet", stdin="Ours")
    key = str(line.mesh.data_dir / "app.key")
    line.done("keys", "create", "--project", "rendering/app", "--principal", "app", "--save", key)
    own, platform = ({"--key": (line.mesh.data_dir / name).read_text().strip()} for name in ("app.key", "admin.key"))
    for name in ("greet", "rendering/greet", "domains/rendering/prompts/greet/versions/1"):
        for who in (own, platform):
            if "/" in name or who is own:
                assert line.done("prompts", "render", name, "--key", who["--key"]) == "[user]\nHello\n"
    assert line.done("chat", "", "-m", "sim-echo", "--prompt", "greet", "--key", own["--key"]) == "Hello\n"
    assert line.ask("prompts", "render", "default/greet", "--key", own["--key"]).code == DENIED


def test_an_answer_may_come_whole_and_tokens_may_be_counted(line: CommandLine) -> None:
    assert line.done("chat", "hi there", "-m", "sim-echo", "--no-stream") == "hi there\n"
    before = requests(line)
    assert int(json.loads(line.done("chat", "hi there", "-m", "sim-echo", "--count", "--json"))["inputTokens"]) > 0
    assert requests(line) == before, "counting asks for no answer"
    assert len(json.loads(line.done("embed", "one", "two", "--json"))["output"]["embeddings"]) == 2


NAMES = some.text("ab_é ", min_size=1, max_size=4)
VALUES = some.integers() | some.booleans() | some.none() | some.text("ab\"'{}=, ", max_size=6)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(some.dictionaries(NAMES, VALUES, max_size=4))
def test_values_are_read_as_they_are_written(values: dict[str, object]) -> None:
    pairs = [f"{name}={json.dumps(value)}" for name, value in values.items()]
    assert json.loads(variables_json(pairs) or "{}") == values


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("summary", "summary"),
        ("summary/versions/3", "summary/versions/3"),
        ("claims/summary", "domains/claims/prompts/summary"),
        ("claims/summary/versions/3", "domains/claims/prompts/summary/versions/3"),
        ("domains/claims/prompts/summary", "domains/claims/prompts/summary"),
    ],
)
def test_a_prompt_is_named_within_a_domain(text: str, name: str) -> None:
    assert prompt_reference(text) == name
