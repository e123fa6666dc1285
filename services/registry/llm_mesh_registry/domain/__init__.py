"""Rules and values of data products: no transport, no storage."""
