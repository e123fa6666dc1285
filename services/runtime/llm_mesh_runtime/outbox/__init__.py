"""Administrative changes of a service, recorded in policy's audit trail.

The transaction that makes a change writes what it did into the service's outbox; the outbox delivers it to policy before the caller is
answered, or, where policy does not answer, as soon as it does. Until then no further change is made::

    outbox = Outbox(database, RecordingPeer(links.channel("policy")))

    def work(connection, notes):
        connection.execute(...)
        notes.note(route.name, before, after)

    await outbox.write(work, action="routes.update")
"""

from llm_mesh_runtime.outbox.author import REASON, Author, author
from llm_mesh_runtime.outbox.notes import Notes
from llm_mesh_runtime.outbox.outbox import Outbox
from llm_mesh_runtime.outbox.recording import ChangeRecorder, RecordingPeer
from llm_mesh_runtime.outbox.tables import create_outbox, outbox_table

__all__ = ["REASON", "Author", "ChangeRecorder", "Notes", "Outbox", "RecordingPeer", "author", "create_outbox", "outbox_table"]
