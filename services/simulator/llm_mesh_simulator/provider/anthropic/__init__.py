"""The Anthropic dialect: messages, token counts and models."""
