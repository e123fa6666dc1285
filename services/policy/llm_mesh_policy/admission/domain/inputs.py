"""What can be admitted, by the field of the input in `AdmitRequest`: how it is screened.

A new method is an entry here, with its texts. Its bounds are rules in the contract, which the gateway has checked.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from llm_mesh_policy.admission.domain import method_texts, texts
from llm_mesh_policy.screening.ports import Slot


class InputKind(NamedTuple):
    """How an input is screened, and what its answer may hold."""

    slots: Callable[[Any], Iterator[Slot]]
    """Everything of it that a provider could read."""
    asks_for_output: bool = False
    """It has `max_output_tokens`."""
    answers_text: bool = True
    """Its answer may have text, be it in keys that are not modelled: it is screened where policy obliges to that."""


INPUTS: Mapping[str, InputKind] = {
    "generate": InputKind(texts.of_generate, asks_for_output=True),
    "embed": InputKind(texts.of_embed),
    "rerank": InputKind(method_texts.of_rerank),
    "moderate": InputKind(method_texts.of_moderate),
    "assess": InputKind(method_texts.of_assess),
    "generate_image": InputKind(method_texts.of_generate_image),
    "transcribe": InputKind(method_texts.of_transcribe),
    "speak": InputKind(method_texts.of_speak, answers_text=False),  # what is spoken was screened as the request
}
