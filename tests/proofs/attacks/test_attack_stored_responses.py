"""What a project stores is nobody else's: not by its id, not by one like it, not by another kind of route; and it survives a kill."""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import grpc
import pytest

from llm_mesh.conversations.v1 import (
    conversations_pb2,
    conversations_pb2_grpc,
    items_pb2,
    responses_pb2,
    responses_pb2_grpc,
    retention_pb2,
    retention_pb2_grpc,
)
from llm_mesh.inference.v1 import content_pb2
from llm_mesh.policy.v1 import identity_pb2, rules_pb2
from tests.proofs.proof import FIXED_SEED, count, rng_of
from tests.proofs.stand import PROJECT, Provider, Stand, bearer, model, provider, stand, until
from tests.proofs.topology import topology

NEIGHBOUR = "domains/default/projects/neighbour"
TENANT = "domains/tenant"
FOREIGN = f"{TENANT}/projects/foreign"
PRINCIPAL = "domains/default/principals/application"
WORDS = "the-marked-words-of-a-caller"


class StoredThings(NamedTuple):
    """What the attacked project has stored, by ids."""

    responses: list[str]
    conversation: str
    item: str


@pytest.fixture(scope="module")
def mesh(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stand]:
    """A project that stores, its neighbour, and another tenant's."""
    folder: Path = tmp_path_factory.mktemp("stored")
    with provider(folder) as simulator, stand(folder, simulator) as made:
        made.put_models([model("echo", "sim-echo")])
        app = f"{TENANT}/principals/app"
        made.apply_policy(
            domains=[identity_pb2.Domain(name=TENANT)],
            projects=[identity_pb2.Project(name=NEIGHBOUR), identity_pb2.Project(name=FOREIGN)],
            principals=[identity_pb2.Principal(name=app)],
            bindings=[
                rules_pb2.Binding(name=f"{TENANT}/bindings/app", principal=app, role="roles/application"),
                rules_pb2.Binding(name="domains/default/bindings/neighbour", principal=PRINCIPAL, role="roles/application"),
            ],
        )
        yield made


@pytest.fixture(scope="module")
def stored(mesh: Stand) -> StoredThings:
    """Responses, and a conversation with an item."""
    ids = [create(mesh, mesh.mesh.project_key)[-1].response.id for _ in range(count(3, 1_000))]
    conversations: Any = conversations_pb2_grpc.ConversationServiceStub(mesh.channel)
    made = conversations.CreateConversation(conversations_pb2.CreateConversationRequest(items=[said(WORDS)]), metadata=mesh.user)
    listed = conversations.ListItems(conversations_pb2.ListItemsRequest(conversation=made.conversation.id), metadata=mesh.user)
    return StoredThings(ids, made.conversation.id, listed.items[0].id)


@pytest.fixture(scope="module")
def strangers(mesh: Stand) -> Mapping[str, str]:
    """Keys of other projects."""
    return {"neighbour": mesh.new_key(NEIGHBOUR).secret, "tenant": mesh.new_key(FOREIGN, f"{TENANT}/principals/app").secret}


def said(text: str) -> content_pb2.Message:
    return content_pb2.Message(role=content_pb2.ROLE_USER, parts=[content_pb2.Part(text=content_pb2.Text(text=text))])


def create(mesh: Stand, key: str, text: str = WORDS, alias: str = "echo", **fields: Any) -> list[responses_pb2.CreateResponseResponse]:
    """All messages of a new response."""
    request = responses_pb2.CreateResponseRequest(**fields)
    request.input.model = alias
    request.input.messages.append(said(text))
    stub: Any = responses_pb2_grpc.ResponseServiceStub(mesh.channel)
    return list(stub.CreateResponse(request, metadata=bearer(key), timeout=60))


