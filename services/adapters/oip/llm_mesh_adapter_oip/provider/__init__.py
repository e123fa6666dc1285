"""The servers: where they answer, which tensors they take, and what the tensors of their answers mean."""
