"""Speaks gRPC to inference engines: vLLM and SGLang."""
