"""deploy/postgres/databases.sh against a real server: each service reaches its own database, and no other."""

import os
import subprocess
from pathlib import Path

import psycopg
import pytest

from tests.deploy.compose import ROOT, compose
from tests.postgres import Cluster

SECRETS = [name for name in compose()["secrets"] if name.endswith("_database_url")]


@pytest.fixture
def urls(tmp_path: Path, postgres: Cluster) -> dict[str, str]:
    subprocess.run([ROOT / "deploy/secrets.sh", tmp_path / "secrets"], check=True, capture_output=True)
    environment = {
        **os.environ,
        "PATH": f"{postgres.binaries}:{os.environ['PATH']}",
        "SECRETS": str(tmp_path / "secrets"),
        "PGHOST": "127.0.0.1",
        "PGPORT": str(postgres.port),
        "POSTGRES_USER": "mesh",
    }
    subprocess.run([ROOT / "deploy/postgres/databases.sh"], env=environment, check=True, capture_output=True)
    here = f"127.0.0.1:{postgres.port}"
    return {name: (tmp_path / "secrets" / name).read_text(encoding="utf-8").strip().replace("postgres:5432", here) for name in SECRETS}


def test_each_role_owns_its_database_and_reaches_no_other(urls: dict[str, str]) -> None:
    for url in urls.values():
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE mine (id int)")
        for other in urls.values():
            database = other.rpartition("/")[2]
            if database != url.rpartition("/")[2]:
                with pytest.raises(psycopg.OperationalError, match="permission denied"):
                    psycopg.connect(f"{url.rpartition('/')[0]}/{database}").close()
