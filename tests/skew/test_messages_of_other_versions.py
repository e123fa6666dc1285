"""Every message of ours, from and to another version: what both know means the same, what one does not know survives."""

import pytest
from google.protobuf import descriptor_pb2

from tests.skew.contracts import GEN, Contracts, Version, contracts, filled

TODAY = sorted(contracts("today").messages())
RELEASED = sorted(contracts("released").messages())


def test_there_is_something_to_compare() -> None:
    assert len(TODAY) > 150
    assert len(list(contracts("today").rpcs())) > 60
    future = filled(contracts("future").message("llm_mesh.gateway.v1.GenerateRequest"))
    assert future.from_the_future
    assert future.input.from_the_future


@pytest.mark.parametrize("name", TODAY)
def test_what_the_future_adds_survives_us_and_changes_nothing_else(name: str) -> None:
    future, today = contracts("future").message(name), contracts("today").message(name)
    sent = filled(future)
    received = today.FromString(sent.SerializeToString())
    assert future.FromString(received.SerializeToString()) == sent
    received.DiscardUnknownFields()
    assert received == filled(today)


@pytest.mark.parametrize("name", TODAY)
def test_members_and_values_that_we_do_not_know_are_absent_here_and_kept_for_others(name: str) -> None:
    future, today = contracts("future").message(name), contracts("today").message(name)
    sent = filled(future, member="last", value="last")
    received = today.FromString(sent.SerializeToString())
    assert future.FromString(received.SerializeToString()) == sent
    for oneof in today.DESCRIPTOR.oneofs:
        if len(oneof.fields) > 1:
            assert received.WhichOneof(oneof.name) is None


@pytest.mark.parametrize("name", RELEASED)
def test_what_was_released_is_understood_and_answered(name: str) -> None:
    released, today = contracts("released").message(name), contracts("today").message(name)
    sent = filled(released)
    assert released.FromString(today.FromString(sent.SerializeToString()).SerializeToString()) == sent
    answer = released.FromString(filled(today).SerializeToString())
    answer.DiscardUnknownFields()
    assert answer == sent


def renumbered(version: Version = "today") -> Contracts:
    """A contract whose author has broken it: the first field of every request has another number."""
    assert version == "today"
    files = descriptor_pb2.FileDescriptorSet.FromString((GEN / "llm_mesh.binpb").read_bytes())
    for file in files.file:
        for message in file.message_type:
            if message.name.endswith("Request") and message.field:
                message.field[0].number = 500
    return Contracts(files)


def test_a_field_that_changes_its_number_would_be_noticed() -> None:
    name = "llm_mesh.policy.v1.AuthorizeRequest"
    broken, today = renumbered().message(name), contracts("today").message(name)
    received = today.FromString(filled(broken).SerializeToString())
    received.DiscardUnknownFields()
    assert received != filled(today)
