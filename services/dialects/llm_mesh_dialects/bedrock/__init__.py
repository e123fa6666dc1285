"""Bedrock's dialect (Converse, counts, embeddings), from and to the typed payload, for providers."""

from llm_mesh_dialects.bedrock import embeddings, errors, requests, responses, streams
from llm_mesh_dialects.bedrock.vocabulary import DIALECT

__all__ = ["DIALECT", "embeddings", "errors", "requests", "responses", "streams"]
