"""What is counted of a read's events at once is what would be counted one by one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh_figures.texts import counted

TEXTS = st.text(max_size=5).map(lambda text: generate_pb2.StreamEvent(text=generate_pb2.TextDelta(text=text)))
OTHERS = st.sampled_from([generate_pb2.StreamEvent(), generate_pb2.StreamEvent(usage=generate_pb2.Usage(output_tokens=1))])


@given(st.lists(st.one_of(TEXTS, OTHERS), max_size=8))
def test_at_once_is_one_by_one(events: list[generate_pb2.StreamEvent]) -> None:
    found = counted(events)
    texts = [event for event in events if event.text.text]
    assert (found.texts, found.size) == (len(texts), sum(len(event.text.text.encode()) for event in texts))
    assert found.others == [event for event in events if not event.text.text]
