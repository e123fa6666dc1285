"""Converts public price lists into the registry's starting table of well-known models.

    python tools/prices/convert.py LITELLM_WHEEL GENAI_PRICES_WHEEL > services/registry/llm_mesh_registry/data/well_known_models.json
    python tools/prices/convert.py LITELLM_WHEEL GENAI_PRICES_WHEEL bedrock TABLE    # the rows of one endpoint anew, in a table

Both wheels are MIT-licensed and only read, never run: the one's price file is JSON; the other's data is imported from the wheel. A model
stands in the table only where its price can be charged exactly: rows that the two lists price differently are left out and listed, and a
model whose price depends on the length of the input is offered up to the first tier's length.
"""

from __future__ import annotations

import importlib
import json
import re
import sys
import zipfile
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

PRICE_FILE = "litellm/model_prices_and_context_window_backup.json"
_ONE_ENDPOINT = 4
"""Arguments of a run that renews one endpoint, the program's name included."""
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
    "output_cost_per_reasoning_token": "reasoningNanosPerMillion",
    "input_cost_per_audio_token": "audioInputNanosPerMillion",
    "output_cost_per_audio_token": "audioOutputNanosPerMillion",
    "input_cost_per_query": "searchUnitNanosPerMillion",
}
PER_SEARCH = "input_cost_per_query"
MODES = {"chat", "embedding", "rerank"}
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
MISPRICED = {"embed-multilingual-light-v3.0"}
"""Listed at a thousand times the price of its siblings."""


def main() -> None:
    """Prints the table."""
    lite, genai = (Path(argument) for argument in sys.argv[1:3])
    with zipfile.ZipFile(lite) as wheel:
        listed = json.loads(wheel.read(PRICE_FILE), parse_float=Decimal)
        year, month, day = wheel.getinfo(PRICE_FILE).date_time[:3]
    version = lite.name.split("-")[1]
    sys.path.insert(0, str(genai))
    second = Opinions(genai.name.split("-")[1])
    rows, disputed = {}, []
    for name, entry in listed.items():
        row = converted(name, entry, f"litellm {version}")
        if row is None or (row["endpoint"], row["upstreamModel"]) in rows:
            continue
        agrees = second.agrees(row)
        if agrees is False:
            disputed.append(f"{row['endpoint']}/{row['upstreamModel']}")
            continue
        if agrees:
            row["price"]["source"] += f"; genai-prices {second.version} agrees"
        rows[row["endpoint"], row["upstreamModel"]] = row
    if len(sys.argv) > _ONE_ENDPOINT:
        print(
            json.dumps(
                _renewed(Path(sys.argv[_ONE_ENDPOINT]), sys.argv[_ONE_ENDPOINT - 1], rows, version, second.version),
                indent=1,
                ensure_ascii=False,
            )
        )
        return
    table = {
        "about": "Generated by tools/prices/convert.py; see there. Prices are nano-units of USD per million tokens.",
        "sources": [
            {"name": "litellm", "version": version, "licence": "MIT", "file": PRICE_FILE, "date": f"{year}-{month:02}-{day:02}"},
            {"name": "genai-prices", "version": second.version, "licence": "MIT"},
        ],
        "disputed": sorted(set(disputed)),
        "models": sorted(rows.values(), key=lambda row: (row["endpoint"], row["upstreamModel"])),
    }
    print(json.dumps(table, indent=1, ensure_ascii=False))


def _renewed(path: Path, endpoint: str, rows: Mapping[tuple[str, str], dict[str, Any]], lite: str, genai: str) -> dict[str, Any]:
    """The table with these rows in the place of those that it has of the endpoint."""
    table: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    models = [row for row in table["models"] if row["endpoint"] != endpoint] + [row for row in rows.values() if row["endpoint"] == endpoint]
    others = [each for each in table["sources"] if each.get("endpoint") != endpoint]
    named = [
        {"name": name, "version": version, "licence": "MIT", "endpoint": endpoint}
        for name, version in (("litellm", lite), ("genai-prices", genai))
    ]
    return {**table, "sources": [*others, *named], "models": sorted(models, key=lambda row: (row["endpoint"], row["upstreamModel"]))}


def converted(name: str, entry: Mapping[str, Any], source: str) -> dict[str, Any] | None:
    """The row of one listed model, or None where the mesh cannot serve or charge it."""
    provider = ENDPOINTS.get(entry.get("litellm_provider", ""))
    mode = entry.get("mode")
    if provider is None or mode not in MODES or SKIPPED.search(name) or name in MISPRICED or not costs(entry):
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
        "maxOutputTokens": str(int(entry.get("max_output_tokens") or 0) if mode == "chat" else 0),
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
    return row


def costs(entry: Mapping[str, Any]) -> bool:
    """Whether it has a price: one of nothing is a trial's."""
    return bool(entry.get("input_cost_per_token")) or bool(entry.get(PER_SEARCH))


def rates(entry: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The prices, exact."""
    for listed, ours in RATES.items():
        if entry.get(listed) is not None:
            nanos = Decimal(entry[listed]) * NANOS_PER_MILLION
            yield ours, str(int(nanos.to_integral_value()))


def capabilities(entry: Mapping[str, Any], endpoint: str, mode: str) -> set[str]:
    """What the model can, in the mesh's words."""
    if mode == "embedding":
        return {"embeddings"}
    if mode == "rerank":
        return {"rerank"}
    able = {ours for listed, ours in ABILITIES.items() if entry.get(listed)}
    return able | {"generate", "streaming"} | (set(OPENAI_ABILITIES) if endpoint == "openai" else set())


def context_window(entry: Mapping[str, Any]) -> int:
    """Input and output together; no more than the first tier of a price that depends on the length."""
    window = int(entry.get("max_input_tokens") or entry.get("max_tokens") or 0)
    tiers = [int(match.group(1)) * 1000 for key in entry if (match := TIER.fullmatch(key)) and entry[key] is not None]
    return min([window, *tiers]) if window else min(tiers, default=0)


class Opinions:
    """The second list, for a second opinion."""

    def __init__(self, version: str) -> None:
        self.version = version
        module = importlib.import_module("genai_prices")  # from the wheel, on the path by now
        self._usage, self._price = module.Usage, module.calc_price

    def agrees(self, row: Mapping[str, Any]) -> bool | None:
        """Whether the second list charges alike; None where it does not know the model."""
        provider = {"vertex": "google", "xai": "x-ai", "bedrock": "aws"}.get(row["endpoint"], row["endpoint"])
        try:
            reference = self._price(
                self._usage(input_tokens=1000, output_tokens=1000), model_ref=row["upstreamModel"], provider_id=provider
            )
        except (LookupError, ValueError):
            return None
        million = 1_000_000
        ours = (int(row["price"].get(key, 0)) * 1000 for key in ("inputNanosPerMillion", "outputNanosPerMillion"))
        theirs = (Decimal(part or 0) * 10**9 * million for part in (reference.input_price, reference.output_price))
        return all(abs(Decimal(one) - other) <= max(Decimal(one), other) / 1000 for one, other in zip(ours, theirs, strict=True))


if __name__ == "__main__":
    main()
