"""Shares from before consent are offers after the upgrade: they serve nobody, and operators are told once."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic.migration import MigrationContext
from alembic.operations import Operations
from structlog.testing import capture_logs

from llm_mesh.registry.v1 import registry_pb2, registry_pb2_grpc
from llm_mesh_registry.settings import Settings
from llm_mesh_registry.store.migrations import v0001_products, v0002_subscriptions
from llm_mesh_registry.store.products import SqlProducts
from llm_mesh_registry.wiring import service
from llm_mesh_runtime.database import Database, migrate
from llm_mesh_runtime.secret import Secret
from llm_mesh_runtime.testing import host
from tests.recorded import outbox_of

SHARED = registry_pb2.Model(
    name="domains/a/models/m", alias="m", adapter="openai", endpoint="openai", upstream_model="up", shared_with=["*", "domains/b"]
)


def test_what_was_shared_is_offered_after_the_migration() -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.NullPool)
    with engine.begin() as connection:
        operations = Operations(MigrationContext.configure(connection))
        v0001_products.upgrade(operations)
        models = sa.table("models", *(sa.column(name) for name in ("name", "domain", "alias", "etag", "body", "updated")))
        for domain, shared_with in (("a", ["*", "domains/b"]), ("c", []), ("shared", ["*"])):
            body = registry_pb2.Model(shared_with=shared_with).SerializeToString()
            row = {"domain": f"domains/{domain}", "alias": "m", "etag": "e", "body": body, "updated": 1}
            connection.execute(sa.insert(models).values(name=f"domains/{domain}/models/m", **row))
        v0002_subscriptions.upgrade(operations)
        offers = connection.execute(sa.text("SELECT product, receiver, publisher FROM offers ORDER BY receiver")).all()
        accepted = connection.execute(sa.text("SELECT count(*) FROM accepted_products")).scalar_one()
    assert [tuple(offer) for offer in offers] == [(SHARED.name, "*", "domains/a"), (SHARED.name, "domains/b", "domains/a")]
    assert accepted == 0


async def test_the_first_start_tells_what_is_offered_and_not_accepted(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/registry.db"
    database = Database(url, name="registry")
    await migrate(database, "llm_mesh_registry.store.migrations")
    await SqlProducts(database, outbox_of(database), Settings().quotas).create_model(SHARED)
    await database.close()
    told = []
    for _ in range(2):
        with capture_logs() as logs:
            async with host(service, settings={"registry": Settings(database_url=Secret(url))}, data_dir=tmp_path) as hosted:
                stub = registry_pb2_grpc.RegistryServiceStub(hosted.application("registry", key="mk_ana"))
                answer = await stub.ListOffers(registry_pb2.ListOffersRequest(parent="domains/b"))
        told.append([log["products"] for log in logs if "offers of domains" in log["event"]])
        assert [offer.product for offer in answer.offers] == [SHARED.name]
    assert told == [[[SHARED.name]], []]
