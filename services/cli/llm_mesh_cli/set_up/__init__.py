"""What a new mesh needs before it can answer: a project with a key, and the models of its providers. `up` and `setup` both do it."""
