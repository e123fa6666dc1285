"""What the mesh tells about an answer besides the answer: cost, ledger entry, limits, what a translation changed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from llm_mesh.gateway.v1 import gateway_pb2
from llm_mesh.inference.v1 import generate_pb2
from llm_mesh.mesh.v1 import resources_pb2
from llm_mesh.policy.v1 import policy_pb2, usage_pb2
from llm_mesh_figures.screened import screened_text

Pairs = list[tuple[bytes, bytes]]
_NANOS = 10**9
_MAX_TRANSLATIONS = 2048
_RATES = {"requests": "requests", "tokens": "tokens", "input_tokens": "tokens", "output_tokens": "tokens"}
_RATE_HEADERS = {
    "requests": (b"x-ratelimit-limit-requests", b"x-ratelimit-remaining-requests", b"x-ratelimit-reset-requests"),
    "tokens": (b"x-ratelimit-limit-tokens", b"x-ratelimit-remaining-tokens", b"x-ratelimit-reset-tokens"),
}
_ACTIONS = {
    generate_pb2.TRANSLATION_ACTION_DROPPED: "dropped",
    generate_pb2.TRANSLATION_ACTION_APPROXIMATED: "approximated",
    generate_pb2.TRANSLATION_ACTION_RENAMED: "renamed",
}


def amount(money: resources_pb2.Money) -> str:
    """An exact decimal, such as `0.000001234`."""
    return decimal(money.nanos)


def decimal(nanos: int) -> str:
    """Nano-units as whole ones."""
    sign, nanos = ("-", -nanos) if nanos < 0 else ("", nanos)
    whole, rest = divmod(nanos, _NANOS)
    fraction = f"{rest:09d}".rstrip("0")
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def receipt_headers(receipt: gateway_pb2.Receipt) -> Pairs:
    """The headers of an answer that is not streamed."""
    pairs: Pairs = []
    if reservation := receipt.reservation:
        pairs.append((b"x-llm-mesh-reservation", reservation.encode()))
    if model := receipt.model:
        pairs.append((b"x-llm-mesh-model", model.encode()))
    pairs += decision_header(receipt.decision_id)
    if receipt.replayed:
        pairs += replayed_headers(receipt.first.request_id)
    if receipt.HasField("charged"):
        charged = receipt.charged
        pairs.append((b"x-llm-mesh-cost", amount(charged).encode()))
        if currency := charged.currency:
            pairs.append((b"x-llm-mesh-cost-currency", currency.encode()))
    if version := receipt.prompt_version:
        pairs.append((b"x-llm-mesh-prompt-version", version.encode()))
    pairs += screened_headers(receipt.screened)
    if limits := receipt.limits:
        pairs += limit_headers(limits)
    return pairs


def receipt_field(receipt: gateway_pb2.Receipt) -> dict[str, Any]:
    """The same for a stream, whose headers have gone before the cost is known: the extension field of its last chunk."""
    field: dict[str, Any] = {"reservation": receipt.reservation, "model": receipt.model}
    if receipt.HasField("charged"):
        field |= {"cost": amount(receipt.charged), "currency": receipt.charged.currency}
    if receipt.decision_id:
        field["decision"] = receipt.decision_id
    if receipt.prompt_version:
        field["prompt_version"] = receipt.prompt_version
    if receipt.screened:
        field["screened"] = screened_text(receipt.screened)
    if receipt.replayed:
        first = receipt.first
        members = {"request": first.request_id, "cost": amount(first.charged), "currency": first.charged.currency}
        field |= {"replayed": True, "first": {name: value for name, value in members.items() if value}}
    return field


def replayed_headers(first_request: str = "") -> Pairs:
    """The answer is the kept one of an earlier request, which is named where it is known yet. This one is charged nothing."""
    pairs = [(b"x-llm-mesh-replayed", b"true")]
    return [*pairs, *first_request_header(first_request)]


def first_request_header(request_id: str) -> Pairs:
    """The request that this one repeats."""
    return [(b"x-llm-mesh-first-request", request_id.encode("ascii", "replace"))] if request_id else []


def decision_header(decision_id: str) -> Pairs:
    """The routing decision, which `llm-mesh explain` explains; nothing where there was none."""
    return [(b"x-llm-mesh-decision", decision_id.encode("ascii", "replace"))] if decision_id else []


def screened_headers(counts: Sequence[usage_pb2.ScreeningCount]) -> Pairs:
    """What screening found; of a stream what it found in the request, since the headers go before there is an answer."""
    return screened_header(screened_text(counts)) if counts else []


def screened_header(text: str) -> Pairs:
    """The same in words: `request.credit_card.masked=2, answer.email.blocked=1`; nothing where nothing was found."""
    return [(b"x-llm-mesh-screened", text.encode("ascii", "replace"))] if text else []


def limit_headers(limits: Sequence[policy_pb2.LimitStatus]) -> Pairs:
    """`x-ratelimit-*` for requests and tokens: where several limits hold, the one with the least left."""
    tightest: dict[str, tuple[int, policy_pb2.LimitStatus]] = {}
    for status in limits:
        name, remaining = _RATES.get(status.metric), status.remaining
        if name is not None and (name not in tightest or remaining < tightest[name][0]):
            tightest[name] = (remaining, status)
    pairs: Pairs = []
    for name in ("requests", "tokens"):
        if name not in tightest:
            continue
        remaining, status = tightest[name]
        limit, left, reset = _RATE_HEADERS[name]
        pairs.append((limit, b"%d" % status.limit))
        pairs.append((left, b"%d" % max(0, remaining)))
        if status.HasField("reset_after"):
            after = status.reset_after
            pairs.append((reset, span(after.seconds * 1000 + after.nanos // 1_000_000).encode()))
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
    texts: list[str] = []
    for translation in translations:
        field = "".join(character for character in translation.field if character.isascii() and character.isprintable())
        texts.append(f"{field}={_ACTIONS.get(translation.action, 'changed')}")
    text = ", ".join(texts)
    return text if len(text) <= _MAX_TRANSLATIONS else text[: text.rindex(", ", 0, _MAX_TRANSLATIONS)] + ", more=omitted"


def translation_headers(translations: Sequence[generate_pb2.Translation]) -> Pairs:
    """The same in a header."""
    if not translations:
        return []
    text = translations_text(translations)
    return [(b"x-llm-mesh-translations", text.encode("ascii"))] if text else []
