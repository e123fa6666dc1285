"""Tokens under load: one request at the issuer at a time, ahead of the end, and no failure while the former token holds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from llm_mesh_adapter_kit.errors import AdapterError
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_adapter_kit.tokens import IssuedToken, TokenSigner, TokenSource, not_issued

LOAD = 200
REQUEST = HttpRequest("https://provider.example/x", {})


class Clock:
    """Time that stands until it is moved."""

    def __init__(self) -> None:
        self._now = datetime(2026, 11, 30, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def move(self, **by: float) -> None:
        self._now += timedelta(**by)


class Issuer:
    """Counts its requests, answers when it is let, and fails when it is told to."""

    def __init__(self, clock: Clock) -> None:
        self.requests = 0
        self.under_way = 0
        self.most_under_way = 0
        self.fails = False
        self.open = asyncio.Event()
        self.open.set()
        self._clock = clock

    async def token(self) -> IssuedToken:
        self.requests += 1
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            await self.open.wait()
            await asyncio.sleep(0)
        finally:
            self.under_way -= 1
        if self.fails:
            raise not_issued("vertex", "answered 503: unavailable")
        return IssuedToken(f"token-{self.requests}", self._clock.now() + timedelta(hours=1))


@asynccontextmanager
async def signing() -> AsyncIterator[tuple[TokenSigner, Issuer, Clock]]:
    clock = Clock()
    issuer = Issuer(clock)
    signer = TokenSigner("vertex", TokenSource("vertex", issuer.token, clock), {}, Auth())
    try:
        yield signer, issuer, clock
    finally:
        await signer.close()


async def load(signer: TokenSigner) -> set[str]:
    """The headers of many calls at once."""
    signed = await asyncio.gather(*(signer.sign("", REQUEST) for _ in range(LOAD)))
    return {headers["authorization"] for headers in signed}


async def settled(issuer: Issuer) -> None:
    for _ in range(10):
        await asyncio.sleep(0)
    assert issuer.under_way == 0


async def test_the_first_calls_wait_for_one_token() -> None:
    async with signing() as (signer, issuer, _):
        assert await load(signer) == {"Bearer token-1"}
        assert issuer.requests == 1


async def test_a_token_is_renewed_ahead_of_its_end_while_the_former_one_serves() -> None:
    async with signing() as (signer, issuer, clock):
        await load(signer)
        clock.move(minutes=54)
        assert await load(signer) == {"Bearer token-1"}
        assert issuer.requests == 1, "nothing is due yet"
        clock.move(minutes=2)
        issuer.open.clear()
        assert await load(signer) == {"Bearer token-1"}, "nobody waits for a renewal"
        assert await load(signer) == {"Bearer token-1"}
        issuer.open.set()
        await settled(issuer)
        assert await load(signer) == {"Bearer token-2"}
        assert (issuer.requests, issuer.most_under_way) == (2, 1)
        assert signer.secrets == ["token-2", "token-1"], "answers may still say the former one"


async def test_an_issuer_that_fails_costs_no_call_as_long_as_the_token_holds() -> None:
    async with signing() as (signer, issuer, clock):
        await load(signer)
        issuer.fails = True
        clock.move(minutes=56)
        for _ in range(3):
            assert await load(signer) == {"Bearer token-1"}
            await settled(issuer)
        assert issuer.requests == 2, "it is left alone for a moment"
        clock.move(seconds=3)
        assert await load(signer) == {"Bearer token-1"}
        await settled(issuer)
        assert issuer.requests == 3
        issuer.fails = False
        clock.move(seconds=3)
        await load(signer)
        await settled(issuer)
        assert await load(signer) == {"Bearer token-4"}


async def test_without_a_token_all_learn_why_and_the_issuer_is_not_stampeded() -> None:
    async with signing() as (signer, issuer, clock):
        issuer.fails = True
        for _ in range(3):
            said = await asyncio.gather(*(signer.sign("", REQUEST) for _ in range(LOAD)), return_exceptions=True)
            assert {str(each) for each in said if isinstance(each, AdapterError)} == {
                "PROVIDER_UNREACHABLE: endpoint vertex cannot be reached: its issuer of tokens answered 503: unavailable"
            }
            assert len([each for each in said if isinstance(each, AdapterError) and each.metadata["sent"] == "false"]) == LOAD
        assert issuer.requests == 1
        issuer.fails = False
        clock.move(seconds=3)
        assert await load(signer) == {"Bearer token-2"}


async def test_an_expired_token_is_never_sent() -> None:
    async with signing() as (signer, issuer, clock):
        await load(signer)
        clock.move(hours=2)
        assert await load(signer) == {"Bearer token-2"}
        assert issuer.most_under_way == 1


async def test_a_call_that_is_given_up_takes_the_token_from_nobody() -> None:
    async with signing() as (signer, issuer, _):
        issuer.open.clear()
        given_up = asyncio.ensure_future(signer.sign("", REQUEST))
        waiting = asyncio.ensure_future(signer.sign("", REQUEST))
        await asyncio.sleep(0)
        given_up.cancel()
        issuer.open.set()
        assert await waiting == {"authorization": "Bearer token-1"}
        assert issuer.requests == 1


async def test_each_credential_has_tokens_of_its_own() -> None:
    clock = Clock()
    one, other = Issuer(clock), Issuer(clock)
    source = TokenSource("vertex", one.token, clock)
    signer = TokenSigner("vertex", source, {"claims": TokenSource("vertex", other.token, clock)}, Auth())
    await signer.sign("claims", REQUEST)
    assert (one.requests, other.requests) == (0, 1)
    with pytest.raises(AdapterError, match="no credential of that name"):
        signer.fixed("nobody")


def test_a_token_shows_itself_to_nobody() -> None:
    assert "secret" not in repr(IssuedToken("secret", datetime.now(UTC)))
