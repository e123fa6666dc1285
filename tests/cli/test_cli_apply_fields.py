"""`apply` touches only the fields that a file names, and loosens a guard only where that is allowed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.running import RunningMesh

CONFLICT = 6


class Applied:
    """A domain of a test's own, and files that are applied to it."""

    def __init__(self, mesh: RunningMesh, folder: Path, domain: str) -> None:
        self.mesh = mesh
        self.domain = domain
        self._file = folder / "mesh.yaml"

    def apply(self, owned: str, *words: str, code: int = 0) -> str:
        """Applies what the domain is to own; answers with everything that the command says."""
        lines = "\n".join(f"    {line}" for line in owned.splitlines())
        self._file.write_text(f"domains:\n  - name: {self.domain}\n{lines}\n")
        done = self.mesh.cli("apply", "-f", str(self._file), *words)
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + done.stderr

    def ask(self, *words: str) -> str:
        done = self.mesh.cli(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout


def fields(applied: Applied, owned: str) -> str:
    """How the present state differs from what is asked."""
    return applied.apply(owned, "--dry-run")


@pytest.fixture
def applied(cli_mesh: RunningMesh, tmp_path: Path, request: pytest.FixtureRequest) -> Applied:
    return Applied(cli_mesh, tmp_path, f"f{abs(hash(request.node.name)) % 10**9}")


PROJECT = (
    "display_name: Ours\nprojects:\n"
    "  - {name: p, allowed_models: [sim-echo], max_output_tokens: 9, strict_charging: true, budget: {amount: 1 USD}}"
)


def test_raising_a_budget_touches_nothing_else(applied: Applied) -> None:
    applied.apply(PROJECT)
    refused = applied.apply("projects:\n  - {name: p, budget: {amount: 2 USD}}", code=CONFLICT)
    assert "--allow-loosening" in refused
    assert f"domains/{applied.domain}/projects/p/budget: amount: 1 USD → 2 USD" in refused
    assert "0 would change" in fields(applied, PROJECT), "nothing was changed"
    applied.apply("projects:\n  - {name: p, budget: {amount: 2 USD}}", "--allow-loosening")
    assert "0 would change" in fields(applied, PROJECT.replace("1 USD", "2 USD")), "models, cap and charging are as they were"
    assert "1 changed" in applied.apply("projects:\n  - {name: p, budget: {amount: 1 USD}}"), "what tightens needs no leave"


def test_null_unsets_and_says_that_it_loosens(applied: Applied) -> None:
    applied.apply(PROJECT)
    shown = fields(applied, "projects:\n  - {name: p, allowed_models: null, strict_charging: null, budget: null}")
    assert "allowed_models: sim-echo → (unset)" in shown
    assert shown.count("loosens a guard") == 3
    assert f"- domains/{applied.domain}/projects/p/budget   loosens a guard" in shown
    applied.apply("projects:\n  - {name: p, allowed_models: null, budget: null}", code=CONFLICT)
    applied.apply("projects:\n  - {name: p, allowed_models: null, budget: null}", "--allow-loosening")
    left = "display_name: Ours\nprojects:\n  - {name: p, allowed_models: null, max_output_tokens: 9, strict_charging: true, budget: null}"
    assert "0 would change" in fields(applied, left)


MODEL = (
    "models:\n  - {name: m, adapter: openai, endpoint: simulator, upstream_model: sim, display_name: M,"
    " price: {input: 1 USD, output: 2 USD, source: x}}"
)


def test_applying_again_does_not_undo_a_deprecation(applied: Applied) -> None:
    file = f"display_name: Ours\n{MODEL}"
    applied.apply(file)
    model = f"domains/{applied.domain}/models/m"
    applied.ask("models", "deprecate", model, "--retire", "2099-01-01T00:00:00Z")
    assert "0 changed" in applied.apply(file)
    assert json.loads(applied.ask("models", "show", model, "--json"))["model"]["lifecycle"] == "LIFECYCLE_DEPRECATED"
    undone = "models:\n  - {name: m, adapter: openai, endpoint: simulator, upstream_model: sim, lifecycle: null, retire_time: null}"
    assert "lifecycle" in applied.apply(undone, code=CONFLICT)
    applied.apply(undone, "--allow-loosening")
    shown = json.loads(applied.ask("models", "show", model, "--json"))["model"]
    assert "retireTime" not in shown
    assert shown["displayName"] == "M"
    assert shown["price"]["outputNanosPerMillion"] == "2000000000"


def test_pushing_a_prompt_keeps_what_is_not_given(applied: Applied, tmp_path: Path) -> None:
    prompt = f"domains/{applied.domain}/prompts/greet"
    applied.apply(
        "display_name: Ours\nprompts:\n  - name: greet\n    description: Greets\n    system: Be kind.\n    user: Hello {{ name }}\n"
        "    variables: {type: object, properties: {name: {type: string}}, required: [name]}"
    )
    template = tmp_path / "user.txt"
    template.write_text("Good day {{ name }}")
    applied.ask("prompts", "push", prompt, str(template))
    shown = json.loads(applied.ask("prompts", "show", prompt, "--json"))
    assert shown["prompt"]["description"] == "Greets"
    assert [message["template"] for message in shown["version"]["messages"]] == ["Be kind.", "Good day {{ name }}"]
    assert json.loads(shown["version"]["variablesSchemaJson"])["required"] == ["name"]
    applied.apply("prompts:\n  - {name: greet, description: Says hello}")
    applied.apply("prompts:\n  - {name: greet, system: null}")
    shown = json.loads(applied.ask("prompts", "show", prompt, "--json"))
    assert shown["prompt"]["description"] == "Says hello"
    assert [message["template"] for message in shown["version"]["messages"]] == ["Good day {{ name }}"]
    assert json.loads(shown["version"]["variablesSchemaJson"])["required"] == ["name"]
