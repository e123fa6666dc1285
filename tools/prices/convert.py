"""Converts public price lists into the registry's starting table of well-known models.

    python tools/prices/convert.py LITELLM_WHEEL GENAI_PRICES_WHEEL --date 2026-12-01 > TABLE

TABLE is services/registry/llm_mesh_registry/data/well_known_models.json. Both wheels are MIT-licensed and only read, never run: the one's
price file is JSON; the other's data is imported from the wheel. The date is the day whose prices count, and stands in each row: the same
wheels and date give the same table on any day. A model stands in the table only where its price can be charged exactly: rows that the two
lists price differently are left out and listed, a model whose price depends on the length of the input is offered up to the first tier's
length, and of a model that the list prices by tokens and by seconds or pieces, only the tokens are taken, which its provider reports.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Protocol

PRICE_FILE = "litellm/model_prices_and_context_window_backup.json"
NANOS_PER_MILLION = Decimal(10) ** 15  # from units per token to nano-units per million tokens

ENDPOINTS: Mapping[str, tuple[str, str]] = {
    "openai": ("openai", "openai"),
    "anthropic": ("anthropic", "anthropic"),
    "gemini": ("gemini", "google"),
    "vertex_ai-language-models": ("gemini", "vertex"),
    "vertex_ai-embedding-models": ("gemini", "vertex"),
    "mistral": ("openai", "mistral"),
    "groq": ("openai", "groq"),
    "xai": ("openai", "xai"),
    "deepseek": ("openai", "deepseek"),
    "together_ai": ("openai", "together"),
    "fireworks_ai": ("openai", "fireworks"),
    "bedrock_converse": ("bedrock", "bedrock"),
    "bedrock": ("bedrock", "bedrock"),
    "voyage": ("openai", "voyage"),
    "jina_ai": ("openai", "jina"),
    "cohere": ("cohere", "cohere"),
    "cohere_chat": ("cohere", "cohere"),
}
"""The list's provider to the mesh's adapter and endpoint."""
ALIASES = {"openai": "", "anthropic": "", "google": "gemini/"}
"""What stands before a model's name in its alias, where it is not the endpoint."""

RATES = {
    "input_cost_per_token": "inputNanosPerMillion",
    "output_cost_per_token": "outputNanosPerMillion",
    "cache_read_input_token_cost": "cachedInputNanosPerMillion",
    "cache_creation_input_token_cost": "cacheWriteNanosPerMillion",
    "cache_creation_input_token_cost_above_1hr": "cacheWrite1hNanosPerMillion",
    "cache_creation_input_token_cost_above_12hr": "cacheWrite12hNanosPerMillion",
    "output_cost_per_reasoning_token": "reasoningNanosPerMillion",
    "input_cost_per_audio_token": "audioInputNanosPerMillion",
    "output_cost_per_audio_token": "audioOutputNanosPerMillion",
    "input_cost_per_image_token": "imageInputNanosPerMillion",
    "output_cost_per_image_token": "imageOutputNanosPerMillion",
}
"""What is priced by tokens."""
UNITS = {
    "rerank": {"input_cost_per_query": "searchUnitNanosPerMillion"},
    "audio_transcription": {"input_cost_per_second": "audioInputSecondNanosPerMillion"},
    "audio_speech": {"input_cost_per_character": "characterNanosPerMillion"},
}
"""What is priced otherwise, by the mode of a model."""
TIERS = {"priority": "SERVICE_TIER_PRIORITY", "flex": "SERVICE_TIER_FLEX", "batches": "SERVICE_TIER_BATCH"}
"""How the list's keys of another tier end."""
METHODS = {"image_generation": "generate_image", "audio_transcription": "transcribe", "audio_speech": "speak"}
"""Modes of models for methods of their own, which only the first of our endpoints has, and their capability."""
MODES = {"chat", "embedding", "rerank", *METHODS}
ABILITIES = {
    "supports_function_calling": "tools",
    "supports_parallel_function_calling": "parallel_tool_calls",
    "supports_response_schema": "json_schema",
    "supports_reasoning": "reasoning",
    "supports_vision": "image_input",
    "supports_pdf_input": "file_input",
    "supports_audio_input": "audio_input",
    "supports_audio_output": "audio_output",
}
OPENAI_ABILITIES = ("logprobs", "multiple_candidates", "seed", "json_object")
"""What OpenAI's own chat models can besides; other servers differ, so that their owners declare it."""
IMAGE_TOKENS = {"openai": 4_000, "anthropic": 1_600, "google": 2_600, "vertex": 2_600}
COSTLY_IMAGES = {"gpt-4o-mini": 48_200}
"""Upper bounds of the tokens of one image, from the providers' vision guides; elsewhere images are refused until an owner sets one."""
TIER = re.compile(r"(?:input|output)_cost_per_token_above_(\d+)k_tokens")
PROFILE = re.compile(r"(?:us|us-gov|eu|apac|au|jp|ca|global)\.")
"""How inference profiles of Bedrock begin. Their price holds wherever they are called; that of a plain model differs by region."""
SKIPPED = re.compile(
    r"^ft:|container|^(?:1024|256|512)|search-preview|realtime|-audio|transcribe|tts|codex-mini-latest|^multimodalembedding"
    r"|voyage-(?:context|multimodal)"
)
UNCHARGEABLE = re.compile(r"^(?!gpt-image-|chatgpt-image-|whisper-|gpt-transcribe|gpt-4o(?:-mini)?-transcribe|tts-)|/")
"""Of models for methods: pieces of a model that is priced by tokens, those that a session is needed for, and those whose provider reports
nothing that their price counts."""
MISPRICED = {"embed-multilingual-light-v3.0"}
"""Listed at a thousand times the price of its siblings."""


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("litellm", type=Path, help="the wheel that has the price file")
    parser.add_argument("genai_prices", type=Path, help="the wheel for a second opinion")
    parser.add_argument("--date", required=True, type=_day, help="the day whose prices count, such as 2026-12-01")
    arguments = parser.parse_args()
    lite, genai, day = arguments.litellm, arguments.genai_prices, arguments.date
    with zipfile.ZipFile(lite) as wheel:
        listed = json.loads(wheel.read(PRICE_FILE), parse_float=Decimal)
    sys.path.insert(0, str(genai))
    print(json.dumps(table(listed, lite.name.split("-")[1], Opinions(genai.name.split("-")[1], day), day), indent=1, ensure_ascii=False))


