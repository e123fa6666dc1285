"""What commands do, how they end, and what they never show."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.running import RunningMesh, environment, llm_mesh


def test_a_key_is_made_listed_rotated_and_revoked(cli_mesh: RunningMesh) -> None:
    made = json.loads(cli_mesh.cli("keys", "create", "--name", "temporary", "--json").stdout)
    name, secret = made["key"]["name"], made["secret"]
    assert cli_mesh.cli("chat", "hi", "-m", "sim-echo", "--key", secret).stdout == "hi\n"
    assert secret not in cli_mesh.cli("keys", "list", "--json").stdout
    rotated = json.loads(cli_mesh.cli("keys", "rotate", name, "--grace", "0", "--json").stdout)["secret"]
    assert cli_mesh.cli("chat", "hi", "-m", "sim-echo", "--key", secret).returncode == 4
    assert cli_mesh.cli("chat", "hi", "-m", "sim-echo", "--key", rotated).returncode == 0
    assert cli_mesh.cli("keys", "revoke", name.rpartition("/")[2]).returncode == 0
    assert cli_mesh.cli("chat", "hi", "-m", "sim-echo", "--key", rotated).returncode == 4


def test_a_saved_key_is_not_shown_and_only_its_owner_may_read_it(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    file = tmp_path / "app.key"
    made = cli_mesh.cli("keys", "create", "--save", str(file))
    secret = file.read_text().strip()
    assert secret.startswith("mk_")
    assert secret not in made.stdout + made.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_what_is_asked_shows_in_spend_and_tail(cli_mesh: RunningMesh) -> None:
    asked = json.loads(cli_mesh.cli("chat", "count me", "-m", "sim-echo", "--tag", "team=red", "--json").stdout)
    assert asked["text"] == "count me"
    assert int(asked["receipt"]["charged"]["nanos"]) > 0
    tailed = cli_mesh.cli("tail", "--no-follow", "-n", "100", "--json").stdout.splitlines()
    entry = next(each for each in map(json.loads, tailed) if each["name"] == asked["receipt"]["reservation"])
    assert entry["charged"] == asked["receipt"]["charged"]
    rows = json.loads(cli_mesh.cli("spend", "--tag", "team", "--json").stdout)["rows"]
    assert next(row for row in rows if row["keys"] == ["red"])["charged"] == asked["receipt"]["charged"]


def test_a_prompt_is_pushed_labelled_compared_and_rendered(cli_mesh: RunningMesh) -> None:
    assert cli_mesh.cli("prompts", "push", "greeting", "--label", "production", stdin="Hello {{ name }}").returncode == 0
    assert cli_mesh.cli("prompts", "push", "greeting", stdin="Good day {{ name }}").stdout.endswith("/versions/2\n")
    assert "-Hello {{ name }}" in cli_mesh.cli("prompts", "diff", "greeting", "1", "2").stdout
    assert cli_mesh.cli("prompts", "label", "greeting", "production", "2").returncode == 0
    assert "production=2" in cli_mesh.cli("prompts", "list").stdout


def test_a_project_without_a_budget_is_named(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    project = "domains/default/projects/unbudgeted"
    file = tmp_path / "mesh.yaml"
    file.write_text("domains: [{name: default, projects: [{name: unbudgeted, strict_charging: true}]}]\n")
    applied = cli_mesh.cli("apply", "-f", str(file))
    assert applied.returncode == 0, applied.stderr
    shown = cli_mesh.cli("budget", "show", "--project", "unbudgeted")
    assert (shown.returncode, shown.stdout.splitlines()) == (
        0,
        [f"{project}: unlimited, set one with `llm-mesh budget set AMOUNT --project {project}`"],
    )
    assert json.loads(cli_mesh.cli("budget", "show", "--project", "unbudgeted", "--json").stdout) == []
    assert cli_mesh.cli("budget", "show", "--project", "no-such-project").returncode == 5
    assert [line for line in cli_mesh.cli("doctor").stdout.splitlines() if "without a budget" in line and project in line]
    assert cli_mesh.cli("budget", "set", "5", "--project", "unbudgeted").returncode == 0
    assert "5 USD" in cli_mesh.cli("budget", "show", "--project", "unbudgeted").stdout
    assert project not in cli_mesh.cli("doctor").stdout


def test_budgets_and_limits_are_set_and_shown(cli_mesh: RunningMesh) -> None:
    assert cli_mesh.cli("budget", "set", "0.000000001", "--period", "daily").returncode == 0
    refused = cli_mesh.cli("chat", "hi", "-m", "sim-echo")
    assert refused.returncode == 7
    assert "BUDGET_EXCEEDED" in refused.stderr
    assert "remedy:" in refused.stderr
    assert cli_mesh.cli("budget", "set", "1000").returncode == 0
    assert cli_mesh.cli("limits", "set", "calm", "1000", "--per", "1m").returncode == 0
    assert "calm" in cli_mesh.cli("limits", "list").stdout
    assert cli_mesh.cli("limits", "delete", "calm").returncode == 0


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("health",), 0),
        (("version", "--json"), 0),
        (("doctor",), 0),
        (("models", "list"), 0),
        (("models", "discover"), 0),
        (("migrate", "--check"), 2),
        (("models", "list", "--no-such-option"), 2),
        (("no-such-command",), 2),
        (("keys", "create", "--expires", "soon"), 2),
        (("health", "--address", "127.0.0.1:1"), 3),
        (("keys", "list", "--key", "mk_0000000000000000_wrong"), 4),
        (("keys", "list", "--data-dir", "/nonexistent"), 4),
        (("models", "show", "no-such-model"), 5),
        (("keys", "revoke", "nosuchkey"), 5),
        (("chat", "hi", "-m", "no-such-model"), 5),
        (("bootstrap", "--token", "mb_0000000000000000000000000"), 6),
    ],
)
def test_commands_end_with_their_documented_codes(cli_mesh: RunningMesh, words: tuple[str, ...], code: int) -> None:
    done = cli_mesh.cli(*words)
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr


def test_errors_are_json_for_programs(cli_mesh: RunningMesh) -> None:
    refused = json.loads(cli_mesh.cli("keys", "create", "--principal", "nobody", "--json").stderr)["error"]
    assert (refused["reason"], refused["field"], refused["code"]) == ("INVALID_FIELD", "key.principal", "INVALID_ARGUMENT")


def test_a_used_bootstrap_token_is_denied(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    done = cli_mesh.cli("bootstrap", "--token", "mb_0000000000000000000000000", "--save", str(tmp_path / "admin.key"))
    assert done.returncode == 4
    assert not (tmp_path / "admin.key").exists()


def test_settings_are_shown_with_masked_secrets(tmp_path: Path) -> None:
    env = environment({"LLM_MESH_KEY": "mk_1234567890123456_secret", "OPENAI_API_KEY": "sk-verysecret", "LLM_MESH_HTPP": "x"})
    del env["LLM_MESH_LATENESS"]
    shown = llm_mesh("settings", "--set", "--json", env=env)
    assert "LLM_MESH_HTPP" in shown.stderr
    assert shown.returncode == 2
    assert {row["origin"] for row in json.loads(shown.stdout)} == {"LLM_MESH_KEY", "OPENAI_API_KEY"}
    assert "secret" not in shown.stdout.replace("masked", "")


def test_the_list_of_commands_loads_neither_grpc_nor_tables() -> None:
    code = "import sys, llm_mesh_cli.app; sys.exit(any(name in sys.modules for name in ('grpc', 'rich.table', 'yaml')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_floors_are_set_field_by_field_shown_and_deleted(cli_mesh: RunningMesh) -> None:
    assert cli_mesh.cli("floors", "set", "default", "--region", "eu", "--screen", "credit_card=block").returncode == 0
    assert cli_mesh.cli("floors", "set", "default", "--max-output-tokens", "9", "--region", "eu", "--region", "ch").returncode == 0
    shown = json.loads(cli_mesh.cli("floors", "show", "default", "--json").stdout)
    assert (shown["regions"], shown["maxOutputTokens"]) == (["eu", "ch"], "9")
    assert shown["screening"] == [{"detector": "credit_card", "action": "SCREENING_ACTION_BLOCK"}]
    assert cli_mesh.cli("floors", "set", "all", "--zero-retention").returncode == 0
    assert "(every domain)" in cli_mesh.cli("floors", "list").stdout
    refused = cli_mesh.cli("chat", "hi", "-m", "sim-echo")
    assert "NO_ELIGIBLE_TARGET" in refused.stderr
    assert cli_mesh.cli("floors", "set", "default", "--screen", "credit_card").returncode == 2
    for domain in ("all", "default"):
        assert cli_mesh.cli("floors", "delete", domain).returncode == 0
    assert cli_mesh.cli("floors", "show", "default").returncode == 5
    assert cli_mesh.cli("chat", "hi", "-m", "sim-echo").returncode == 0
