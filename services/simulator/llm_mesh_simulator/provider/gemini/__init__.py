"""The Gemini dialect: answers, vectors, token counts and models, at the paths of the Gemini API and of Vertex."""
