"""The share of `PolicyService` that says who calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import TYPE_CHECKING

from llm_mesh.policy.v1 import policy_pb2
from llm_mesh_runtime.context import caller, request_id

if TYPE_CHECKING:
    from llm_mesh_policy.identity.domain.authorizer import Authorizer
    from llm_mesh_policy.identity.domain.delegations import Delegations
    from llm_mesh_policy.rules.ports import Live
    from llm_mesh_policy.servicer.answers import Answer, Context

_LONGEST_WATCH = 600.0


class AuthorizeServicer:
    """`Authorize`, delegations, `WatchRevision` and `CheckReadiness`."""

    def __init__(self, authorizer: Authorizer, delegations: Delegations, live: Live, *, longest_watch: float = _LONGEST_WATCH) -> None:
        self._authorizer = authorizer
        self._delegations = delegations
        self._live = live
        self._longest_watch = longest_watch

    def Authorize(self, request: policy_pb2.AuthorizeRequest, context: Context) -> Answer[policy_pb2.AuthorizeResponse]:
        return self._authorizer.authorize(request)

    async def CreateDelegation(self, request: policy_pb2.CreateDelegationRequest, context: Context) -> policy_pb2.CreateDelegationResponse:
        delegation = await self._delegations.create(caller().service, request, request_id())
        return policy_pb2.CreateDelegationResponse(delegation=delegation)

    def RedeemDelegation(
        self, request: policy_pb2.RedeemDelegationRequest, context: Context
    ) -> Answer[policy_pb2.RedeemDelegationResponse]:
        return self._delegations.redeem(caller().service, request.delegation)

    async def CheckReadiness(self, request: policy_pb2.CheckReadinessRequest, context: Context) -> policy_pb2.CheckReadinessResponse:
        return policy_pb2.CheckReadinessResponse(has_keys=self._live.snapshot().has_keys(self._live.now()))

    async def WatchRevision(
        self, request: policy_pb2.WatchRevisionRequest, context: Context
    ) -> AsyncIterator[policy_pb2.WatchRevisionResponse]:
        until = asyncio.get_running_loop().time() + self._longest_watch
        async with aclosing(self._live.revisions(until)) as revisions:
            async for revision in revisions:
                yield policy_pb2.WatchRevisionResponse(revision=revision)
