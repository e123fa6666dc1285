"""Speaks the Open Inference Protocol: embeddings and rerankers of Triton, KServe and their like."""
