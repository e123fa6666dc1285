"""Measures the mesh beside direct calls, and beside other gateways, in one run on one machine.

python -m bench [--seconds S] [--passes N] [--scenario NAME …] [--all] [--peers] [--trace FILE] [--json FILE] [--report PAGE]

Without a scenario: the quick ones, always anew. With --all, what was measured with this build and these settings is kept.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.processes import BrokenOffError
from bench.report.page import page, pictures
from bench.report.table import goals, table
from bench.scenarios.catalogue import SCENARIOS
from bench.scenarios.scenario import Scenario, Settings
from bench.store import RESULTS, Results


def main() -> None:
    """Measures what is asked for, and prints it."""
    arguments = _arguments()
    results = Results(arguments.results)
    broken: list[str] = []
    measured: list[dict[str, Any]] = []
    for scenario in _chosen(arguments):
        settings = _settings(arguments, scenario)
        if arguments.all and not arguments.fresh and results.fresh(scenario.name, settings):
            print(f"{scenario.name}: measured before with this build")
        else:
            print(f"{scenario.name}: {scenario.summary}", flush=True)
            try:
                results.measure(scenario, settings)
            except BrokenOffError as error:
                print(f"!! {scenario.name} broke off: {error}", flush=True)
                broken.append(scenario.name)
                continue
        outcomed = results.read(scenario.name)
        if outcomed is not None:
            measured.append(outcomed)
            print(_summary(outcomed), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps(measured, indent=1, ensure_ascii=False) + "\n")
    if arguments.report:
        _write(arguments.report, results.all(SCENARIOS))
    wrong = [f"{outcomed['scenario']}: {row['target']}" for outcomed in measured for row in outcomed["rows"] if row.get("failed")]
    if wrong or broken:
        sys.exit(f"without figures, because answers were wrong or something broke off: {', '.join([*wrong, *broken])}")


def _write(report: Path, results_: Sequence[dict[str, Any]]) -> None:
    plots = report.parent / report.stem
    pictures(results_, plots)
    report.write_text(page(results_, plots.name), encoding="utf-8")
    (plots / "results.json").write_text(json.dumps(results_, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"wrote {report}")


def _summary(outcome: dict[str, Any]) -> str:
    parts = [table(outcome["rows"])] if outcome["rows"] else []
    parts += [goals(outcome["goals"])] if outcome["goals"] else []
    parts += [f"- {note}" for note in outcome["notes"]]
    return "\n".join(["", *parts, ""])


def _chosen(arguments: argparse.Namespace) -> list[Scenario]:
    if arguments.scenario:
        return [scenario for scenario in SCENARIOS if scenario.name in arguments.scenario]
    return [scenario for scenario in SCENARIOS if arguments.all or scenario.quick]


def _settings(arguments: argparse.Namespace, scenario: Scenario) -> Settings:
    del scenario
    settings = Settings(seconds=arguments.seconds, passes=arguments.passes, peers=arguments.peers or arguments.all, trace=arguments.trace)
    if not (arguments.all or arguments.scenario):
        settings = replace(settings, meshes=("embedded",))
    return replace(
        settings,
        overload_seconds=arguments.overload_seconds,
        soak_seconds=arguments.soak_seconds,
        slow_seconds=arguments.slow_seconds,
    )


def _arguments() -> argparse.Namespace:
    usual = Settings()
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=usual.seconds, help="of one pass")
    parser.add_argument("--passes", type=int, default=usual.passes)
    parser.add_argument("--scenario", action="append", choices=[scenario.name for scenario in SCENARIOS], help="several times for several")
    parser.add_argument("--all", action="store_true", help="every scenario, with peers; goes on where it was interrupted")
    parser.add_argument("--fresh", action="store_true", help="measure again what was measured with this build")
    parser.add_argument("--peers", action="store_true", help="the installed ones (make bench-peers)")
    parser.add_argument("--trace", default="", help="a CSV file of the Azure LLM inference trace 2023")
    parser.add_argument("--overload-seconds", type=float, default=usual.overload_seconds)
    parser.add_argument("--soak-seconds", type=float, default=usual.soak_seconds)
    parser.add_argument("--slow-seconds", type=float, default=usual.slow_seconds)
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--report", type=Path, help="writes this page, its plots and results.json beside it")
    return parser.parse_args()


if __name__ == "__main__":
    main()
