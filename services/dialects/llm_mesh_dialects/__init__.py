"""Wire dialects of model providers as pure functions from and to the typed payload: no I/O, no settings, no state."""
