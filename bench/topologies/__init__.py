"""The arrangements that are measured: direct, a byte pass-through, the mesh in one process and in many."""
