"""What policy obliges the gateway to do with an answer, as the chain of response transforms that do it.

The first obligation reads what the provider said, each later one what the one before it released, and the last releases to the caller.
Without obligations there is no chain, and nothing of it is on the way of an answer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import NamedTuple, Protocol

from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import admission_pb2, policy_pb2
from llm_mesh_gateway.domain.errors import obligation_not_supported
from llm_mesh_gateway.domain.findings import Findings
from llm_mesh_gateway.domain.operation import Operation
from llm_mesh_gateway.domain.ports import Piece, Release

Translations = Sequence[generate_pb2.Translation]
_NO_RECORDING = "no_recording"


class AnswerContext(NamedTuple):
    """What a transform may know of the request, and where it tells what it found."""

    admission: resources_pb2.Sealed
    findings: Findings


class ResponseTransform(Protocol):
    """Carries out obligations of one kind, on streamed and on whole answers. `AnswerTexts` has what transforms of text need."""

    def narrow(self, operation: Operation) -> Translations:
        """Before anything is asked: ask for nothing that the transform cannot vouch for. The caller is told what is left out."""

    def begin(self, obligation: admission_pb2.Obligation, context: AnswerContext, release: Release) -> AbstractAsyncContextManager[Release]:
        """Takes one answer. The piece with the report comes last, and is to be released last."""


Transforms = Mapping[str, ResponseTransform]
"""By the name of the obligation's field in `Obligation.kind`."""


class ResponseChain:
    """The obligations of one answer."""

    __slots__ = ("_steps", "records")

    def __init__(self, steps: Sequence[tuple[ResponseTransform, admission_pb2.Obligation]] = (), *, records: bool = True) -> None:
        self._steps = steps
        self.records = records
        """Whether the answer may be recorded."""

    def __bool__(self) -> bool:
        return bool(self._steps)

    def narrow(self, operation: Operation) -> Translations:
        """What each transform leaves out of what is asked."""
        return [translation for transform, _ in self._steps for translation in transform.narrow(operation)]

    @asynccontextmanager
    async def begin(self, context: AnswerContext, release: Release, translations: Translations = ()) -> AsyncIterator[Release]:
        """Where an answer goes on its way to `release`."""
        async with AsyncExitStack() as begun:
            for transform, obligation in reversed(self._steps):
                release = await begun.enter_async_context(transform.begin(obligation, context, release))
            yield _telling(translations, release) if translations else release


UNCHANGED = ResponseChain()


def chain_of(admitted: policy_pb2.AdmitResponse, transforms: Transforms) -> ResponseChain:
    """How the answer of an admitted request is to be changed. Raises OBLIGATION_NOT_SUPPORTED where this gateway cannot."""
    if not admitted.HasField("obligations"):
        return UNCHANGED
    steps: list[tuple[ResponseTransform, admission_pb2.Obligation]] = []
    records = True
    for obligation in _items(admitted.obligations):
        kind = obligation.WhichOneof("kind")
        if kind == _NO_RECORDING:
            records = False
        elif kind is None or kind not in transforms:
            raise obligation_not_supported(kind or "unknown")
        else:
            steps.append((transforms[kind], obligation))
    return ResponseChain(steps, records=records)


def _items(obligations: admission_pb2.Obligations) -> Sequence[admission_pb2.Obligation]:
    """The list; of a policy of the version before, what its flags say."""
    if obligations.items:
        return obligations.items[:]
    items = []
    if obligations.screen_output:
        screen = admission_pb2.ScreenOutput(state=obligations.screen_state)
        items.append(admission_pb2.Obligation(screen_output=screen))
    if obligations.no_recording:
        items.append(admission_pb2.Obligation(no_recording=admission_pb2.NoRecording()))
    return items


def _telling(translations: Translations, release: Release) -> Release:
    """Adds to the answer what was left out of what was asked."""

    async def accept(piece: Piece) -> None:
        if isinstance(piece.answer, generate_pb2.GenerateOutput):
            piece.answer.translations.extend(translations)
        for event in piece.events:
            if event.WhichOneof("kind") == "started":
                event.started.translations.extend(translations)
        await release(piece)

    return accept