def attempts(mesh: Stand, key: str, response: str, conversation: str, item: str) -> dict[str, Callable[[], Any]]:
    """Every way to ask for a stored thing by its id."""
    responses: Any = responses_pb2_grpc.ResponseServiceStub(mesh.channel)
    conversations: Any = conversations_pb2_grpc.ConversationServiceStub(mesh.channel)
    metadata, pb, cv = bearer(key), responses_pb2, conversations_pb2
    return {
        "get": lambda: responses.GetResponse(pb.GetResponseRequest(id=response), metadata=metadata),
        "resume": lambda: list(responses.ResumeResponse(pb.ResumeResponseRequest(id=response), metadata=metadata)),
        "cancel": lambda: responses.CancelResponse(pb.CancelResponseRequest(id=response), metadata=metadata),
        "delete": lambda: responses.DeleteResponse(pb.DeleteResponseRequest(id=response), metadata=metadata),
        "input": lambda: responses.ListInputItems(pb.ListInputItemsRequest(response=response), metadata=metadata),
        "continue": lambda: create(mesh, key, previous_response=response),
        "join": lambda: create(mesh, key, conversation=conversation),
        "conversation": lambda: conversations.GetConversation(cv.GetConversationRequest(id=conversation), metadata=metadata),
        "update": lambda: conversations.UpdateConversation(cv.UpdateConversationRequest(id=conversation), metadata=metadata),
        "remove": lambda: conversations.DeleteConversation(cv.DeleteConversationRequest(id=conversation), metadata=metadata),
        "add": lambda: conversations.CreateItems(cv.CreateItemsRequest(conversation=conversation, items=[said("x")]), metadata=metadata),
        "list": lambda: conversations.ListItems(cv.ListItemsRequest(conversation=conversation), metadata=metadata),
        "item": lambda: conversations.GetItem(cv.GetItemRequest(conversation=conversation, id=item), metadata=metadata),
        "drop": lambda: conversations.DeleteItem(cv.DeleteItemRequest(conversation=conversation, id=item), metadata=metadata),
    }


def answer_of(attempt: Callable[[], Any]) -> tuple[grpc.StatusCode, str]:
    """The refusal, whole."""
    with pytest.raises(grpc.RpcError) as failure:
        attempt()
    refusal: Any = failure.value
    return refusal.code(), refusal.details()


def tampered(value: str, rng: random.Random) -> str:
    """An id with one other digit."""
    place = rng.randrange(value.index("_") + 1, len(value))
    other = rng.choice([each for each in string.ascii_lowercase + "234567" if each != value[place]])
    return value[:place] + other + value[place + 1 :]


def guessed(prefix: str, rng: random.Random) -> str:
    """An id of the right form."""
    return prefix + "".join(rng.choices(string.ascii_lowercase + "234567", k=42))


def test_foreign_guessed_and_tampered_ids_are_all_absent_alike(mesh: Stand, stored: StoredThings, strangers: Mapping[str, str]) -> None:
    rng = rng_of(FIXED_SEED, "stored responses")
    for response in stored.responses:
        key = rng.choice(list(strangers.values()))
        ways = attempts(mesh, key, response, stored.conversation, stored.item)
        never = attempts(mesh, key, guessed("resp_", rng), guessed("conv_", rng), guessed("item_", rng))
        own = attempts(mesh, mesh.mesh.project_key, tampered(response, rng), tampered(stored.conversation, rng), tampered(stored.item, rng))
        for way in ways if response == stored.responses[0] else rng.sample(sorted(ways), 2):
            refusals = {answer_of(asked[way]) for asked in (ways, never, own)}
            assert len(refusals) == 1, (way, refusals)
            assert refusals.pop()[0] is grpc.StatusCode.NOT_FOUND
    assert WORDS in str(attempts(mesh, mesh.mesh.project_key, stored.responses[0], "", "")["get"]())


def test_an_id_of_another_kind_is_absent_too(mesh: Stand, stored: StoredThings) -> None:
    own = mesh.mesh.project_key
    swapped = attempts(mesh, own, stored.conversation, stored.responses[0], stored.responses[0])
    renamed = attempts(mesh, own, "resp_" + stored.conversation[5:], "conv_" + stored.responses[0][5:], "item_" + stored.responses[0][5:])
    for way in swapped:
        assert answer_of(swapped[way])[0] is answer_of(renamed[way])[0] is grpc.StatusCode.NOT_FOUND


