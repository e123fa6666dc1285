"""Where routes are kept."""
