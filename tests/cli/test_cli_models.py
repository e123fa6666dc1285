"""Models and their prices: added, found by what they are, deprecated and back."""

from __future__ import annotations

import json

import pytest

from llm_mesh_cli.apply.filling import names
from llm_mesh_cli.nouns.models import MODELS
from tests.cli.inside import CommandLine
from tests.e2e.running import RunningMesh

NOT_FOUND, USAGE = 5, 2


@pytest.fixture
def line(cli_mesh: RunningMesh) -> CommandLine:
    return CommandLine(cli_mesh)


def aliases(line: CommandLine, *words: str) -> set[str]:
    return {model["alias"] for model in json.loads(line.done("models", "list", *words, "--json"))}


def test_every_field_of_a_model_has_an_option() -> None:
    assert {option.field for option in MODELS.options} == set(names(MODELS.message()))


def test_a_model_is_added_asked_changed_and_priced_anew(line: CommandLine) -> None:
    price = "{input: 0.15, output: 0.60, source: contract}"
    made = ("--adapter", "openai", "--endpoint", "simulator", "--upstream", "sim-echo", "--capability", "generate")
    line.done("models", "add", "shared/added", *made, "--capability", "streaming", "--price", price)
    assert line.done("chat", "hi", "-m", "added") == "hi\n"
    line.done("models", "update", "shared/added", "--display-name", "Added")
    model = json.loads(line.done("models", "show", "added", "--json"))["model"]
    assert (model["displayName"], model["capabilities"]) == ("Added", ["generate", "streaming"])
    line.done("prices", "add", "added", "--input", "0.10", "--output", "0.40", "--source", "a new contract")
    numbers = [each["name"].rpartition("/")[2] for each in json.loads(line.done("prices", "list", "shared/added", "--json"))]
    assert sorted(numbers) == ["1", "2"]
    assert json.loads(line.done("prices", "show", "added", "2", "--json"))["inputNanosPerMillion"] == "100000000"
    assert line.ask("prices", "show", "added", "3").code == NOT_FOUND
    assert line.ask("prices", "add", "added", "--input", "1 EUR", "--output", "1 USD", "--source", "x").code == USAGE


def test_a_deprecation_is_taken_back(line: CommandLine) -> None:
    line.done("models", "deprecate", "sim-slow")
    assert "sim-slow" in aliases(line, "--state", "deprecated")
    line.done("models", "undeprecate", "sim-slow")
    model = json.loads(line.done("models", "show", "sim-slow", "--json"))["model"]
    assert model["lifecycle"] == "LIFECYCLE_ACTIVE"
    assert "retireTime" not in model
    assert "sim-slow" not in aliases(line, "--state", "deprecated")


def test_models_are_found_by_what_they_are(line: CommandLine) -> None:
    assert "sim-embed" in aliases(line, "--capability", "embeddings")
    assert "sim-echo" not in aliases(line, "--capability", "embeddings")
    assert aliases(line, "--alias", "sim-e*") == {"sim-echo", "sim-embed"}
    assert aliases(line, "--alias", "sim-e*", "--capability", "embeddings", "--adapter", "openai") == {"sim-embed"}
    assert aliases(line, "--adapter", "anthropic", "--endpoint", "simulator") == set()
    assert "sim-echo" not in aliases(line, "--free")


def test_a_misspelt_model_is_not_found_with_the_nearest(line: CommandLine) -> None:
    for words in (("models", "show"), ("models", "deprecate"), ("models", "undeprecate"), ("prices", "list")):
        ended = line.ask(*words, "sim-ecco")
        assert ended.code == NOT_FOUND
        assert "did you mean sim-echo" in ended.err


def test_the_models_that_the_mesh_has_prices_of_are_listed(line: CommandLine) -> None:
    known = json.loads(line.done("models", "well-known", "--endpoint", "anthropic", "--json"))
    assert known
    assert {model["endpoint"] for model in known} == {"anthropic"}
