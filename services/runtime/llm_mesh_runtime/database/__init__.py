"""The store of a service: SQLite or PostgreSQL behind one `Database`, with group commit and honest failures.

Works are plain functions of a SQLAlchemy Core connection; `Database.write` runs them in a thread and answers after the
durable commit::

    database = Database("sqlite:////var/lib/llm-mesh/policy.db", name="policy")
    await database.write(lambda connection: connection.execute(keys.insert(), {...}).rowcount)

What many requests do at the same time is written once for all of them, by a function of a connection and their items::

    await database.write_together(reserve_all, draft)
"""

from llm_mesh_runtime.database.columns import Counter, Instant, Nanos, for_update, from_micros, micros, upsert
from llm_mesh_runtime.database.database import Database, open_database
from llm_mesh_runtime.database.listed import Listed, as_list
from llm_mesh_runtime.database.migrations import check, current, drift, migrate
from llm_mesh_runtime.database.prepared import PreparedStatement
from llm_mesh_runtime.database.rows import Rows
from llm_mesh_runtime.database.transaction import standing

__all__ = [
    "Counter",
    "Database",
    "Instant",
    "Listed",
    "Nanos",
    "PreparedStatement",
    "Rows",
    "as_list",
    "check",
    "current",
    "drift",
    "for_update",
    "from_micros",
    "micros",
    "migrate",
    "open_database",
    "standing",
    "upsert",
]
