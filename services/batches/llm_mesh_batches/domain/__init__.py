"""The rules of batches, without transport and store."""