def table(listed: Mapping[str, Any], version: str, second: SecondList, day: datetime) -> dict[str, Any]:
    """The whole table."""
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    disputed = []
    for name, entry in listed.items():
        row = converted(name, entry, f"litellm {version}, {day:%Y-%m-%d}")
        if row is None or (row["endpoint"], row["upstreamModel"]) in rows:
            continue
        agrees = second.agrees(row)
        if agrees is False:
            disputed.append(f"{row['endpoint']}/{row['upstreamModel']}")
            continue
        if agrees:
            row["price"]["source"] += f"; genai-prices {second.version} agrees"
        rows[row["endpoint"], row["upstreamModel"]] = row
    return {
        "about": "Generated by tools/prices/convert.py; see there. Prices are nano-units of USD per million tokens, or of what they name.",
        "sources": [
            {"name": "litellm", "version": version, "licence": "MIT", "file": PRICE_FILE, "date": f"{day:%Y-%m-%d}"},
            {"name": "genai-prices", "version": second.version, "licence": "MIT", "date": f"{day:%Y-%m-%d}"},
        ],
        "disputed": sorted(set(disputed)),
        "models": sorted(rows.values(), key=lambda row: (row["endpoint"], row["upstreamModel"])),
    }


def _day(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)


def converted(name: str, entry: Mapping[str, Any], source: str) -> dict[str, Any] | None:
    """The row of one listed model, or None where the mesh cannot serve or charge it."""
    provider = ENDPOINTS.get(entry.get("litellm_provider", ""))
    mode = entry.get("mode")
    if provider is None or mode not in MODES or name in MISPRICED or not costs(entry):
        return None
    if UNCHARGEABLE.search(name) or provider != ENDPOINTS["openai"] if mode in METHODS else SKIPPED.search(name):
        return None
    if "output_cost_per_token" not in entry and mode == "chat":
        return None
    adapter, endpoint = provider
    prefixes = (f"{entry['litellm_provider']}/", f"{endpoint}/", "vertex_ai/")
    upstream = name.split("/", 1)[1] if name.startswith(prefixes) else name
    row: dict[str, Any] = {
        "alias": ALIASES.get(endpoint, f"{endpoint}/") + upstream,
        "displayName": upstream,
        "adapter": adapter,
        "endpoint": endpoint,
        "upstreamModel": upstream,
        "dialect": adapter,
        "capabilities": sorted(capabilities(entry, endpoint, mode)),
        "contextWindow": str(context_window(entry)),
        "maxOutputTokens": str(int(entry.get("max_output_tokens") or 0) if mode in {"chat", "audio_transcription"} else 0),
        "lifecycle": "LIFECYCLE_ACTIVE",
    }
    if not re.fullmatch(r"[A-Za-z0-9._:/-]{1,128}", row["alias"]) or (endpoint == "bedrock" and not PROFILE.match(upstream)):
        return None
    if "image_input" in row["capabilities"] and endpoint in IMAGE_TOKENS:
        costly = [tokens for prefix, tokens in COSTLY_IMAGES.items() if upstream.startswith(prefix)]
        row["imageTokens"] = str(max(costly, default=IMAGE_TOKENS[endpoint]))
    if retire := entry.get("deprecation_date"):
        row["retireTime"] = f"{retire}T00:00:00Z"
    row["price"] = {"currency": "USD", "source": f"{source}, {entry.get('source', 'price file')}"[:200], **dict(rates(entry))}
    if tiers := list(variants(entry)):
        row["price"]["variants"] = tiers
    return row


