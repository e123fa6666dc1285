"""Every feature and field of every edge through every adapter: nothing is lost without a note, and the page tells it as it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_mesh.services import SERVICES
from llm_mesh_edge.http import anthropic, openai
from tests.conformance import edges
from tests.conformance.edges import EDGES
from tests.conformance.errors import ERRORS
from tests.conformance.idle import REFUSED_BY_THE_EDGE
from tests.conformance.page import PAGE, page
from tests.conformance.suite import Findings, look, losses, standing
from tests.conformance.verdicts import Kind
from tests.conformance.wires import ELSEWHERE, WIRES

_ADAPTER = "adapter/"
_EDGE = Path(openai.__path__[0]).parent


@pytest.fixture(scope="module")
def findings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Findings]:
    folder: Path = tmp_path_factory.mktemp("conformance")
    with standing(folder) as mesh:
        yield look(mesh)


def test_every_adapter_is_in_the_suite() -> None:
    adapters = {each.name.removeprefix(_ADAPTER) for each in SERVICES if each.name.startswith(_ADAPTER)}
    assert adapters == {wire.adapter for wire in WIRES.values()} | ELSEWHERE.keys()
    for tests in ELSEWHERE.values():
        assert (PAGE.parent.parent / tests).exists()


def test_every_edge_is_in_the_suite() -> None:
    dialects = {each.name for each in _EDGE.iterdir() if (each / "failures.py").exists()}
    assert {Path(each.__path__[0]).name for each in (anthropic, openai)} <= dialects
    assert EDGES.keys() | edges.ELSEWHERE.keys() == dialects | {"grpc"}
    assert not EDGES.keys() & edges.ELSEWHERE.keys()
    for tests in edges.ELSEWHERE.values():
        assert (PAGE.parent.parent / tests).exists()


def test_nothing_reaches_nobody_without_a_note(findings: Findings) -> None:
    assert losses(findings) == []


def test_each_feature_fares_as_its_adapter_declares(findings: Findings) -> None:
    for feature, cells in findings.features.items():
        for (edge, adapter), verdict in cells.items():
            expected = WIRES[adapter].expected(edge, feature)
            assert verdict.kind is expected, f"{edge} > {adapter}: {feature}: {verdict}"


def test_a_stream_tells_what_the_whole_answer_tells(findings: Findings) -> None:
    assert findings.unlike == []


def test_each_error_of_a_provider_has_one_reason_whatever_the_wire(findings: Findings) -> None:
    for error in ERRORS:
        for (edge, adapter), reason in findings.errors[error.name].items():
            assert reason == WIRES[adapter].errors.get(error.name, error.reason), (error.name, edge, adapter)


def test_a_caller_who_leaves_is_followed_to_the_provider_at_every_edge_and_wire(findings: Findings) -> None:
    places = {(edge, adapter) for edge in EDGES for adapter in WIRES}
    for moment, cells in findings.leaving.items():
        assert cells == dict.fromkeys(places, "client_gone"), moment


def test_no_sample_of_a_field_is_one_that_every_adapter_refuses(findings: Findings) -> None:
    refused = {
        (edge, path)
        for edge, paths in findings.fields.items()
        for path, wires in paths.items()
        for values in zip(*wires.values(), strict=True)
        if all(verdict.kind is Kind.REFUSED for verdict in values)
    }
    assert refused == REFUSED_BY_THE_EDGE.keys()


def test_the_page_is_fresh(findings: Findings) -> None:
    assert PAGE.read_text() == page(findings), "docs/conformance.md is stale: `make conformance` writes it"
