"""Text to sentences: what the avatar answers, from its own documents or from any OpenAI-compatible server."""
