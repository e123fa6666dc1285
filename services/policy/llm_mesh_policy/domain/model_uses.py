"""What a caller can do with models that costs money or moves data, as actions of policy: one for each input that `Admit` takes."""

from __future__ import annotations

from typing import Final

from llm_mesh.policy.v1 import policy_pb2

OPERATIONS: Final = tuple(field.name for field in policy_pb2.AdmitRequest.DESCRIPTOR.oneofs_by_name["input"].fields)
"""The operations that are admitted, as `AdmitRequest` names their inputs."""
_JSON_NAMES: Final = tuple(field.json_name for field in policy_pb2.AdmitRequest.DESCRIPTOR.oneofs_by_name["input"].fields)
MODEL_USES: Final = (*(f"models.{json_name}" for json_name in _JSON_NAMES), "models.count")
