"""The one thing that the gateway remembers from start to start: its epochs."""

from llm_mesh_gateway.store.epochs import FileEpochs, ForgottenEpochs

__all__ = ["FileEpochs", "ForgottenEpochs"]
