"""A rebuildable projection of settlements: spend, usage, feedback and live tail."""
