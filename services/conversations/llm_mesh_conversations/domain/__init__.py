"""The rules of conversations, without transport and store."""
