"""`llm-mesh apply`: a file that says how the mesh should be, read strictly, and brought about by the services' own Apply calls."""
