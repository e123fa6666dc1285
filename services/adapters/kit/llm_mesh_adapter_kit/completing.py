"""What a caller is told besides what the provider said: whole names of tools, what the translation changed, when the answer began."""

from __future__ import annotations

import time

from llm_mesh_adapter_kit.dialect import Call, Events
from llm_mesh_adapter_kit.proof_marks import mark_in_events
from llm_mesh_adapter_kit.tool_names import restore_in_events


def complete_events(events: Events, call: Call, model: str) -> None:
    """Completes the events of one read. `model` is what was called, for providers that do not name it."""
    if call.tool_names:
        restore_in_events(events, call.tool_names)
    if call.proof_mark is not None:
        mark_in_events(events, call.proof_mark)
    if not events or events[0].WhichOneof("kind") != "started":
        return
    started = events[0].started
    if call.translations:
        started.translations.extend(call.translations)
    if not started.model:
        started.model = model
    if not started.created:
        started.created = int(time.time())
