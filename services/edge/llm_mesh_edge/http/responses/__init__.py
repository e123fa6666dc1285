"""OpenAI's Responses over HTTP. The dialect itself is in llm_mesh_dialects."""
