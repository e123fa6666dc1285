"""`apply` brings a mesh to what a file says: once, as a whole, and not at all when only asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_cli_apply_file import EXAMPLE
from tests.e2e.running import RunningMesh


def apply(mesh: RunningMesh, file: Path, *words: str) -> list[dict[str, Any]]:
    done = mesh.cli("apply", "-f", str(file), "--json", *words)
    assert done.returncode == 0, done.stderr
    changes: list[dict[str, Any]] = json.loads(done.stdout)["changes"]
    return changes


def actions(changes: list[dict[str, Any]]) -> set[str]:
    return {change["action"].removeprefix("CHANGE_ACTION_") for change in changes}


def renamed(tmp_path: Path, domain: str) -> Path:
    """The example, for a domain of the test's own."""
    file = tmp_path / "mesh.yaml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace("claims", domain), encoding="utf-8")
    return file


def test_a_dry_run_tells_and_changes_nothing(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    file = renamed(tmp_path, "dry")
    assert actions(apply(cli_mesh, file, "--dry-run")) == {"CREATE"}
    assert actions(apply(cli_mesh, file, "--dry-run")) == {"CREATE"}


def test_the_example_applies_once_and_then_nothing_is_left_to_do(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    file = renamed(tmp_path, "once")
    first = apply(cli_mesh, file)
    assert actions(first) == {"CREATE"}
    assert list(dict.fromkeys(change["service"] for change in first)) == ["policy", "registry", "router", "catalogue"]
    assert first[-1]["resource"] == "domains/once/subscriptions/underwriting", "what is accepted may be made by the same file"
    assert actions(apply(cli_mesh, file)) == {"NONE"}


def test_what_the_example_describes_answers(cli_mesh: RunningMesh) -> None:
    apply(cli_mesh, EXAMPLE)
    made = cli_mesh.cli("keys", "create", "--project", "claims/triage", "--principal", "triage-service", "--json")
    key = json.loads(made.stdout)["secret"]
    asked = cli_mesh.cli("chat", "-m", "claims/summarise", "--json", "a claim", env={"LLM_MESH_KEY": key})
    assert asked.returncode == 0, asked.stderr
    assert json.loads(asked.stdout)["receipt"]["model"] == "domains/claims/models/summariser"


def test_a_change_is_shown_field_by_field(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    file = renamed(tmp_path, "changing")
    apply(cli_mesh, file)
    file.write_text(file.read_text().replace("amount: 600", "amount: 700"))
    shown = cli_mesh.cli("apply", "-f", str(file), "--dry-run").stdout
    assert "~ domains/changing/limits/triage-requests\n    amount: 600 → 700   loosens a guard\n1 would change" in shown


def test_what_one_service_refuses_changes_nothing_anywhere(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    file = tmp_path / "mesh.yaml"
    file.write_text(
        "domains:\n  - name: refused\n    display_name: Refused\n    models:\n"
        "      - {name: m, adapter: openai, endpoint: simulator, upstream_model: m, capabilities: ['Not a word']}\n"
    )
    refused = cli_mesh.cli("apply", "-f", str(file))
    assert refused.returncode == 5
    assert f"{file}:5: domains[0].models[0].capabilities" in refused.stderr
    assert "nothing was changed" in refused.stderr
    assert cli_mesh.cli("budget", "list", "--domain", "refused", "--json").stdout.strip() in {"", "[]"}
    file.write_text("domains:\n  - {name: refused, display_name: Refused}\n")
    assert actions(apply(cli_mesh, file, "--dry-run")) == {"CREATE"}


@pytest.mark.parametrize(("text", "code"), [("domains: 1\n", 2), (None, 2)])
def test_a_file_that_cannot_be_read_is_a_wrong_call(cli_mesh: RunningMesh, tmp_path: Path, text: str | None, code: int) -> None:
    file = tmp_path / "mesh.yaml"
    if text is not None:
        file.write_text(text)
    assert cli_mesh.cli("apply", "-f", str(file)).returncode == code
