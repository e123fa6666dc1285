"""The stream's protocol: start, pieces without gaps, answers in order, an end."""

import json
from collections.abc import AsyncIterator

import pytest

from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_policy.screening.domain.rules import ScreeningRules
from llm_mesh_policy.screening.domain.streams import BIG, StreamScreening, state_of
from llm_mesh_runtime.errors import MeshError
from llm_mesh_runtime.seals import Seals
from tests.policy.trails import Kept, trail

SEALS = Seals(b"a secret of tests, at least 32 bytes")
RULES = ScreeningRules(["credit_card=mask", "private_key=block"])
CARD = "4111 1111 1111 1111"


def start(*, admission: str = "adm", state: str = "adm") -> policy_pb2.ScreenStreamRequest:
    message = admission_pb2.Admission(id=admission, caller=admission_pb2.Caller(domain="domains/claims"))
    begin = policy_pb2.ScreenStart(
        admission=SEALS.sealed("llm_mesh.policy.v1.Admission", message.SerializeToString(), "policy"),
        screen_state=state_of(state, RULES.of("domains/claims"), SEALS),
    )
    return policy_pb2.ScreenStreamRequest(start=begin)


def piece(text: str, seq: int, *, final: bool = False, channel: str = "text", index: int = 0) -> policy_pb2.ScreenStreamRequest:
    return policy_pb2.ScreenStreamRequest(text=policy_pb2.ScreenText(channel=channel, index=index, seq=seq, text=text, final=final))


async def screen(*requests: policy_pb2.ScreenStreamRequest, kept: Kept | None = None) -> list[policy_pb2.ScreenStreamResponse]:
    async def given() -> AsyncIterator[policy_pb2.ScreenStreamRequest]:
        for request in requests:
            yield request

    written = trail(kept)
    try:
        return [response async for response in StreamScreening(RULES, SEALS, written).screen(given())]
    finally:
        await written.close()


async def refused(*requests: policy_pb2.ScreenStreamRequest) -> MeshError:
    with pytest.raises(MeshError) as refusal:
        await screen(*requests)
    return refusal.value


async def test_pieces_come_back_masked_with_what_is_decided() -> None:
    answers = await screen(start(), piece("card 4111 11", 0), piece("11 1111 1111 ok ", 1), piece("", 2, final=True))
    assert "".join(answer.released_text for answer in answers) == "card [credit_card] ok "
    assert [answer.through_seq for answer in answers] == [-1, 1, 2]
    assert [finding.detector for answer in answers for finding in answer.findings] == ["credit_card"]


async def test_channels_do_not_disturb_each_other_and_may_begin_late() -> None:
    requests = (piece("4111 1111 ", 0), piece("plain", 0, channel="tool_call", final=True), piece("1111 1111", 1, final=True))
    answers = await screen(start(), *requests, piece("later", 0, index=1, final=True))
    text = "".join(answer.released_text for answer in answers if (answer.channel, answer.index) == ("text", 0))
    assert text == "[credit_card]"
    assert answers[-1].released_text == "later"


async def test_a_block_ends_the_stream() -> None:
    answers = await screen(start(), piece("a -----BEGIN PRIVATE KEY----- b", 0), piece("never read", 1, final=True))
    assert [(answer.released_text, answer.blocked) for answer in answers] == [("a ", True)]


async def test_a_gap_is_an_error() -> None:
    assert (await refused(start(), piece("a", 0), piece("c", 2))).field == "text.seq"


async def test_text_after_the_final_piece_is_an_error() -> None:
    assert (await refused(start(), piece("a", 0, final=True), piece("b", 1))).field == "text.final"


async def test_an_end_without_a_final_piece_is_an_error() -> None:
    assert (await refused(start(), piece("a", 0))).field == "text.final"


async def test_text_before_the_start_is_an_error() -> None:
    assert (await refused(piece("a", 0))).field == "start"


async def test_a_state_of_another_admission_is_not_valid() -> None:
    assert (await refused(start(state="other"), piece("a", 0, final=True))).reason_name == "INVALID_SEAL"


async def test_a_state_that_nobody_sealed_is_not_valid() -> None:
    forged = start()
    forged.start.screen_state = b"\x0a\x02{}"
    assert (await refused(forged, piece("a", 0, final=True))).reason_name == "INVALID_SEAL"


async def test_a_large_piece_is_screened_like_a_small_one() -> None:
    answers = await screen(start(), piece("x" * BIG + f" {CARD} ", 0, final=True))
    assert answers[0].released_text.endswith("x [credit_card] ")


async def test_what_was_found_in_an_answer_is_in_the_audit_trail_once() -> None:
    kept = Kept()
    await screen(start(), piece(f"{CARD} and {CARD} ", 0), piece("ok", 1, final=True), kept=kept)
    (entry,) = kept.entries
    assert (entry.action, entry.allowed, entry.domain) == ("answers.screen", True, "domains/claims")
    assert entry.detail == "credit_card masked 2; admission adm"
    assert CARD not in str(entry)


async def test_a_withheld_answer_is_in_the_audit_trail_as_refused() -> None:
    kept = Kept()
    await screen(start(), piece("a -----BEGIN PRIVATE KEY----- b", 0), kept=kept)
    assert [(entry.allowed, entry.detail) for entry in kept.entries] == [(False, "private_key blocked 1; admission adm")]


async def test_an_answer_without_findings_leaves_no_record() -> None:
    kept = Kept()
    await screen(start(), piece("fine", 0, final=True), kept=kept)
    assert not kept.entries


async def test_arguments_of_tools_stay_json() -> None:
    arguments = '{"pan": 4111111111111111, "note": "\\u0034111 1111 1111 1111"}'
    answers = await screen(
        start(),
        *(piece(each, seq, channel="tool_call") for seq, each in enumerate(arguments)),
        piece("", len(arguments), final=True, channel="tool_call"),
    )
    assert json.loads("".join(answer.released_text for answer in answers)) == {"pan": "[credit_card]", "note": "[credit_card]"}


async def test_a_flood_of_invisible_characters_is_not_held_without_bound() -> None:
    error = await refused(start(), *(piece("4" + "\u200b" * 60_000, seq) for seq in range(6)))
    assert error.field == "text.text"
