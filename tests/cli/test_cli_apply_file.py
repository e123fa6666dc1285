"""A file is read strictly: every problem is told at once, with its line and its field."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_mesh.policy.v1 import floors_pb2, ledger_pb2
from llm_mesh_cli.apply.desired import DesiredState
from llm_mesh_cli.apply.document import parsed
from llm_mesh_cli.apply.reading import FileError

EXAMPLE = Path(__file__).parents[2] / "examples" / "mesh.yaml"


def read(tmp_path: Path, text: str) -> DesiredState:
    file = tmp_path / "mesh.yaml"
    file.write_text(text, encoding="utf-8")
    return parsed(file, "USD")


def problems(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(FileError) as refused:
        read(tmp_path, text)
    return [problem.removeprefix(f"{tmp_path}/") for problem in refused.value.problems]


def test_the_example_is_read_whole() -> None:
    desired = parsed(EXAMPLE, "USD")
    assert desired.policy.parent == "domains/claims"
    assert [project.name for project in desired.policy.projects] == ["domains/claims/projects/triage", "domains/claims/projects/letters"]
    assert desired.registry.models[0].price.input_nanos_per_million == 150_000_000
    assert desired.router.routes[0].targets[0].model == "domains/claims/models/summariser"
    assert desired.catalogue.prompts[0].version.messages[0].template.startswith("You summarise")


def test_all_problems_are_told_at_once_with_their_lines(tmp_path: Path) -> None:
    text = "domains:\n  - name: claims\n    projects:\n      - name: Triage\n        max_output_tokens: many\n    modles: []\n"
    assert problems(tmp_path, text) == [
        "mesh.yaml:6: domains[0].modles: is not a field; did you mean models?",
        "mesh.yaml:4: domains[0].projects[0].name: expected 1 to 63 of a-z, 0-9 and -",
        "mesh.yaml:5: domains[0].projects[0].max_output_tokens: expected a whole number, found 'many'",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("domains: {}\n", "mesh.yaml:1: domains: expected a list, found a mapping"),
        ("- claims\n", "mesh.yaml:1: the file: expected a mapping, found a list"),
        ("domains:\n  - name: a\n    name: b\n", "mesh.yaml:3: domains[0].name: stands twice; first in line 2"),
        ("domains:\n  - display_name: A\n", "mesh.yaml:2: domains[0]: name is required"),
        ("domains:\n  - name: yes\n", "mesh.yaml:2: domains[0].name: expected text, found 'yes'; put it in quotes"),
        ("domains:\n  - name: a\n    limits:\n      - {name: x, metric: request, amount: 1}\n", "expected one of requests, concurrency"),
        ("domains:\n  - name: a\n    projects:\n      - {name: x, budget: {amount: 1 euro}}\n", "'1 euro' is no amount"),
        ("domains:\n  - name: a\n    projects:\n      - {name: x, budget: {amount: 0.0000000001}}\n", "with at most nine decimals"),
        ("domains:\n  - name: a\n    prompts:\n      - {name: x}\n", "expected a template"),
        ("domains: [\n", "expected YAML"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_is_told_where_it_is(tmp_path: Path, text: str, told: str) -> None:
    found = problems(tmp_path, text)
    assert any(told in problem for problem in found), found


def test_amounts_never_pass_through_a_float(tmp_path: Path) -> None:
    desired = read(
        tmp_path, "domains:\n  - name: a\n    projects:\n      - {name: x, budget: {amount: 90071992.547409931, period: monthly}}\n"
    )
    assert desired.policy.budgets[0].amount.nanos == 90_071_992_547_409_931
    assert desired.policy.budgets[0].period == ledger_pb2.BUDGET_PERIOD_MONTHLY


def test_a_role_of_the_domain_wins_over_a_built_in_one(tmp_path: Path) -> None:
    head = "domains:\n  - name: a\n    bindings:\n      - {principal: ana, role: viewer}\n"
    assert read(tmp_path, head).policy.bindings[0].role == "roles/viewer"
    own = head + "    roles:\n      - {name: viewer, permissions: [{actions: [models.get]}]}\n"
    assert read(tmp_path, own).policy.bindings[0].role == "domains/a/roles/viewer"


def test_several_domains_are_asked_for_in_the_platforms_name(tmp_path: Path) -> None:
    assert read(tmp_path, "domains:\n  - {name: a}\n  - {name: b}\n").policy.parent == "domains/platform"


def test_an_error_of_a_service_finds_its_line(tmp_path: Path) -> None:
    text = "domains:\n  - name: a\n    routes:\n      - {name: x, targets: [{model: m}]}\n      - {name: y, targets: [{model: m}]}\n"
    found = read(tmp_path, text).where("router", "routes[1].targets[0].model")
    assert found is not None
    assert (found[0].where.rpartition("/")[2], found[1]) == ("mesh.yaml:5", "targets[0].model")


def test_floors_and_the_platforms_budgets_are_asked_for_in_its_name(tmp_path: Path) -> None:
    desired = read(
        tmp_path,
        'floors:\n  - {name: "-", zero_retention: true}\n'
        "  - {name: claims, regions: [eu], screening: [{detector: credit_card, action: block}], may_accept_from: ['-']}\n"
        "domains:\n  - name: platform\n"
        "    budgets: [{name: claims, subject: domains/claims, amount: 5 USD, period: monthly}]\n"
        "    limits: [{name: each, subject: 'domain:*', metric: requests, amount: 60, per: 1m}]\n",
    )
    assert desired.policy.parent == "domains/platform"
    assert [floor.name for floor in desired.policy.floors] == ["domains/platform/floors/-", "domains/platform/floors/claims"]
    assert desired.policy.floors[1].screening[0].action == floors_pb2.SCREENING_ACTION_BLOCK
    assert desired.policy.floors[1].may_accept_from == ["-"]
    assert (desired.policy.budgets[0].name, desired.policy.budgets[0].subject) == ("domains/platform/budgets/claims", "domains/claims")
    assert desired.policy.limits[0].subject == "domain:*"


def test_a_file_may_name_domains_shortly_everywhere(tmp_path: Path) -> None:
    desired = read(
        tmp_path,
        "floors:\n  - {name: a, may_publish_to: [b, domains/c], may_accept_from: ['-']}\n"
        "endpoints:\n  - {adapter: openai, name: box, operator: a, domains: [b, domains/c]}\n"
        "domains:\n  - name: a\n"
        "    models: [{name: m, adapter: openai, endpoint: box, upstream_model: m, shared_with: [b, domains/c]}]\n"
        "    routes: [{name: r, targets: [{model: m}], shared_with: [b]}, {name: s, targets: [{model: m}], shared_with: ['*']}]\n",
    )
    both = ["domains/b", "domains/c"]
    [floor], [endpoint], [model] = desired.policy.floors, desired.registry.endpoints, desired.registry.models
    assert (list(floor.may_publish_to), list(floor.may_accept_from)) == (both, ["-"])
    assert (endpoint.operator, list(endpoint.domains)) == ("domains/a", both)
    assert list(model.shared_with) == both
    assert [list(route.shared_with) for route in desired.router.routes] == [["domains/b"], ["*"]]


def test_a_limit_may_name_its_subject_shortly(tmp_path: Path) -> None:
    subjects = {
        "": "domains/a",
        "projects/p": "domains/a/projects/p",
        "principals/q": "domains/a/principals/q",
        "model:m": "model:domains/a/models/m",
        "model:shared/m": "model:domains/shared/models/m",
        "model:domains/b/models/m": "model:domains/b/models/m",
        "tag:team=red": "tag:team=red",
    }
    limits = "\n".join(f"      - {{name: l, metric: requests, amount: 1, subject: '{subject}'}}" for subject in subjects)
    desired = read(tmp_path, f"domains:\n  - name: a\n    limits:\n{limits}\n")
    assert [limit.subject for limit in desired.policy.limits] == list(subjects.values())


def test_only_the_platform_has_budgets_beside_its_projects(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "domains: [{name: claims, budgets: [{name: b, subject: domains/claims, amount: 5 USD}]}]")
    assert "only the platform has budgets here" in problem


def test_what_the_mesh_computes_of_a_domain_is_no_field_of_the_file(tmp_path: Path) -> None:
    [problem] = problems(tmp_path, "domains: [{name: claims, floor: {regions: [us]}}]")
    assert "is not a field" in problem


def test_facts_of_endpoints_are_asked_for_in_the_platforms_name(tmp_path: Path) -> None:
    desired = read(
        tmp_path,
        "endpoints:\n  - {adapter: openai, name: box, region: eu, upstream_models: ['big-*'], domains: [domains/claims],\n"
        "     price_floor: {input: '0.10', output: 0.40 USD}}\n",
    )
    assert desired.registry.parent == "domains/platform"
    [endpoint] = desired.registry.endpoints
    assert (endpoint.name, endpoint.operator, endpoint.region) == ("adapters/openai/endpoints/box", "domains/platform", "eu")
    assert (endpoint.price_floor.currency, endpoint.price_floor.input_nanos_per_million, endpoint.price_floor.output_nanos_per_million) == (
        "USD", 100_000_000, 400_000_000,
    )  # fmt: skip
    [problem] = problems(tmp_path, "endpoints: [{adapter: openai, name: box, etag: x}]")
    assert "is not a field" in problem
