"""Generates the tables of docs/operations.md: settings from their dataclasses, metrics from the instruments of hosted services.

python tools/operations.py            writes docs/operations.md
python tools/operations.py --check    fails where what is committed is stale
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from llm_mesh_cli.up.workers import declare
from llm_mesh_runtime.host import installed, load
from llm_mesh_runtime.links.mux.watched import declare as declare_links
from llm_mesh_runtime.log import configure_log
from llm_mesh_runtime.settings import Configuration, MeshSettings, settings_table
from llm_mesh_runtime.testing import host

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "operations.md"
KINDS = {"Counter": "counter", "Gauge": "gauge", "Histogram": "histogram"}


async def instruments() -> Mapping[str, Any]:
    """Everything that a process with all services measures, by the name of its Prometheus family."""
    configure_log(level="error", format="json", service="docs")
    first = ("policy", "registry")  # in the order in which they need each other
    services = load((*first, *(name for name in installed() if name not in first)))
    settings: dict[str, Any] = {service.name: Configuration.read({}).load(service.settings, service.name).value for service in services}
    settings["simulator"] = replace(settings["simulator"], address="127.0.0.1:0", log_path="-")
    with tempfile.TemporaryDirectory() as folder:
        async with host(*services, link="local", settings=settings, data_dir=Path(folder)) as mesh:
            measured = mesh.links().metrics
            declare(measured, lambda: 0)
            declare_links(measured)
            return measured.instruments()


def metrics() -> Iterator[str]:
    """One line per metric."""
    yield "| Prometheus | OpenTelemetry | kind | labels | meaning |"
    yield "|---|---|---|---|---|"
    for family, instrument in sorted(asyncio.run(instruments()).items()):
        kind = KINDS[instrument.kind.__name__]
        name = f"{family}_total" if kind == "counter" else family
        labels = ", ".join(f"`{label}`" for label in instrument.full_names)
        yield f"| `{name}` | `{instrument.name}` | {kind} | {labels} | {instrument.declared.text} |"
    yield ""
    yield "And `process_*` and `python_gc_*`, as every Prometheus client has them. `llm_mesh_workers_*` are there with workers,"
    yield "`llm_mesh_link_*` in processes that have batched links. Counters that alerts look at begin at 0; other series appear with their"
    yield "first event."


def settings() -> Iterator[str]:
    """One table per service."""
    yield "### Of every process\n"
    yield settings_table(MeshSettings)
    for service in load(installed()):
        yield f"### {service.name}\n"
        yield settings_table(service.settings, service.name)


def page(text: str) -> str:
    """The page with fresh tables."""
    for name, lines in (("metrics", metrics()), ("settings", settings())):
        before, marker, rest = text.partition(f"<!-- generated: {name} -->\n")
        _, end, after = rest.partition("<!-- end -->")
        if not marker or not end:
            sys.exit(f"{PAGE.name} has no section {name}")
        text = before + marker + "\n" + "\n".join(lines).rstrip() + "\n\n" + end + after
    return text


def main() -> None:
    """Writes or checks the page."""
    present = PAGE.read_text(encoding="utf-8")
    fresh = page(present)
    if "--check" not in sys.argv:
        PAGE.write_text(fresh, encoding="utf-8")
    elif fresh != present:
        sys.exit("docs/operations.md is stale: run `make docs`")


if __name__ == "__main__":
    main()
