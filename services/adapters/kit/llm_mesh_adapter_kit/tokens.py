"""Credentials that expire: tokens that an issuer hands out, and the signer that sends them.

A token is renewed ahead of its end while the former one serves, by one request at a time however many calls want it. An issuer that fails
is left alone for a moment: as long as the former token holds, no call notices; after that, all of them learn why at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from llm_mesh_adapter_kit.errors import AdapterError, no_credential, unreachable
from llm_mesh_adapter_kit.http import HttpRequest
from llm_mesh_adapter_kit.signing import Auth
from llm_mesh_runtime.clock import Clock
from llm_mesh_runtime.log import get_logger

_LONGEST_MARGIN: Final = timedelta(minutes=5)
_LEAST_LEFT: Final = timedelta(seconds=10)
"""A token that ends so soon may end on its way to the provider: it does not serve."""
_AFTER_FAILURE: Final = timedelta(seconds=2)
_MARGIN: Final = 4
"""Renewal begins when a fourth of the token's time is left, or five minutes."""


class IssuedToken(NamedTuple):
    """What an issuer gave. Nothing shows its text."""

    text: str
    expires: datetime

    def __repr__(self) -> str:
        return f"IssuedToken(***, {self.expires})"


Fetch = Callable[[], Awaitable[IssuedToken]]
"""Asks the issuer. Raises `AdapterError`; it is bounded in time, and cancelled only when the adapter ends."""


class TokenSource:
    """The tokens of one credential."""

    def __init__(self, endpoint: str, fetch: Fetch, clock: Clock) -> None:
        self._endpoint = endpoint
        self._fetch = fetch
        self._clock = clock
        self._token: IssuedToken | None = None
        self._renew_at: datetime | None = None
        self._renewal: asyncio.Task[IssuedToken] | None = None
        self._failure: tuple[datetime, AdapterError] | None = None
        self.sent: tuple[str, ...] = ()
        """The token that is sent, and the one before it."""

    async def token(self) -> str:
        """A token that holds. Raises `AdapterError` where there is none to be had."""
        now = self._clock.now()
        token = self._token
        if token is not None and now + _LEAST_LEFT < token.expires:
            if self._renew_at is not None and now >= self._renew_at and self._failed(now) is None:
                self._renewing()
            return token.text
        failure = self._failed(now)
        if failure is not None and self._renewal is None:
            raise failure.with_traceback(None)
        return (await asyncio.shield(self._renewing())).text

    async def close(self) -> None:
        """Give up a renewal that is under way."""
        if self._renewal is not None:
            self._renewal.cancel()
            await asyncio.gather(self._renewal, return_exceptions=True)

    def _renewing(self) -> asyncio.Task[IssuedToken]:
        """The one renewal that is under way."""
        if self._renewal is None:
            self._renewal = asyncio.get_running_loop().create_task(self._renewed())
            self._renewal.add_done_callback(_looked_at)
        return self._renewal

    async def _renewed(self) -> IssuedToken:
        try:
            token = await self._fetch()
        except AdapterError as error:
            self._failure = self._clock.now() + _AFTER_FAILURE, error
            get_logger().warning("no token was issued", endpoint=self._endpoint, reason=error.reason_name, why=str(error))
            raise
        finally:
            self._renewal = None
        now = self._clock.now()
        self._token, self._failure = token, None
        self._renew_at = token.expires - min(_LONGEST_MARGIN, (token.expires - now) / _MARGIN)
        self.sent = (token.text, *self.sent[:1])
        return token

    def _failed(self, now: datetime) -> AdapterError | None:
        """Why the issuer is not asked again yet; None where it may be."""
        return self._failure[1] if self._failure is not None and now < self._failure[0] else None


class TokenSigner:
    """Implements `Signer`: the tokens of one endpoint, in a header. `sources` are those of its further credentials, by name."""

    def __init__(
        self, endpoint: str, source: TokenSource | None, sources: Mapping[str, TokenSource], auth: Auth, why_none: str = ""
    ) -> None:
        self._endpoint = endpoint
        self._source = source
        self._sources = sources
        self._auth = auth
        self._why_none = why_none or "it has no credential"

    @property
    def usable(self) -> bool:
        """See `Signer`."""
        return self._source is not None or bool(self._sources)

    @property
    def secrets(self) -> Sequence[str]:
        """See `Signer`."""
        every = (*([] if self._source is None else [self._source]), *self._sources.values())
        return [token for source in every for token in source.sent]

    def fixed(self, credential: str) -> None:
        """Tokens change; raises where there is no credential."""
        self._of(credential)

    async def sign(self, credential: str, request: HttpRequest) -> Mapping[str, str]:
        """See `Signer`."""
        del request
        return {self._auth.header: self._auth.scheme + await self._of(credential).token()}

    async def close(self) -> None:
        """Give up renewals that are under way."""
        for source in (*([] if self._source is None else [self._source]), *self._sources.values()):
            await source.close()

    def _of(self, credential: str) -> TokenSource:
        source = self._sources.get(credential) if credential else self._source
        if source is None:
            raise no_credential(self._endpoint, "there is no credential of that name" if credential else self._why_none)
        return source


def not_issued(endpoint: str, why: str) -> AdapterError:
    """The issuer gave no token: nothing was sent to the provider."""
    return unreachable(endpoint, f"its issuer of tokens {why}")


def _looked_at(task: asyncio.Task[IssuedToken]) -> None:
    """A renewal that nobody waits for may fail: the log has it."""
    if not task.cancelled():
        task.exception()
