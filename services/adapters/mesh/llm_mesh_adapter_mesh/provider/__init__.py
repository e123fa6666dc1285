"""Other meshes as endpoints: where they are, what they are told, and what their answers and failures mean here."""
