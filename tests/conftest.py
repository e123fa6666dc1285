"""Fixtures that every service's tests may use."""

from tests.engines import database, database_url, postgres

__all__ = ["database", "database_url", "postgres"]
