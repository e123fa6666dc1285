"""The ledger of record: what a request may cost at most, what it did cost, and whether limits bear it."""
