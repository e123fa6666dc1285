"""Fixtures that every suite may use."""

import gc
import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.stdlib import ProcessorFormatter

from tests.databases import database, database_url
from tests.postgres import Cluster, cluster

__all__ = ["database", "database_url", "postgres"]

settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
settings.load_profile("mesh")


def pytest_configure() -> None:
    """Processes that tests start keep what they compile: half of a mesh's start is compiling, and a session starts hundreds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_finish() -> None:
    """What is imported by now stays: a collection of garbage looks at what a test has made, and not at millions of objects of modules."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL server of this session's own; `postgres.database()` is the URL of a new database."""
    with cluster() as server:
        yield server


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """What a test configures of the logs ends with it: another test may look at them."""
    before, root = structlog.get_config(), logging.getLogger()
    level, handlers = root.level, list(root.handlers)
    yield
    structlog.configure(**before)
    root.setLevel(level)
    for handler in [each for each in root.handlers if each not in handlers and isinstance(each.formatter, ProcessorFormatter)]:
        root.removeHandler(handler)
