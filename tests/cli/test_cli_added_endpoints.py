"""Endpoints are added to a running mesh, tested, discovered and removed, and their models tried, by commands alone."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.inside import CommandLine
from tests.e2e.running import RunningMesh

UNAVAILABLE, USAGE, NOT_FOUND = 3, 2, 5


@pytest.fixture
def line(cli_mesh: RunningMesh) -> CommandLine:
    return CommandLine(cli_mesh)


@pytest.fixture
def simulator(line: CommandLine) -> str:
    """The simulator's address, as the adapter has it."""
    found = json.loads(line.done("adapters", "endpoints", "openai", "--json"))
    return next(str(each["baseUrl"]) for each in found if each["name"] == "simulator")


def capabilities(line: CommandLine, alias: str) -> list[str]:
    return list(json.loads(line.done("models", "show", alias, "--json"))["model"].get("capabilities", []))


def test_an_endpoint_comes_is_used_and_goes_without_a_restart(line: CommandLine, simulator: str) -> None:
    assert "admitted" in line.done("endpoints", "add", "openai/box", "--base-url", simulator, "--local")
    assert "admitted" in line.done("endpoints", "test", "openai/box")
    line.done("models", "discover", "--endpoint", "box", "--add", "--upstream", "sim-echo")
    assert line.done("chat", "hi", "-m", "box/sim-echo") == "hi\n"
    refused = line.ask("endpoints", "remove", "openai/box")
    assert "ENDPOINT_IN_USE" in refused.err
    line.done("endpoints", "remove", "openai/box", "--force")
    assert line.ask("endpoints", "test", "openai/box").code != 0


def test_what_the_adapter_does_not_take_is_told_by_its_reason(line: CommandLine) -> None:
    added = line.ask("endpoints", "add", "openai/odd", "--base-url", "https://x.example", "--credential-file", "/etc/passwd")
    assert added.code == UNAVAILABLE
    assert "allows no files" in added.err
    line.done("endpoints", "remove", "openai/odd")


def test_an_adapter_that_the_mesh_does_not_have_is_named_before_anything_is_kept(line: CommandLine) -> None:
    added = line.ask("endpoints", "add", "acme/box", "--base-url", "https://x.example")
    assert (added.code, "the mesh has no adapter acme; it has anthropic, " in added.err) == (NOT_FOUND, True)
    assert line.ask("endpoints", "show", "acme/box").code == NOT_FOUND


def test_endpoints_of_one_name_at_two_adapters_are_told_apart(line: CommandLine, simulator: str) -> None:
    line.done("endpoints", "add", "openai/twin", "--base-url", simulator, "--local")
    line.done("endpoints", "add", "ollama/twin", "--base-url", simulator.removesuffix("/v1"), "--local")
    echo = ("--upstream", "sim-echo")
    assert line.done("models", "discover", "--endpoint", "openai/twin", "--add", *echo).splitlines()[1:] == ["openai/twin  sim-echo  added"]
    states = {row.split()[0]: row.split()[2] for row in line.done("models", "discover", "--endpoint", "twin", *echo).splitlines()[1:3]}
    assert states == {"openai/twin": "registered", "ollama/twin": "new"}
    assert line.ask("models", "discover", "--endpoint", "gemini/twin").code == NOT_FOUND
    for adapter in ("openai", "ollama"):
        line.done("endpoints", "remove", f"{adapter}/twin", "--force")


def test_an_endpoint_is_applied_from_a_file(line: CommandLine, simulator: str, tmp_path: Path) -> None:
    file = tmp_path / "mesh.yaml"
    connection = f"{{base_url: '{simulator}', local: true, like: vllm}}"
    file.write_text(f"endpoints:\n  - {{adapter: openai, name: filed, operator: domains/platform, connection: {connection}}}\n")
    line.done("apply", "-f", str(file))
    shown = json.loads(line.done("endpoints", "show", "openai/filed", "--json"))
    assert shown["connection"] == {"baseUrl": simulator, "local": True, "like": "vllm"}
    line.done("endpoints", "remove", "openai/filed")


def test_models_have_the_capabilities_that_they_showed_and_no_others(line: CommandLine, simulator: str) -> None:
    line.done("endpoints", "add", "openai/tried", "--base-url", simulator, "--local")
    words = ("models", "discover", "--endpoint", "tried", "--add", "--try", "--upstream")
    ended = line.ask(*words, "sim-echo")
    assert ended.code == 0
    assert "tried/sim-echo: tools: yes" in ended.err
    assert "tried by 7 calls, which cost nothing" in ended.err
    shown = ["generate", "tools", "json_object", "json_schema", "logprobs", "streaming", "embeddings"]
    assert capabilities(line, "tried/sim-echo") == [*shown, "seed"]
    ended = line.ask(*words, "sim-truncate")
    assert ended.code == 0
    assert "sim-truncate: generate: no" in ended.err
    assert "cannot be understood" in ended.err
    assert capabilities(line, "sim-truncate") == ["seed"]
    line.done("endpoints", "remove", "openai/tried", "--force")


def test_a_try_is_bounded_and_needs_what_is_registered(line: CommandLine, simulator: str) -> None:
    line.done("endpoints", "add", "openai/many", "--base-url", simulator, "--local")
    many = line.ask("models", "discover", "--endpoint", "many", "--add", "--try")
    assert many.code == USAGE
    assert "at most 25 are tried at once" in many.err
    assert line.ask("models", "discover", "--endpoint", "many", "--try").code == USAGE
    line.done("endpoints", "remove", "openai/many")
