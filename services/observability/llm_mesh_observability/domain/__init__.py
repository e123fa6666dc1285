"""Rules and values of the projection: no transport, no storage."""
