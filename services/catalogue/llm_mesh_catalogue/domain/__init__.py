"""Rules and values of prompts: no transport, no storage."""
