"""The audit trail: entries, their chains, and what auditors take away."""
