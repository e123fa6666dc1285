"""Screening: what is found in texts, and what is done about it. Knows nothing of the rest of policy."""
