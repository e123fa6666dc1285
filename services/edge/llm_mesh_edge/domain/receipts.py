"""What the mesh tells about an answer besides the answer: cost, ledger entry, limits, what a translation changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2

Pairs = list[tuple[bytes, bytes]]
_NANO_DIGITS = 9
_MAX_TRANSLATIONS = 2048
_ACTIONS = {
    generate_pb2.TRANSLATION_ACTION_DROPPED: "dropped",
    generate_pb2.TRANSLATION_ACTION_APPROXIMATED: "approximated",
    generate_pb2.TRANSLATION_ACTION_RENAMED: "renamed",
}


def amount(money: resources_pb2.Money) -> str:
    """An exact decimal, such as `0.000001234`."""
    sign, nanos = ("-", -money.nanos) if money.nanos < 0 else ("", money.nanos)
    whole, rest = divmod(nanos, 10**_NANO_DIGITS)
    fraction = f"{rest:0{_NANO_DIGITS}d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def receipt_headers(receipt: gateway_pb2.Receipt) -> Pairs:
    """The headers of an answer that is not streamed."""
    pairs = [("x-llm-mesh-reservation", receipt.reservation), ("x-llm-mesh-model", receipt.model)]
    if receipt.HasField("charged"):
        pairs.append(("x-llm-mesh-cost", amount(receipt.charged)))
        pairs.append(("x-llm-mesh-cost-currency", receipt.charged.currency))
    if receipt.prompt_version:
        pairs.append(("x-llm-mesh-prompt-version", receipt.prompt_version))
    return [*((name.encode(), text.encode()) for name, text in pairs if text), *limit_headers(receipt.limits)]


def receipt_field(receipt: gateway_pb2.Receipt) -> dict[str, Any]:
    """The same for a stream, whose headers have gone before the cost is known: the extension field of its last chunk."""
    field: dict[str, Any] = {"reservation": receipt.reservation, "model": receipt.model}
    if receipt.HasField("charged"):
        field |= {"cost": amount(receipt.charged), "currency": receipt.charged.currency}
    if receipt.prompt_version:
        field["prompt_version"] = receipt.prompt_version
    return field


def limit_headers(limits: Sequence[policy_pb2.LimitStatus]) -> Pairs:
    """`x-ratelimit-*` for requests and tokens: where several limits hold, the one with the least left."""
    pairs: Pairs = []
    for name, metrics in (("requests", ("requests",)), ("tokens", ("tokens", "input_tokens", "output_tokens"))):
        holding = [status for status in limits if status.metric in metrics]
        if not holding:
            continue
        tightest = min(holding, key=lambda status: status.remaining)
        pairs.append((f"x-ratelimit-limit-{name}".encode(), b"%d" % tightest.limit))
        pairs.append((f"x-ratelimit-remaining-{name}".encode(), b"%d" % max(0, tightest.remaining)))
        if tightest.HasField("reset_after"):
            pairs.append((f"x-ratelimit-reset-{name}".encode(), span(tightest.reset_after.ToMilliseconds()).encode()))
    return pairs


def span(milliseconds: int) -> str:
    """A duration as OpenAI writes it: `120ms`, `6s`, `1m30s`."""
    if milliseconds < 1000:  # noqa: PLR2004
        return f"{max(0, milliseconds)}ms"
    seconds = -(-milliseconds // 1000)
    hours, seconds = divmod(seconds, 3600)
    minutes, seconds = divmod(seconds, 60)
    if hours:
        return f"{hours}h{minutes}m{seconds}s"
    return f"{minutes}m{seconds}s" if minutes else f"{seconds}s"


def translations_text(translations: Iterable[generate_pb2.Translation]) -> str:
    """What a translation between dialects changed, such as `sampling.top_k=dropped`; empty where it changed nothing."""
    told: list[str] = []
    for translation in translations:
        field = "".join(character for character in translation.field if character.isascii() and character.isprintable())
        told.append(f"{field}={_ACTIONS.get(translation.action, 'changed')}")
    text = ", ".join(told)
    return text if len(text) <= _MAX_TRANSLATIONS else text[: text.rindex(", ", 0, _MAX_TRANSLATIONS)] + ", more=omitted"


def translation_headers(translations: Iterable[generate_pb2.Translation]) -> Pairs:
    """The same in a header."""
    text = translations_text(translations)
    return [(b"x-llm-mesh-translations", text.encode("ascii"))] if text else []
