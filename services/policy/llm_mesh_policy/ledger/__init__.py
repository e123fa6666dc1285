"""The ledger: budgets, limits, reservations and settlements."""
