"""The lists that Bedrock has: models, each of which is a named behaviour, and asynchronous calls, of which there are none."""

from collections.abc import Sequence
from typing import Final

_EMBEDS: Final = "sim-embed"


def models(identities: Sequence[str]) -> dict[str, object]:
    """What the provider offers, in its own words."""
    return {"modelSummaries": [_model(each) for each in identities]}


def calls() -> dict[str, object]:
    """None: the simulator answers at once."""
    return {"asyncInvokeSummaries": []}


def _model(identity: str) -> dict[str, object]:
    return {
        "modelArn": f"arn:aws:bedrock:us-east-1::foundation-model/{identity}",
        "modelId": identity,
        "modelName": f"Simulator: {identity.removeprefix('sim-')}",
        "providerName": "Simulator",
        "inputModalities": ["TEXT", "IMAGE"],
        "outputModalities": ["EMBEDDING" if identity == _EMBEDS else "TEXT"],
        "responseStreamingSupported": True,
        "inferenceTypesSupported": ["ON_DEMAND"],
        "modelLifecycle": {"status": "ACTIVE"},
    }
