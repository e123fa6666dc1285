"""The collector, Prometheus and Grafana: whole configurations, and no metric in them that the mesh does not send."""

import asyncio
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import promql_parser
import pytest
import yaml

from llm_mesh_runtime.telemetry.metrics import Metrics
from tests.deploy.compose import ROOT, containers
from tools.operations import instruments

DASHBOARDS = sorted((ROOT / "deploy/grafana/dashboards").glob("*.json"))
# PromQL: https://prometheus.io/docs/prometheus/latest/querying/functions/ and …/operators/
FUNCTIONS = {"absent_over_time", "histogram_quantile", "increase", "label_values", "max", "rate", "sum", "topk"}
WORDS = FUNCTIONS | {"and", "by", "on", "or", "unless", "without"}


def read(name: str) -> Any:
    return yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))


@cache
def exported() -> dict[str, set[str]]:
    """The names of all samples that a process with all services can send, with their labels."""
    names: dict[str, set[str]] = {}
    for family, instrument in asyncio.run(instruments()).items():
        labels = set(instrument.full_names)
        kind = instrument.kind.__name__
        suffixes = {"Counter": ["_total"], "Histogram": ["_bucket", "_sum", "_count"]}.get(kind, [""])
        names |= {f"{family}{suffix}": labels | ({"le"} if suffix == "_bucket" else set()) for suffix in suffixes}
    for sample in (sample for collected in Metrics(process=True).collect() for sample in collected.samples):
        names.setdefault(sample.name, set(sample.labels))
    return names


def expressions() -> Iterator[tuple[str, str]]:
    for path in DASHBOARDS:
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        for panel in dashboard["panels"]:
            yield from ((f"{path.name}: {panel['title']}", target["expr"]) for target in panel.get("targets", ()))
        for variable in dashboard["templating"]["list"]:
            yield f"{path.name}: ${variable['name']}", variable["query"]["query"]
    for group in read("alerts.yaml")["groups"]:
        yield from ((rule["alert"], rule["expr"]) for rule in group["rules"])


def metrics_and_labels(expression: str) -> tuple[set[str], set[str]]:
    """The metrics that an expression reads, and the labels that it selects or groups by."""
    bare = re.sub(r'"[^"]*"', '""', expression)
    labels = {label for selector in re.findall(r"\{([^}]*)\}", bare) for label in re.findall(r"([a-zA-Z_]\w*)\s*[=!]", selector)}
    bare = re.sub(r"\{[^}]*\}", "", bare)
    for grouping in re.findall(r"\b(?:by|without)\s*\(([^)]*)\)", bare):
        labels |= {label.strip() for label in grouping.split(",")}
    bare = re.sub(r"\b(?:by|without)\s*\([^)]*\)", "", bare)
    if found := re.match(r"label_values\((\w+),\s*(\w+)\)", bare):
        return {found[1]}, labels | {found[2]}
    bare = re.sub(r"\[[^\]]*\]", "", bare)
    return {word for word in re.findall(r"[a-zA-Z_]\w*", bare) if word not in WORDS and not re.fullmatch(r"e\d+", word)}, labels


@pytest.mark.parametrize(("where", "expression"), list(expressions()), ids=lambda value: value[:40])
def test_every_metric_and_label_that_is_read_is_one_that_the_mesh_sends(where: str, expression: str) -> None:
    known = exported()
    metrics, labels = metrics_and_labels(expression)
    assert metrics, f"{where} reads nothing"
    assert metrics <= set(known), f"{where} reads what nobody sends"
    assert labels <= {"job", "instance"}.union(*(known[name] for name in metrics)), f"{where} asks for labels that nobody sends"


@pytest.mark.parametrize(
    ("where", "expression"), [each for each in expressions() if "label_values" not in each[1]], ids=lambda value: value[:40]
)
def test_every_expression_is_prometheus_s_own_language(where: str, expression: str) -> None:
    """As Grafana sends it, with its variables filled in."""
    try:
        promql_parser.parse(expression.replace("$__rate_interval", "1m").replace("$job", ".+"))
    except ValueError as error:
        pytest.fail(f"{where}: {error}")


def test_an_expression_that_prometheus_would_refuse_is_noticed() -> None:
    with pytest.raises(ValueError, match="unclosed"):
        promql_parser.parse("sum by le (rate(x[5m])")


def test_a_metric_that_nobody_sends_would_be_noticed() -> None:
    metrics, labels = metrics_and_labels('sum by (le, x) (rate(llm_mesh_wishes_total{job="a", y!~"b"}[5m])) / 1e9')
    assert metrics == {"llm_mesh_wishes_total"}
    assert labels == {"le", "x", "job", "y"}


def test_every_panel_has_a_place_of_its_own_and_the_provisioned_data_source() -> None:
    (source,) = read("grafana/provisioning/datasources/prometheus.yaml")["datasources"]
    for path in DASHBOARDS:
        taken: set[tuple[int, int]] = set()
        for panel in json.loads(path.read_text(encoding="utf-8"))["panels"]:
            place = panel["gridPos"]
            cells = {(x, y) for x in range(place["x"], place["x"] + place["w"]) for y in range(place["y"], place["y"] + place["h"])}
            assert not cells & taken, panel["title"]
            assert place["x"] + place["w"] <= 24
            taken |= cells
            assert all(target["datasource"]["uid"] == source["uid"] for target in panel.get("targets", ()))


def test_grafana_finds_its_dashboards_where_compose_mounts_them() -> None:
    (provider,) = read("grafana/provisioning/dashboards/llm-mesh.yaml")["providers"]
    mounts = dict(volume.split(":")[:2][::-1] for volume in containers()["grafana"]["volumes"])
    assert mounts[provider["options"]["path"]] == "./deploy/grafana/dashboards"
    home = containers()["grafana"]["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert home == f"{provider['options']['path']}/{DASHBOARDS[0].name}"


def test_pipelines_of_the_collector_use_what_is_configured_and_all_of_it() -> None:
    collector = read("otel-collector.yaml")
    for kind in ("receivers", "processors", "exporters"):
        used = {name for pipeline in collector["service"]["pipelines"].values() for name in pipeline[kind]}
        assert used == set(collector[kind])
    assert set(collector["service"]["pipelines"]) == {"metrics", "traces"}  # what telemetry/otlp.py sends


def test_services_send_to_the_port_that_the_collector_listens_on() -> None:
    collector = read("otel-collector.yaml")
    port = collector["receivers"]["otlp"]["protocols"]["grpc"]["endpoint"].rpartition(":")[2]
    endpoints = {
        each["environment"]["OTEL_EXPORTER_OTLP_ENDPOINT"]
        for each in containers().values()
        if "OTEL_EXPORTER_OTLP_ENDPOINT" in each.get("environment", {})
    }
    assert endpoints == {f"http://otel-collector:{port}"}


def test_prometheus_reads_the_collector_and_the_alerts_that_are_mounted() -> None:
    prometheus, collector = read("prometheus.yaml"), read("otel-collector.yaml")
    jobs = {job["job_name"]: job for job in prometheus["scrape_configs"]}
    exporter = collector["exporters"]["prometheus"]["endpoint"].rpartition(":")[2]
    assert jobs["llm-mesh"]["static_configs"] == [{"targets": [f"otel-collector:{exporter}"]}]
    assert jobs["llm-mesh"]["honor_labels"] is True
    mounted = {volume.split(":")[1] for volume in containers()["prometheus"]["volumes"]}
    assert set(prometheus["rule_files"]) <= mounted
    flag = next(word for word in containers()["prometheus"]["command"] if word.startswith("--config.file="))
    assert flag.partition("=")[2] in mounted
