"""Fixtures that every suite may use."""

from collections.abc import Iterator

import pytest

from tests.databases import database, database_url
from tests.postgres import Cluster, cluster

__all__ = ["database", "database_url", "postgres"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of this session's own; `postgres.database()` is the URL of a new database."""
    with cluster() as server:
        yield server
