"""What becomes of measurements: medians, goals, tables, plots, the page, the cost model."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from bench.compared import row
from bench.load.figures import Figures
from bench.profiling.stages import LOOP, by_package, by_stage, stage_of
from bench.report.page import page, pictures
from bench.report.plot import bars
from bench.report.table import goals, table
from bench.scenarios.catalogue import SCENARIOS
from bench.scenarios.replay import Arrival
from bench.scenarios.replay import read as read_trace
from bench.scenarios.scenario import Outcome, Scenario, Settings
from bench.store import Results


def result(latency: float, *, failed: int = 0) -> dict[str, Any]:
    figures = Figures({}, measuring=True)
    figures.taken, figures.cpu = 2.0, {"mesh": {"1/1 (x)": 0.5}, "generator": {"all": 0.1}}
    for _ in range(10):
        figures.good(latency, latency)
    if failed:
        figures.failures["status 500"] = failed
    return figures.result()


def test_a_row_has_medians_and_spread_and_the_cpu_of_what_is_measured_only() -> None:
    made = row("embedded", [result(0.001), result(0.003), result(0.002)])
    assert (made["p50_ms"], made["p50_ms_spread"]) == (pytest.approx(2), pytest.approx(2))
    assert made["cpu_us"] == pytest.approx(50_000)
    assert made["per_second"] == 5


def test_a_row_with_a_wrong_answer_or_without_any_has_no_figures() -> None:
    assert row("peer", [result(0.001), result(0.001, failed=1)]) == {"target": "peer", "failed": 1, "failures": {"status 500": 1}}
    empty = Figures({}).result()
    assert row("peer", [empty]) == {"target": "peer", "failed": 1, "failures": {"no answer within a pass": 1}}


def test_goals_are_reached_missed_or_not_measured() -> None:
    found = Outcome()
    found.at_most("a", 280, 280.0, "µs")
    found.at_least("b", 3500, 3499.0, "requests/s")
    found.at_least("c", 1, None, "×")
    found.unjudged("d", "≥ 1.8 ×", "0.8 ×, on too few cores")
    assert [goal.reached for goal in found.goals] == [True, False, None, None]
    assert goals(found.as_json()["goals"]).splitlines()[2:] == [
        "| a | ≤ 280 µs | 280 µs | yes |",
        "| b | ≥ 3500 requests/s | 3,499 requests/s | **no** |",
        "| c | ≥ 1 × | not measured | – |",
        "| d | ≥ 1.8 × | 0.8 ×, on too few cores | – |",
    ]


def test_a_table_has_the_columns_that_rows_have_and_says_wrong_answers() -> None:
    rows = [{"target": "direct", "per_second": 1000.0}, {"target": "peer", "failed": 3, "failures": {"status 500": 3}}]
    assert table(rows).splitlines() == [
        "| target | per second | wrong answers |",
        "|---|---|---|",
        "| direct | 1,000 |  |",
        "| peer |  | 3: status 500 |",
    ]


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_plot_is_svg_whose_bars_grow_with_their_values(*, logarithmic: bool) -> None:
    drawn = bars("CPU <a>", "µs", [("direct & co", 1.0), ("mesh", 50.0), ("peer", 9_000.0)], ours=["mesh"], logarithmic=logarithmic)
    widths = [float(found) for found in re.findall(r'width="([0-9.]+)" height="22"', drawn)]
    assert "CPU &lt;a&gt;" in drawn
    assert len(widths) == 3
    assert widths == sorted(widths)
    assert 0 < widths[0] < widths[-1]


def test_stages_take_the_innermost_frame_of_ours_and_add_up() -> None:
    stacks = [
        (["MainThread", "llm_mesh_edge.http.app:Edge.__call__", "llm_mesh_dialects.fields:raw", "json:loads"], 3.0),
        (["MainThread", "llm_mesh_policy.wiring.servicer:PolicyServicer.Reserve"], 2.0),
        (["policy/write", "sqlalchemy.engine:execute"], 1.0),
        (["MainThread", "asyncio.runners:run"], 0.5),
    ]
    assert by_stage(stacks) == {"translations between dialects": 3.0, "policy: reserve": 2.0, "thread policy/write": 1.0, LOOP: 0.5}
    assert sum(by_package(stacks).values()) == 6.5
    assert stage_of(["threads outside of Python"]) == "threads outside of Python"


def test_a_trace_is_read_from_its_first_arrival(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv"
    path.write_text("TIMESTAMP,ContextTokens,GeneratedTokens\n2023-11-16 18:15:46.6805900,374,44\n2023-11-16 18:15:47.1805900,396,109\n")
    assert read_trace(path, 10) == [Arrival(0.0, 374, 44), Arrival(0.5, 396, 109)]
    assert len(read_trace(path, 1)) == 1


def test_results_are_kept_and_measured_again_only_where_something_changed(tmp_path: Path) -> None:
    runs: list[Settings] = []

    def run(settings: Settings) -> Outcome:
        runs.append(settings)
        return Outcome(rows=[{"target": "embedded", "in_flight": 64, "cpu_us": 280.0, "failed": 0}])

    scenario, results = Scenario("unary", "a test's own", run), Results(tmp_path)
    assert not results.fresh("unary", Settings())
    results.measure(scenario, Settings())
    assert results.fresh("unary", Settings())
    assert not results.fresh("unary", Settings(passes=5))
    found = results.all([scenario])
    pictures(found, tmp_path / "plots")
    assert "280 µs" in (tmp_path / "plots/cpu.svg").read_text()
    assert "| embedded | 64 | 280 |" in page(found, "plots")


def test_each_scenario_has_a_name_of_its_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert len(names) == len(set(names))
