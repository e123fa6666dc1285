"""Translates between the typed payload and version 2 of Cohere's dialect: `/v2/chat`, `/v2/embed`, `/v2/rerank`, `/v1/models`."""
