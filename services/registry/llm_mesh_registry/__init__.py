"""Models, adapters and other data products, with their owners, prices and lifecycles."""
