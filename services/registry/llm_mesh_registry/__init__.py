"""The registry: models and adapters as data products, with owner, capabilities, prices, residency and lifecycle."""
