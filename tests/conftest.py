"""Fixtures that every suite may use."""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
import structlog
from hypothesis import HealthCheck, settings
from structlog.stdlib import ProcessorFormatter

from tests.databases import database, database_url
from tests.postgres import Cluster, cluster

if TYPE_CHECKING:
    from xdist.remote import Producer
    from xdist.scheduler import LoadFileScheduling

__all__ = ["database", "database_url", "postgres"]

settings.register_profile("mesh", deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault
settings.load_profile("mesh")


def pytest_configure() -> None:
    """Processes that tests start keep what they compile: half of a mesh's start is compiling, and a session starts hundreds."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling | None:
    """Files are shared out by what they need."""
    if config.getoption("dist") != "loadfile":
        return None
    from tests.scheduling import UnitScheduling  # noqa: PLC0415 - suites of services alone run without xdist

    return UnitScheduling(config, log)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Likewise; one process alone keeps its random order."""
    if hasattr(config, "workerinput"):
        from tests.scheduling import sort  # noqa: PLC0415 - as above

        sort(items)


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
