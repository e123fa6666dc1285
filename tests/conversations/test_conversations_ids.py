"""Ids are valid for one kind of thing of one project, and nobody makes one up."""

from __future__ import annotations

import pytest

from llm_mesh_conversations.domain.ids import IdKind, StoredIds
from llm_mesh_conversations.domain.values import ContentPlace
from llm_mesh_runtime.errors import MeshError
from tests.conversations.stored_content import FOREIGN, SECRET, TRIAGE

IDS = StoredIds(SECRET)


def test_only_ids_of_that_kind_and_project_are_valid() -> None:
    own = IDS.new(IdKind.RESPONSE, TRIAGE)
    assert IDS.checked(IdKind.RESPONSE, TRIAGE, own, "id") == own
    refused = [
        (IdKind.RESPONSE, TRIAGE, own[:-1] + ("a" if own[-1] != "a" else "b")),
        (IdKind.RESPONSE, TRIAGE, own.upper()),
        (IdKind.RESPONSE, TRIAGE, ""),
        (IdKind.CONVERSATION, TRIAGE, own),
        (IdKind.CONVERSATION, TRIAGE, "conv_" + own[5:]),
        (IdKind.RESPONSE, FOREIGN, own),
        (IdKind.RESPONSE, ContentPlace(TRIAGE.domain, FOREIGN.project), own),
        (IdKind.RESPONSE, TRIAGE, StoredIds(b"another secret").new(IdKind.RESPONSE, TRIAGE)),
    ]
    for kind, place, value in refused:
        with pytest.raises(MeshError, match="STORED_CONTENT_NOT_FOUND") as failure:
            IDS.checked(kind, place, value, "id")
        assert str(failure.value) == "STORED_CONTENT_NOT_FOUND: id: there is no such response, conversation or item in this project"


def test_an_end_user_is_another_digest_in_every_project_and_none_is_none() -> None:
    assert IDS.end_user(TRIAGE, "eve@example.org") != IDS.end_user(FOREIGN, "eve@example.org")
    assert IDS.end_user(TRIAGE, "eve@example.org") == StoredIds(SECRET).end_user(TRIAGE, "eve@example.org")
    assert not IDS.end_user(TRIAGE, "")
