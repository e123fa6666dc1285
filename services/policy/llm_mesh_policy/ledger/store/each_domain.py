"""Limits of `domain:*`: one row as the platform wrote it, which counts nothing, and one meter for each domain.

The meters are made when the limit is put and when a domain is created, so that a request finds them by its domain like all others.
"""

from collections.abc import Collection
from dataclasses import astuple, replace

from sqlalchemy import Connection, delete, select

from llm_mesh_policy.ledger.domain.limits import EACH_DOMAIN, DesiredMeter, fresh_meter
from llm_mesh_policy.ledger.domain.meters import Meter
from llm_mesh_policy.ledger.store import meter_rows
from llm_mesh_policy.ledger.store.ledger import lock
from llm_mesh_policy.ledger.store.tables import meters
from llm_mesh_runtime.database import upsert


def put_limit(connection: Connection, desired: DesiredMeter, now: int, all_domains: Collection[str]) -> None:
    """Brings the meters of a limit into being, for every domain where it is one of each domain, and ends those that it has no more."""
    domains = all_domains if desired.subject == EACH_DOMAIN else ()
    _end(connection, desired.name, keeping={_name(desired.name, domain) for domain in domains})
    known = {meter.name: meter for meter in _of_limit(connection, desired.name)}
    for domain in domains:
        own = replace(desired, name=_name(desired.name, domain), domain=desired.name, subject=domain)
        before = known.get(own.name)
        goes_on = before is not None and own.same_counts(before)
        write(connection, replace(before, amount=own.amount) if before is not None and goes_on else fresh_meter(own, now), own.domain)


def delete_limit(connection: Connection, limit: str) -> None:
    """Ends the meters of a limit that is deleted."""
    _end(connection, limit, keeping=())


def add_domain(connection: Connection, domain: str, now: int) -> None:
    """A new domain has a meter of every limit of each domain. Behind the ledger's lock, so that a limit put meanwhile is not missed."""
    lock(connection)
    for meter in _select(connection, meters.c.subject == EACH_DOMAIN):
        own = DesiredMeter(_name(meter.name, domain), meter.name, domain, meter.metric, meter.amount, meter.period)
        write(connection, fresh_meter(own, now), own.domain)


def write(connection: Connection, meter: Meter, owner: str) -> None:
    """Creates or replaces a meter."""
    names = [column.name for column in meter_rows.columns()]
    upsert(connection, meters, dict(zip(names, astuple(meter), strict=True)) | {"domain": owner}, key=["name"])


def _end(connection: Connection, limit: str, keeping: Collection[str]) -> None:
    ended = [meter.name for meter in _of_limit(connection, limit) if meter.name not in keeping]
    for name in ended:
        connection.execute(delete(meters).where(meters.c.name == name))


def _of_limit(connection: Connection, limit: str) -> list[Meter]:
    return _select(connection, meters.c.domain == limit)


def _select(connection: Connection, condition: object) -> list[Meter]:
    rows = connection.execute(select(*meter_rows.columns()).where(condition))  # type: ignore[arg-type]  # a condition of SQLAlchemy
    return [Meter(*row) for row in rows]


def _name(limit: str, domain: str) -> str:
    return f"{limit}/{domain}"
