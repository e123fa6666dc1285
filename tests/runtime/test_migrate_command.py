"""The command that containers migrate with: each service that owns data, from its own settings; nothing else."""

from pathlib import Path

import pytest

from llm_mesh.services import SERVICES
from llm_mesh_runtime import migrate
from llm_mesh_runtime.host import installed


def test_it_finds_the_services_that_own_data() -> None:
    assert migrate.stateful(installed()) == tuple(sorted(each.name for each in SERVICES if each.database))
    assert migrate.migrations_of("policy") == "llm_mesh_policy.store.migrations"
    assert not migrate.migrations_of("gateway")
    assert not migrate.migrations_of("adapter/openai")
    assert not migrate.migrations_of("nobody")


def test_it_migrates_the_named_services_and_says_what_they_reached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("registry", "router"):
        monkeypatch.setenv(f"LLM_MESH_{name.upper()}_DATABASE_URL", f"sqlite:///{tmp_path / name}.db")
    assert migrate.main(["registry", "router"]) == 0
    told = capsys.readouterr().out
    assert "registry v0" in told
    assert "router v0" in told
    assert migrate.main(["registry", "router"]) == 0
    assert capsys.readouterr().out == told


@pytest.mark.parametrize("name", ["gateway", "nobody"])
def test_a_service_without_data_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert migrate.main([name]) == 1
    assert name in capsys.readouterr().err