def test_an_item_of_one_conversation_is_not_in_another(mesh: Stand, stored: StoredThings) -> None:
    conversations: Any = conversations_pb2_grpc.ConversationServiceStub(mesh.channel)
    other = conversations.CreateConversation(conversations_pb2.CreateConversationRequest(), metadata=mesh.user).conversation.id
    ways = attempts(mesh, mesh.mesh.project_key, stored.responses[0], other, stored.item)
    for way in ("item", "drop"):
        assert answer_of(ways[way])[0] is grpc.StatusCode.NOT_FOUND
    page = items_pb2.ItemPage(page_token=stored.item)
    request = conversations_pb2.ListItemsRequest(conversation=other, page=page)
    assert answer_of(lambda: conversations.ListItems(request, metadata=mesh.user))[0] is grpc.StatusCode.INVALID_ARGUMENT


def test_applications_neither_set_retention_nor_erase(mesh: Stand, strangers: Mapping[str, str]) -> None:
    stub: Any = retention_pb2_grpc.RetentionServiceStub(mesh.channel)
    for key in (mesh.mesh.project_key, *strangers.values()):
        for attempt in (
            lambda key=key: stub.UpdateRetention(retention_pb2.UpdateRetentionRequest(project=PROJECT, days=1), metadata=bearer(key)),
            lambda key=key: stub.EraseContent(retention_pb2.EraseContentRequest(project=PROJECT, everything=True), metadata=bearer(key)),
        ):
            assert answer_of(attempt)[0] is grpc.StatusCode.PERMISSION_DENIED


def begun(mesh: Stand) -> str:
    """The id of a response that runs in the background, with an event that a reader has seen."""
    request = responses_pb2.CreateResponseRequest(background=True)
    request.input.model = "paced"
    request.input.messages.append(said(WORDS))
    stub: Any = responses_pb2_grpc.ResponseServiceStub(mesh.channel)
    call = stub.CreateResponse(request, metadata=mesh.user, timeout=60)
    response: str = next(call).response.id
    next(each for each in call if each.events)
    call.cancel()
    return response


def killed_and_read(folder: Path, simulator: Provider, runs: int) -> None:
    """Kills a mesh under its runs, and reads after the next start what became of them."""
    with stand(folder, simulator) as made:
        made.put_models([model("paced", "sim-words/tokens:400/rate:100")])
        ids = [begun(made) for _ in range(runs)]
        stub: Any = responses_pb2_grpc.ResponseServiceStub(made.channel)
        seen = [stub.GetResponse(responses_pb2.GetResponseRequest(id=each), metadata=made.user).events for each in ids]
        made.mesh.kill()
    (folder / "ready").unlink()
    with stand(folder, simulator) as made:
        stub = responses_pb2_grpc.ResponseServiceStub(made.channel)
        for response, before in zip(ids, seen, strict=True):
            messages = list(stub.ResumeResponse(responses_pb2.ResumeResponseRequest(id=response), metadata=made.user, timeout=60))
            ended = messages[-1].response
            assert (ended.status, ended.failure.reason) == (responses_pb2.RESPONSE_STATUS_FAILED, "RUN_LOST")
            numbers = [message.first_event + place for message in messages for place in range(len(message.events))]
            assert numbers == list(range(len(numbers))), "no event is lost or repeated"
            read = [event for message in messages for event in message.events]
            assert read[: len(before)] == list(before), "what a reader saw is still there"
        until(lambda: not any(entry.state == 1 for entry in made.entries()), "the charges of the killed runs are settled", pause=0.2)


@pytest.mark.skipif(topology() != "embedded", reason="kills the one process of a mesh")
def test_a_run_that_was_killed_has_failed_and_its_reader_loses_and_repeats_nothing(tmp_path: Path) -> None:
    with provider(tmp_path) as simulator:
        killed_and_read(tmp_path, simulator, count(2, 50))
