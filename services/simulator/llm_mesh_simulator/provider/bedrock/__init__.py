"""Bedrock's dialect: Converse, whole and streamed, token counts, embeddings and lists."""
