"""The simulator's own record of what reached it, independent of whatever the mesh records."""
