"""The service, put together."""

from __future__ import annotations

from llm_mesh.conversations.v1 import conversations_pb2_grpc, responses_pb2_grpc, retention_pb2_grpc
from llm_mesh_conversations.domain.conversations import StoredConversations
from llm_mesh_conversations.domain.history import MOST_MESSAGES, History
from llm_mesh_conversations.domain.ids import StoredIds
from llm_mesh_conversations.domain.responses import ResponseMaking, Responses
from llm_mesh_conversations.domain.retention import Purge, RetentionRules
from llm_mesh_conversations.domain.runs import BackgroundRuns
from llm_mesh_conversations.domain.storing import StoringRules
from llm_mesh_conversations.domain.values import ResponseBounds
from llm_mesh_conversations.peers import AnsweringGatewayPeer, ZeroRetentionPeer
from llm_mesh_conversations.servicer import ConversationServicer, ResponseServicer, RetentionServicer
from llm_mesh_conversations.settings import Settings
from llm_mesh_conversations.store.conversation_rows import ConversationRows
from llm_mesh_conversations.store.conversations import SqlConversations
from llm_mesh_conversations.store.expiry import ContentExpiry
from llm_mesh_conversations.store.keys import SqlContentKeys
from llm_mesh_conversations.store.response_rows import ResponseRows
from llm_mesh_conversations.store.responses import SqlResponses
from llm_mesh_conversations.store.retention import SqlRetention
from llm_mesh_conversations.store.room import ContentRoom
from llm_mesh_runtime.clock import SystemClock
from llm_mesh_runtime.database import Database, check, migrate
from llm_mesh_runtime.links import Links
from llm_mesh_runtime.outbox import Outbox, RecordingPeer
from llm_mesh_runtime.service import Service, Servicers
from llm_mesh_runtime.service_secret import service_secret
from llm_mesh_runtime.tasks import TaskSet

_MIGRATIONS = "llm_mesh_conversations.store.migrations"
_VARIABLE, _FILE = "LLM_MESH_CONVERSATIONS_CONTENT_SECRET", "conversations.key"


class ContentStores:
    """The stores of one database."""

    def __init__(self, settings: Settings, database: Database, outbox: Outbox, secret: bytes) -> None:
        expiry, room = ContentExpiry(settings.retention_days), ContentRoom(settings.quotas)
        self.keys = SqlContentKeys(database, secret)
        response_rows = ResponseRows(database, self.keys, expiry, room)
        conversation_rows = ConversationRows(database, self.keys, expiry, room)
        self.responses = SqlResponses(database, response_rows, conversation_rows)
        self.conversations = SqlConversations(database, conversation_rows)
        self.retention = SqlRetention(database, outbox, expiry, response_rows, conversation_rows)


def build(settings: Settings, links: Links) -> Servicers:
    """Puts the service together."""
    database, clock = links.database("conversations"), SystemClock()
    secret = service_secret(settings.content_secret, links, variable=_VARIABLE, file=_FILE, loss="without it no stored content can be read")
    outbox = Outbox(database, RecordingPeer(links.channel("policy")))
    stores, ids = ContentStores(settings, database, outbox, secret), StoredIds(secret)
    gateway = AnsweringGatewayPeer(links.channel("gateway"))
    storing = StoringRules(stores.retention, ZeroRetentionPeer(links.channel("policy")), stores.keys, ids)
    bounds = ResponseBounds(settings.most_chained_responses, MOST_MESSAGES, settings.most_history_bytes, settings.most_response_bytes)
    history = History(stores.responses, stores.conversations, ids, bounds)
    runs = BackgroundRuns(
        stores.responses,
        gateway,
        most=settings.most_background_runs,
        most_seconds=settings.background_limit.total_seconds(),
        most_bytes=settings.most_response_bytes,
        alone=links.embedded,
    )
    responses = Responses(stores.responses, runs, ResponseMaking(storing, history, gateway, ids, clock), bounds)
    tasks = TaskSet()

    async def start() -> None:
        await (migrate if links.mesh.embedded else check)(database, _MIGRATIONS)
        outbox.start()
        await runs.start()
        tasks.spawn(Purge(stores.retention).run(), name="conversations.purge")

    async def close() -> None:
        await runs.close()
        await tasks.close()
        await outbox.close()
        await database.close()

    return Servicers(
        (responses_pb2_grpc.add_ResponseServiceServicer_to_server, ResponseServicer(responses)),
        (
            conversations_pb2_grpc.add_ConversationServiceServicer_to_server,
            ConversationServicer(StoredConversations(stores.conversations, storing, ids, clock)),
        ),
        (retention_pb2_grpc.add_RetentionServiceServicer_to_server, RetentionServicer(RetentionRules(stores.retention, ids))),
        ready=database.ready,
        start=start,
        close=close,
    )


service = Service.declared("conversations", settings=Settings, build=build)
