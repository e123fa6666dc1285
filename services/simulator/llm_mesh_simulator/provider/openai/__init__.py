"""The OpenAI dialect: chat completions, embeddings and models."""
