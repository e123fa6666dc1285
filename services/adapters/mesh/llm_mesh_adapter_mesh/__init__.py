"""The adapter to other meshes."""
