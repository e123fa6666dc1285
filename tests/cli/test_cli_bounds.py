"""Limits, budgets, floors and endpoints change field by field, and are loosened only with the word for it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.inside import CommandLine
from tests.e2e.running import RunningMesh

NOT_FOUND, USAGE, CONFLICT = 5, 2, 6


@pytest.fixture
def line(cli_mesh: RunningMesh) -> CommandLine:
    return CommandLine(cli_mesh)


@pytest.fixture
def domain(line: CommandLine, request: pytest.FixtureRequest) -> str:
    name = f"b{abs(hash(request.node.name)) % 10**9}"
    line.done("domains", "create", name)
    line.done("projects", "create", f"{name}/p")
    return name


def shown(line: CommandLine, *words: str) -> Any:
    return json.loads(line.done(*words, "--json"))


def test_a_limit_keeps_what_is_not_named(line: CommandLine, domain: str) -> None:
    line.done("limits", "set", f"{domain}/calm", "100", "--per", "1h", "--metric", "tokens", "--subject", "projects/p")
    line.done("limits", "set", f"{domain}/calm", "90")
    limit = shown(line, "limits", "show", f"{domain}/calm")
    assert (limit["amount"], limit["window"], limit["metric"]) == ("90", "3600s", "LIMIT_METRIC_TOKENS")
    assert limit["subject"] == f"domains/{domain}/projects/p"
    for looser in (("91",), ("--per", "1m"), ("--subject", "projects/q")):
        assert line.ask("limits", "set", f"{domain}/calm", *looser).code == CONFLICT, looser
    assert shown(line, "limits", "show", f"{domain}/calm") == limit
    line.done("limits", "set", f"{domain}/calm", "91", "--allow-loosening")
    assert line.ask("limits", "set", f"{domain}/new").code == USAGE, "a new limit needs an amount"
    assert "did you mean calm?" in line.ask("limits", "delete", f"{domain}/clam").err


def test_a_budget_keeps_its_period_and_is_deleted(line: CommandLine, domain: str) -> None:
    project = ("--project", f"{domain}/p")
    line.done("budgets", "set", "5", *project, "--period", "daily")
    line.done("budgets", "set", "4", *project)
    assert [each["period"] for each in shown(line, "budgets", "show", *project)] == ["BUDGET_PERIOD_DAILY"]
    assert line.ask("budgets", "set", "6", *project).code == CONFLICT
    line.done("budgets", "set", "--period", "monthly", *project)
    assert shown(line, "budgets", "show", *project)[0]["amount"]["nanos"] == "4000000000", "an amount that is not named stays"
    line.done("budgets", "delete", *project)
    assert "unlimited" in line.done("budgets", "show", *project)
    assert line.ask("budgets", "delete", *project).code == NOT_FOUND


def test_a_budget_of_the_platform_binds_a_domain(line: CommandLine, domain: str) -> None:
    name = ("--name", f"cap-{domain}")
    line.done("budgets", "set", "9", *name, "--subject", domain)
    assert f"domains/{domain}" in line.done("budgets", "show", *name)
    assert line.ask("budgets", "show", *name, "--project", f"{domain}/p").code == USAGE
    line.done("budgets", "delete", *name)
    assert line.ask("budgets", "show", *name).code == NOT_FOUND


def test_facts_of_an_endpoint_keep_what_is_not_named(line: CommandLine, domain: str) -> None:
    name = f"openai/e-{domain}"
    line.done("endpoints", "set", name, "--region", "eu", "--zero-retention", "--domain", domain, "--least-input", "0.5")
    line.done("endpoints", "set", name, "--processor", "Elsewhere Inc.")
    facts = shown(line, "endpoints", "show", name)
    assert (facts["region"], facts["zeroRetention"], facts["domains"]) == ("eu", True, [f"domains/{domain}"])
    assert (facts["processor"], facts["priceFloor"]["inputNanosPerMillion"]) == ("Elsewhere Inc.", "500000000")
    assert line.ask("endpoints", "set", name, "--domain", "").code == CONFLICT, "all domains may use it then"
    assert line.ask("endpoints", "set", name, "--least-input", "0.4").code == CONFLICT
    assert shown(line, "endpoints", "show", name) == facts
    assert f"did you mean e-{domain}?" in line.ask("endpoints", "show", f"openai/e{domain}").err
    line.done("endpoints", "delete", name)


def test_the_least_tokens_of_an_endpoint_are_set_one_by_one(line: CommandLine, domain: str) -> None:
    name = f"openai/t-{domain}"
    line.done(
        "endpoints", "set", name, "--token-floor", "image_tokens=765", "--token-floor", "file_tokens=9", "--hidden-output", "reasoning"
    )
    line.done("endpoints", "set", name, "--token-floor", "image_tokens=800")
    floor = {"imageTokens": "800", "fileTokens": "9", "hiddenOutput": ["reasoning"]}
    assert shown(line, "endpoints", "show", name)["tokenFloor"] == floor
    assert line.ask("endpoints", "set", name, "--token-floor", "image_tokens=700").code == CONFLICT, "it loosens a guard"
    assert line.ask("endpoints", "set", name, "--token-floor", "pictures=1").code == USAGE
    line.done("endpoints", "set", name, "--token-floor", "", "--hidden-output", "", "--allow-loosening")
    assert "tokenFloor" not in shown(line, "endpoints", "show", name)
    line.done("endpoints", "delete", name)


def test_keys_are_listed_of_a_project_or_of_a_domain(line: CommandLine, domain: str) -> None:
    line.done("projects", "create", f"{domain}/q")
    line.done("principals", "create", f"{domain}/app")
    for project in ("p", "q"):
        line.done("keys", "create", "--project", f"{domain}/{project}", "--principal", f"{domain}/app", "--name", f"of {project}")

    def names(*words: str) -> set[str]:
        return {key["displayName"] for key in json.loads(line.done("keys", "list", *words, "--json"))}

    assert names("--domain", domain) == {"of p", "of q"}
    assert names("--project", f"{domain}/q") == {"of q"}
    assert f"{domain}/q/" in line.done("keys", "list", "--domain", domain)
    assert line.ask("keys", "list", "--domain", domain, "--project", f"{domain}/q").code == USAGE
    assert "did you mean default?" in line.ask("keys", "list", "--domain", "defualt").err


def test_a_dry_run_shows_a_change_and_makes_none(line: CommandLine, domain: str) -> None:
    line.done("limits", "set", f"{domain}/calm", "100")
    tried = json.loads(line.done("limits", "set", f"{domain}/calm", "200", "--dry-run", "--json"))
    assert tried["dryRun"]
    assert [(field["path"], field["loosens"]) for field in tried["changes"][0]["fields"]] == [("amount", True)]
    assert "this needs --allow-loosening" in line.done("limits", "set", f"{domain}/calm", "200", "--dry-run")
    assert shown(line, "limits", "show", f"{domain}/calm")["amount"] == "100"
