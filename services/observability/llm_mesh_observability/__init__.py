"""Observability: a projection of the ledger's settlements that shows spend, usage and quality, and can be rebuilt at any time."""