def costs(entry: Mapping[str, Any]) -> bool:
    """Whether it has a price: one of nothing is a trial's."""
    return bool(entry.get("input_cost_per_token")) or any(entry.get(key) for key in UNITS.get(entry.get("mode", ""), ()))


def rates(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The prices, exact; those by other units only where there is none by tokens."""
    listed = RATES if entry.get("input_cost_per_token") else UNITS.get(entry["mode"], {})
    for name, ours in listed.items():
        if entry.get(name) is not None:
            yield ours, _nanos(entry[name])
    if entry["mode"] == "image_generation" and entry.get("output_cost_per_token") is None:
        yield "outputNanosPerMillion", _nanos(entry["output_cost_per_image_token"])  # it writes nothing but images


def variants(entry: Mapping[str, Any]) -> Iterator[dict[str, str]]:
    """What other tiers cost, where the list has input and output of them.

    What it does not have of a tier costs what it costs in the standard one, or the tier's own input or output where that is dearer.
    """
    for ending, tier in TIERS.items():
        priced = {name: entry.get(f"{name}_{ending}") for name in RATES}
        put, out = priced["input_cost_per_token"], priced["output_cost_per_token"]
        if put is None or out is None:
            continue
        prices = {}
        for name, ours in RATES.items():
            if (cost := priced[name]) is not None:
                prices[ours] = _nanos(cost)
            elif (usual := entry.get(name)) is not None:
                prices[ours] = _nanos(max(usual, out if name.startswith("output") else put))
        yield {"tier": tier, **prices}


def _nanos(cost: Decimal) -> str:
    return str(int((Decimal(cost) * NANOS_PER_MILLION).to_integral_value()))


def capabilities(entry: Mapping[str, Any], endpoint: str, mode: str) -> set[str]:
    """What the model can, in the mesh's words."""
    if mode == "embedding":
        return {"embeddings"}
    if mode == "rerank":
        return {"rerank"}
    if mode in METHODS:
        return {METHODS[mode]}
    able = {ours for listed, ours in ABILITIES.items() if entry.get(listed)}
    return able | {"generate", "streaming"} | (set(OPENAI_ABILITIES) if endpoint == "openai" else set())


def context_window(entry: Mapping[str, Any]) -> int:
    """Input and output together; no more than the first tier of a price that depends on the length."""
    window = int(entry.get("max_input_tokens") or entry.get("max_tokens") or 0)
    tiers = [int(match.group(1)) * 1000 for key in entry if (match := TIER.fullmatch(key)) and entry[key] is not None]
    return min([window, *tiers]) if window else min(tiers, default=0)


class SecondList(Protocol):
    """Another list of prices."""

    version: str

    def agrees(self, row: Mapping[str, Any]) -> bool | None:
        """Whether it has the same price; None where it does not know the model."""


class Opinions:
    """The second list, for a second opinion."""

    def __init__(self, version: str, day: datetime) -> None:
        self.version = version
        self._day = day
        """Prices of this day are compared: the list knows several of a model, by date."""
        module = importlib.import_module("genai_prices")  # from the wheel, on the path by now
        self._usage, self._price = module.Usage, module.calc_price

    def agrees(self, row: Mapping[str, Any]) -> bool | None:
        """Whether the second list charges alike; None where it does not know the model, or its price counts something else."""
        if "inputNanosPerMillion" not in row["price"]:
            return None
        provider = {"vertex": "google", "xai": "x-ai", "bedrock": "aws"}.get(row["endpoint"], row["endpoint"])
        try:
            reference = self._price(
                self._usage(input_tokens=1000, output_tokens=1000),
                model_ref=row["upstreamModel"],
                provider_id=provider,
                genai_request_timestamp=self._day,
            )
        except (LookupError, ValueError):
            return None
        million = 1_000_000
        ours = (int(row["price"].get(key, 0)) * 1000 for key in ("inputNanosPerMillion", "outputNanosPerMillion"))
        theirs = (Decimal(part or 0) * 10**9 * million for part in (reference.input_price, reference.output_price))
        return all(abs(Decimal(one) - other) <= max(Decimal(one), other) / 1000 for one, other in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
