"""The store of a service: SQLite or PostgreSQL behind one `Database`, with group commit and honest failures.

Works are plain functions of a SQLAlchemy Core connection; `Database.write` runs them in a thread and answers after the
durable commit::

    database = Database("sqlite:////var/lib/llm-mesh/policy.db", name="policy")
    await database.write(lambda connection: connection.execute(keys.insert(), {...}).rowcount)
"""

from llm_mesh_runtime.database.columns import Counter, Instant, Nanos, for_update, from_micros, micros, upsert
from llm_mesh_runtime.database.database import Database, open_database
from llm_mesh_runtime.database.migrations import check, current, drift, migrate
from llm_mesh_runtime.database.prepared import Prepared

__all__ = [
    "Counter",
    "Database",
    "Instant",
    "Nanos",
    "Prepared",
    "check",
    "current",
    "drift",
    "for_update",
    "from_micros",
    "micros",
    "migrate",
    "open_database",
    "upsert",
]
