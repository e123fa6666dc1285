"""Where models and adapters are kept."""
