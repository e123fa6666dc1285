"""Requests: the typed payload to a provider's body."""

from llm_mesh_dialects.bedrock.requests.writing import Converse, input_to_converse, input_to_count

__all__ = ["Converse", "input_to_converse", "input_to_count"]
