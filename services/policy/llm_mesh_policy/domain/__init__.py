"""Policy's rules and values; pure of transport and storage."""
