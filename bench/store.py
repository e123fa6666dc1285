"""Results on disk, one file per scenario, so that an interrupted report goes on where it was."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from bench.conditions import Stolen, build, conditions
from bench.scenarios.scenario import Scenario, Settings

RESULTS = Path(".bench/results")


class Results:
    """A folder of them."""

    def __init__(self, folder: Path = RESULTS) -> None:
        self._folder = folder

    def read(self, name: str) -> dict[str, Any] | None:
        """The last one of that scenario."""
        path = self._folder / f"{name}.json"
        stored: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return stored

    def fresh(self, name: str, settings: Settings) -> bool:
        """Whether it was measured with this build and with these settings: then it need not be again."""
        stored = self.read(name)
        return stored is not None and stored["conditions"].get("build") == build() and stored["settings"] == _shown(settings)

    def measure(self, scenario: Scenario, settings: Settings) -> dict[str, Any]:
        """Runs the scenario, and keeps what came."""
        with tempfile.TemporaryDirectory() as place:
            held_under = conditions(Path(place))
        begun, stolen = time.monotonic(), Stolen()
        stored = scenario.run(settings).as_json()
        result = {
            "scenario": scenario.name,
            "told": scenario.summary,
            "conditions": held_under | {"stolen": stolen.share()},
            "settings": _shown(settings),
            "took_seconds": time.monotonic() - begun,
            **stored,
        }
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{scenario.name}.json").write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
        return result

    def all(self, scenarios: Sequence[Scenario]) -> list[dict[str, Any]]:
        """What is there, in the order of the scenarios."""
        return [stored for scenario in scenarios if (stored := self.read(scenario.name)) is not None]


def _shown(settings: Settings) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(json.dumps(asdict(settings)))
    return shown | {"trace": Path(settings.trace).name}  # where somebody keeps it is nobody's business
