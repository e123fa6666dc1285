"""Models and their prices: added, found by what they are, deprecated and back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from llm_mesh_cli.app import COMMANDS, loaded
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
    further = ("--rate", "cache_write_1h=6", "--rate", "flex.input=0.05", "--image", "1024x1024,high=167000")
    line.done("prices", "add", "added", "--input", "0.10", "--output", "0.40", "--source", "all that is billed", *further)
    priced = json.loads(line.done("prices", "show", "added", "3", "--json"))
    assert priced["cacheWrite1hNanosPerMillion"] == "6000000000"
    assert priced["variants"] == [{"tier": "SERVICE_TIER_FLEX", "inputNanosPerMillion": "50000000"}]
    assert priced["images"] == [{"size": "1024x1024", "quality": "high", "imageNanosPerMillion": "167000000000000"}]
    for wrong in ("nothing=1", "soon.input=1", "input", "character=1 EUR"):
        assert line.ask("prices", "add", "added", "--input", "1", "--output", "1", "--source", "x", "--rate", wrong).code == USAGE
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


MISSPELT: dict[str, tuple[str, ...]] = {
    "chat --model": ("chat hi -m sim-ecco", "chat hi -m sim-ecco --no-stream", "chat hi -m sim-ecco --count"),
    "embed --model": ("embed hi -m sim-embbed",),
    "keys create --model": ("keys create --model sim-ecco",),
    "projects create --model": ("projects create default/misspelt --model sim-ecco",),
    "projects update --model": ("projects update default --model sim-ecco",),
    "routes create --target": ("routes create default/misspelt --target shared/sim-ecco",),
    "models update NAME": ("models update shared/sim-ecco --display-name x",),
    "models show NAME": ("models show sim-ecco",),
    "models deprecate NAME": ("models deprecate sim-ecco",),
    "models undeprecate NAME": ("models undeprecate sim-ecco",),
    "prices list MODEL": ("prices list sim-ecco",),
    "prices show MODEL": ("prices show sim-ecco 1",),
    "prices create MODEL": ("prices create sim-ecco --input 1 --output 1 --source x",),
    "floors set --allow-model": ("floors set default --allow-model domains/shared/models/sim-ecco",),
    "floors set --deny-model": ("floors set default --deny-model domains/shared/models/sim-ecco",),
    "limits set --subject": ("limits set default/misspelt 5 --subject model:shared/sim-ecco",),
}
"""Each place of the command line that names a model of the mesh, with a name that none has."""
NAME_NO_MODEL = {
    "models create NAME": "it comes to be",
    "models create --upstream": "the provider's name",
    "models update --upstream": "the provider's name",
    "models discover --upstream": "the provider's name, or a prefix",
    "endpoints set --upstream": "the provider's name, or a prefix",
}
OTHER_FLAGS = frozenset({"routes create --target", "limits set --subject"})
"""Places whose flag does not say that they take a model. `routes update` reads its targets as `routes create` does."""


def places() -> set[str]:
    """The options and arguments of all commands that are called a model, and the names of models."""
    found = set()
    for group in COMMANDS:
        inner = getattr(loaded(group), "commands", {"": loaded(group)})
        for verb, command in inner.items():
            for each in () if command.hidden else command.params:
                name = (each.metavar or each.name or "").strip("[]").upper() if each.param_type_name == "argument" else each.opts[-1]
                if "model" in name.lower() or name == "--upstream" or (group == "models" and name == "NAME"):
                    found.add(f"{group} {verb} {name}".replace("  ", " "))
    return found


def test_each_place_that_names_a_model_is_tried_misspelt() -> None:
    assert places() | OTHER_FLAGS == MISSPELT.keys() | NAME_NO_MODEL.keys()


@pytest.mark.parametrize("words", [words for forms in MISSPELT.values() for words in forms])
def test_a_misspelt_model_is_not_found_with_the_nearest(line: CommandLine, words: str) -> None:
    ended = line.ask(*words.split())
    assert ended.code == NOT_FOUND
    assert re.search(rf"did you mean.*{'sim-embed' if 'embbed' in words else 'sim-echo'}", ended.err)


def test_a_model_that_exists_is_not_suggested_instead_of_another_failure(line: CommandLine) -> None:
    ended = line.ask("chat", "hi", "-m", "sim-embed")
    assert ended.code != 0
    assert "did you mean" not in ended.err


def test_the_models_that_the_mesh_has_prices_of_are_listed(line: CommandLine) -> None:
    known = json.loads(line.done("models", "well-known", "--endpoint", "anthropic", "--json"))
    assert known
    assert {model["endpoint"] for model in known} == {"anthropic"}


FILE = """
floors: [{name: default, allowed_models: [domains/shared/models/sim-ecco], denied_models: ["upstream:openai/x/y", "domains/a/*"]}]
domains:
  - name: default
    limits: [{name: few, amount: 5, metric: requests, per: 1m, subject: "model:shared/sim-ecco"}]
"""


def test_a_file_names_the_nearest_model_for_floors_and_limits_too(line: CommandLine, tmp_path: Path) -> None:
    (tmp_path / "mesh.yaml").write_text(FILE)
    ended = line.ask("apply", "-f", str(tmp_path / "mesh.yaml"), "--dry-run")
    assert ended.code == NOT_FOUND
    for place in ("floors[0].allowed_models[0]", "limits[0].subject"):
        assert re.search(rf"{re.escape(place)}: there is no model .*did you mean.*sim-echo", ended.err), ended.err
    assert ended.err.count("there is no model") == 2
