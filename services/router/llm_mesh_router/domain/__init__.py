"""Rules and values of routing: no transport, no storage."""
