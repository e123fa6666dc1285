"""Resources of the mesh as commands: what a kind of resource is called, which verbs its contract offers, and what each of them does."""
