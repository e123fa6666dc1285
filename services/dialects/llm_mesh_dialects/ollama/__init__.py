"""Translates between the typed payload and Ollama's own dialect: `/api/chat`, `/api/embed`, `/api/show`, `/api/tags`."""
