"""Where the projection is kept."""
