"""Other gateways, each in an environment of its own under .bench/peers (`make bench-peers`), pinned, with the settings that are printed."""
