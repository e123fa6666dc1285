"""What commands do, how they end, and what they never show."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from llm_mesh.mesh.v1.resources_pb2 import Money
from llm_mesh.policy.v1 import usage_pb2
from llm_mesh_cli.commands.tail import row
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


def test_a_model_is_shown_to_people_without_json(cli_mesh: RunningMesh) -> None:
    assert "{" not in cli_mesh.cli("models", "show", "sim-echo").stdout


def test_requests_are_tailed_in_columns_whether_they_have_a_model_or_not() -> None:
    reserved = Money(currency="USD", nanos=2_000_000_000)
    held = usage_pb2.LedgerEntry(alias="a", state=usage_pb2.RESERVATION_STATE_HELD, reserved=reserved)
    released = usage_pb2.LedgerEntry(alias="a", state=usage_pb2.RESERVATION_STATE_RELEASED, charged=Money(currency="USD"))
    settled = usage_pb2.LedgerEntry(
        alias="a",
        state=usage_pb2.RESERVATION_STATE_SETTLED,
        charged=Money(currency="USD", nanos=1),
        lines=[{"model": "domains/b/models/c"}],
    )
    rows = [row(entry) for entry in (held, released, settled)]
    assert len({line.index(cost) for line, cost in zip(rows, ("≤ 2 USD", "0 USD", "0.000000001 USD"), strict=True)}) == 1


def test_a_failure_and_what_screening_found_stand_once_in_the_row_of_a_request() -> None:
    entry = usage_pb2.LedgerEntry(
        lines=[{"usage": {"error_reason": "PROVIDER_RESET"}}],
        screened=[{"detector": "credit_card", "masked": 1, "direction": usage_pb2.SCREENING_DIRECTION_ANSWER}],
    )
    assert row(entry).split("  ")[-2:] == ["PROVIDER_RESET", "screened: answer.credit_card.masked=1"]
    assert row(entry).count("PROVIDER_RESET") == 1


def test_limits_and_floors_take_short_names(cli_mesh: RunningMesh) -> None:
    limited = cli_mesh.cli("limits", "set", "short", "1000", "--subject", "projects/default")
    assert "domains/default/projects/default" in limited.stdout, limited.stderr
    assert cli_mesh.cli("limits", "delete", "short").returncode == 0
    cli_mesh.cli("floors", "set", "default", "--publish-to", "shared", "--accept-from", "-")
    floor = json.loads(cli_mesh.cli("floors", "show", "default", "--json").stdout)
    assert cli_mesh.cli("floors", "delete", "default").returncode == 0
    assert (floor["mayPublishTo"], floor["mayAcceptFrom"]) == (["domains/shared"], ["-"])


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
        [f"{project}: unlimited, set one with `llm-mesh budgets set AMOUNT --project {project}`"],
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
    assert cli_mesh.cli("budgets", "set", "1000").returncode == 6, "this loosens a guard"
    assert cli_mesh.cli("budgets", "set", "1000", "--allow-loosening").returncode == 0
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
        (("spend", "--by", "tag"), 2),
        (("spend", "--by", "model", "--tag", "team"), 2),
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


def test_a_file_that_cannot_be_read_is_named(cli_mesh: RunningMesh, tmp_path: Path) -> None:
    refused = cli_mesh.cli("audit", "verify", "--against", str(tmp_path / "nowhere"))
    assert refused.stderr == f"llm-mesh: {tmp_path / 'nowhere'}: No such file or directory\n"


def test_a_database_that_cannot_be_reached_is_told_with_its_drivers_words(tmp_path: Path) -> None:
    env = environment({"LLM_MESH_CATALOGUE_DATABASE_URL": "postgresql://user:hidden@127.0.0.1:1/catalogue", "LLM_MESH_SECRET": "s" * 32})
    for words in (("migrate", "catalogue"), ("serve", "catalogue")):
        linked = {**env, "LLM_MESH_LINK_POLICY": "dns:///127.0.0.1:1", "LLM_MESH_DATA_DIR": str(tmp_path)}
        refused = llm_mesh(*words, env=linked)
        assert "127.0.0.1" in refused.stderr, refused.stderr
        assert "hidden" not in refused.stderr


def test_errors_are_json_for_programs(cli_mesh: RunningMesh) -> None:
    refused = json.loads(cli_mesh.cli("keys", "create", "--name", "n" * 300, "--json").stderr)["error"]
    assert (refused["reason"], refused["field"], refused["code"]) == ("INVALID_FIELD", "key.display_name", "INVALID_ARGUMENT")


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
    assert cli_mesh.cli("floors", "set", "default", "--max-output-tokens", "9", "--region", "eu", "--region", "ch").returncode == 6
    widened = ("--max-output-tokens", "9", "--region", "eu", "--region", "ch", "--allow-loosening")
    assert cli_mesh.cli("floors", "set", "default", *widened).returncode == 0
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


@pytest.mark.parametrize(
    "command",
    [
        ("spend", "--project", "defalt"),
        ("spend", "--domain", "defalt"),
        ("tail", "--no-follow", "--project", "defalt"),
        ("keys", "list", "--project", "defalt"),
        ("limits", "list", "--domain", "defalt"),
        ("budget", "show", "--project", "defalt"),
        ("budget", "list", "--domain", "defalt"),
        ("prompts", "list", "--domain", "defalt"),
        ("models", "list", "--domain", "defalt"),
        ("explain", "0" * 16, "--domain", "defalt"),
    ],
    ids=" ".join,
)
def test_a_misspelt_place_is_not_an_empty_table(cli_mesh: RunningMesh, command: tuple[str, ...]) -> None:
    ended = cli_mesh.cli(*command)
    assert ended.returncode == 5, ended
    assert not ended.stdout
    kind, name = ("project", "domains/default/projects/defalt") if "--project" in command else ("domain", "domains/defalt")
    assert f"there is no {kind} {name}; did you mean default?" in ended.stderr
