"""The ledger's RPCs: unpack, one call of the domain, pack."""
